"""The witness: sees every write and reading as it happens, and says in words what must not be.

It judges by what each worker has been shown and by what is true, which the worker cannot know. The
first thing that does not hold ends the run.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.domain.decisions.control import KillSwitch
from shared.domain.decisions.decision import Plan
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.intent import MAXIMUM_WRITES, EndpointRecord, Intent, IntentState
from shared.domain.row import Put, Stored, Write
from tests.simulation.writing.stage import Stage, Worker


class Seen:
    """What one worker has been shown and has done since its last write to the endpoint."""

    def __init__(self) -> None:
        self.reading: EndpointSnapshot | None = None
        self.truths: deque[EndpointSnapshot] = deque(maxlen=2)  # behind its last two readings
        self.switches: list[KillSwitch] | None = None
        self.counted: Intent | None = None
        self.plan = ""


class Witness:
    """`broken` is the first thing that did not hold, empty as long as all does."""

    def __init__(self, stage: Stage, plans: Mapping[str, Plan], began: datetime) -> None:
        self.broken = ""
        self.plans = plans
        self.opened: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.holders: dict[str, str] = {}  # who claimed a plan's intent last
        self.sent_for: dict[str, int] = defaultdict(int)
        self.unseen: list[str] = []  # what no reading could have shown: the window of the write
        self.late: list[str] = []  # whose write overwrote a deploy after the plan had ended
        self._seen: dict[str, Seen] = defaultdict(Seen)
        self._stage = stage
        self._began = began

    def breaks(self, what: str) -> None:
        """Say that something does not hold."""
        self.broken = self.broken or what

    @property
    def mark(self) -> int:
        """A hash of what it will ask about at the end."""
        known = (self.opened, self.ended, self.sent_for, self.holders)
        return hash(tuple(tuple(sorted(some.items())) for some in known))

    def plan_of(self, worker: Worker) -> str:
        """The plan that a worker counted a write for last."""
        return self._seen[worker.name].plan

    def scanned(self, worker: Worker, partition: str, values: Sequence[object]) -> None:
        """A worker has been shown rows."""
        if partition == "controls":
            switches = [value for value in values if isinstance(value, KillSwitch)]
            self._seen[worker.name].switches = switches

    def read(self, worker: Worker, shown: EndpointSnapshot, truth: EndpointSnapshot) -> None:
        """A worker has been shown the endpoint."""
        seen = self._seen[worker.name]
        seen.reading, seen.switches = shown, None
        seen.truths.append(truth)

    def stored(
        self,
        worker: Worker,
        was: Mapping[str, Stored[Any]],
        rows: Mapping[str, Stored[Any]],
        writes: Sequence[Write],
    ) -> None:
        """A worker's transaction has taken effect."""
        for write in writes:
            before = was[write.row].value if write.row in was else None
            after = rows[write.row].value if isinstance(write, Put) else None
            if isinstance(after, Intent):
                self._intent(worker, before, after)
                self._claimed(after, rows.values())
            if isinstance(after, EndpointRecord) and isinstance(before, EndpointRecord):
                self._record(worker, before, after)

    def _intent(self, worker: Worker, before: Intent | None, after: Intent) -> None:
        plan = after.plan.id
        if before is None or after.fence > before.fence:
            self.holders[plan] = worker.name
        if before is None:
            self.opened[plan] = self._stage.clock
            return
        self._changed(worker, before, after)
        if after.writes > before.writes:
            seen = self._seen[worker.name]
            seen.counted, seen.plan = after, plan
        if after.state is not IntentState.OPEN:
            self.ended[plan] = self._stage.clock
            self._end(worker, after)

    def _changed(self, worker: Worker, before: Intent, after: Intent) -> None:
        if before.state is not IntentState.OPEN:
            self.breaks("an intent that had ended was changed")
        if after.fence < before.fence or self.holders[after.plan.id] != worker.name:
            self.breaks("a worker went on with an intent that another worker had taken over")
        if after.writes not in (before.writes, before.writes + 1) or after.plan != before.plan:
            self.breaks("an intent's plan or its count of writes was overwritten")
        if after.writes > MAXIMUM_WRITES:
            self.breaks(f"one plan was about to be written more than {MAXIMUM_WRITES} times")

    def _claimed(self, intent: Intent, rows: Iterable[Stored[Any]]) -> None:
        fences = [row.value.fence for row in rows if isinstance(row.value, EndpointRecord)]
        if intent.state is IntentState.OPEN and fences != [intent.fence]:
            self.breaks("a worker went on with an endpoint that another plan had claimed")

    def _end(self, worker: Worker, intent: Intent) -> None:
        truths = self._seen[worker.name].truths
        applied = any(truth.serves(intent.plan.after) for truth in truths)
        if intent.state is IntentState.CONFIRMED and not applied:
            self.breaks("a change was confirmed that the endpoint did not show when it was read")
        if intent.state is IntentState.ABORTED and self.sent_for[intent.plan.id]:
            self.breaks("a plan was called untouched although a write had been sent for it")

    def _record(self, worker: Worker, before: EndpointRecord, after: EndpointRecord) -> None:
        now = self._began + timedelta(seconds=self._stage.clock + worker.most_skew)
        lease = before.lease
        if after.fence < before.fence:
            self.breaks("the endpoint's fencing number went down")
        if after.fence > before.fence and lease is not None and now < lease.expires_at:
            self.breaks("a worker took the endpoint while another worker's lease still ran")
        released = lease is not None and after.lease is None
        if released and lease is not None and lease.plan not in self.ended:
            self.breaks("a worker released the lease that another plan holds")

    def sent(self, worker: Worker, traffic: Mapping[str, int]) -> None:
        """A worker's write leaves for the endpoint."""
        seen, self._seen[worker.name] = self._seen[worker.name], Seen()
        self._seen[worker.name].plan = seen.plan
        self._seen[worker.name].truths = seen.truths
        if seen.counted is None:
            self.breaks("a write was sent that no durable intent had counted before")
            return
        plan, first = seen.counted.plan, seen.counted.writes == 1
        self.sent_for[plan.id] += 1
        if dict(traffic) != plan.after:
            self.breaks(f"a write asked for {dict(traffic)}, not for what the plan says")
        if seen.reading is None:
            self.breaks("a write was sent without a reading of the endpoint since the last one")
            return
        if seen.reading.serves(plan.after):
            self.breaks("a write was repeated although the reading showed it applied")
        if first and seen.reading.fingerprint != plan.fingerprint:
            self.breaks("an endpoint was written to that had visibly changed since the decision")
        self._stopped(worker, plan, seen.switches)

    def _stopped(self, worker: Worker, plan: Plan, switches: list[KillSwitch] | None) -> None:
        now = self._began + timedelta(seconds=self._stage.clock + worker.skew)
        if switches is None:
            self.breaks("a write was sent without a look at the kill switch")
        elif any(switch.stops(plan.service, now) for switch in switches):
            self.breaks("a write was sent although the kill switch was on")

    def applied(self, plan: str, mover: str, *, in_its_window: bool) -> None:
        """A write changes the endpoint, whose traffic `mover` had moved last."""
        if mover in {"", plan}:
            return
        whose = "a pipeline's deploy" if mover == "pipeline" else "another plan's change"
        if in_its_window:
            self.unseen.append(f"{whose} was overwritten within the write itself")
        else:
            self.breaks(f"{whose} was overwritten, and the endpoint had shown it before")

    def covered(self, mover: str) -> str:
        """Who moved the traffic, as far as it shows once a write of ours has failed.

        What a pipeline moves back just as our write goes out does not: the endpoint shows a failed
        operation and the traffic of before.
        """
        if mover != "pipeline":
            return mover
        self.unseen.append("a pipeline's deploy was covered by an operation of ours that failed")
        return ""

    def landed(self, plan: str, mover: str) -> None:
        """A write that its sender had given up changes the endpoint after all."""
        if mover == "pipeline" and plan in self.ended:
            self.late.append(plan)
        elif mover == "pipeline":
            self.unseen.append("a pipeline's deploy was overwritten by a write on its way")
