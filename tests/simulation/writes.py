"""The judge of writes: what a task had been shown and had stored before it wrote to the endpoint.

Most promises can break at one moment only, when a write reaches the endpoint. What is known then:
which intent counted the write, what the writing task read last, when a person turned the kill
switch or froze changes, and what the scene allows.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.domain.approvals.approval import ApprovalRequest, Ruling
from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Decision, Plan, Verdict
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.intent import Intent, IntentState
from tests.fakes.services import Outside
from tests.simulation.deciders import ENTITLED
from tests.simulation.judge import Judge
from tests.simulation.promises import Promise, broken
from tests.simulation.scenario import NOW, SERVICE
from tests.simulation.scene import Fault, Scene
from tests.simulation.scheduler import Scheduler, worker_name

GRACE = timedelta(minutes=2)
LEASE = timedelta(seconds=120)
LATE = timedelta(minutes=6)  # a process may stand still between its look and its write
HOUR = timedelta(hours=1)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one task was shown of the endpoint, at which turn, and what was so then."""

    turn: int
    shown: EndpointSnapshot
    live: dict[str, int]


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """A write that was counted in its intent's row and has not reached the endpoint yet."""

    plan: str
    at: datetime
    worker: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One write that was sent for a plan."""

    plan: str
    at: datetime


class Writes(Judge):
    """Judges every intent, every reading and every write of one world."""

    def __init__(self, outside: Outside, scheduler: Scheduler, scene: Scene) -> None:
        super().__init__(outside, scheduler, scene)
        self.intents: dict[str, Intent] = {}
        self.sent: list[Sent] = []
        self.grace = GRACE  # behind the lease, for an intent to end
        self._read: dict[Any, Reading] = {}
        self._read_before: dict[Any, Reading] = {}
        self._received: dict[Any, int] = {}
        self._counted: dict[Any, Count] = {}
        self._decided: set[str] = set()
        self._requests: dict[str, ApprovalRequest] = {}
        self._rulings: list[Ruling] = []
        self._switched: int | None = 0 if scene.switch_on else None
        self._frozen: int | None = 0 if scene.frozen else None

    def received(self) -> None:
        """A consumer took a message: what it decides rests on what was so then or later."""
        self._received[asyncio.current_task()] = self._turn

    def _intended(self, intent: Intent) -> None:
        plan = intent.plan.id
        before = self.intents.get(plan)
        self.intents[plan] = intent
        task = asyncio.current_task()
        if before is None:
            self._opened(intent)
        elif before.state is not IntentState.OPEN:
            same = intent.state is before.state
            self.must(same, Promise.ONE_CHANGE, f"plan {plan} had ended and was taken up again")
        elif intent.writes > before.writes:
            self._counted[task] = Count(plan=plan, at=self.now, worker=worker_name.get())
        elif intent.state is IntentState.CONFIRMED:
            self._confirmed(intent)

    def _confirmed(self, intent: Intent) -> None:
        """One of the two readings may be late: the service shows old states for a while."""
        task = asyncio.current_task()
        readings = [r for r in (self._read.get(task), self._read_before.get(task)) if r]
        served = any(_same(reading.live, intent.plan.after) for reading in readings)
        how = f"plan {intent.plan.id} was confirmed on an endpoint that served something else"
        self.must(served, Promise.PROVEN_CURE, how)

    def _opened(self, intent: Intent) -> None:
        """A new intent: the kill switch was off when the command was received or later."""
        since = self._received.get(asyncio.current_task(), 0)
        late = self._switched is not None and self._switched <= since
        self.must(
            not late,
            Promise.RESTRAINT,
            f"plan {intent.plan.id} was intended although the kill switch was on when its"
            " command was received",
        )

    def _shown(self, snapshot: EndpointSnapshot) -> None:
        live = dict(self._outside.endpoints.traffic)
        task = asyncio.current_task()
        if task in self._read:
            self._read_before[task] = self._read[task]
        self._read[task] = Reading(turn=self._turn, shown=snapshot, live=live)

    def _arrived(self, body: dict[str, int]) -> None:
        """A write reached the endpoint: the moment at which most promises may break."""
        task = asyncio.current_task()
        count = self._counted.pop(task, None)
        plan = count.plan if count else ""
        intent = self.intents.get(plan)
        if intent is None:
            self.say(broken(Promise.INTENT_FIRST, f"{body} was sent, and no write was counted"))
            return
        self._check_alone(plan)
        self._check_body(intent, body)
        self._check_reading(intent, self._read.get(task))
        self._check_authority(intent)
        self._check_restraint(intent, self._read.get(task))
        self.sent.append(Sent(plan=plan, at=self.now))
        self._note(f"MOVES the traffic: {body}")

    def _check_alone(self, plan: str) -> None:
        """Nobody else is about to send the same plan inside his own lease."""
        rivals = [
            count
            for count in self._counted.values()
            if count.plan == plan and self.now - count.at < LEASE
        ]
        alone = all(count.worker in self._scheduler.dead for count in rivals)
        self.must(alone, Promise.ONE_CHANGE, f"two workers were sending plan {plan} at once")

    def _check_body(self, intent: Intent, body: dict[str, int]) -> None:
        same = body == intent.plan.after
        self.must(same, Promise.ONE_CHANGE, f"{body} was sent, the plan says {intent.plan.after}")
        few = sum(sent.plan == intent.plan.id for sent in self.sent) < 3
        self.must(few, Promise.ONE_CHANGE, f"plan {intent.plan.id} was sent a fourth time")

    def _check_reading(self, intent: Intent, reading: Reading | None) -> None:
        """What the writer read last is what the plan was made on, or the old traffic again."""
        plan = intent.plan
        if reading is None:
            self.say(broken(Promise.NO_STOMP, f"plan {plan.id} was sent without a reading"))
            return
        needed = not reading.shown.serves(plan.after)
        self.must(needed, Promise.ONE_CHANGE, f"plan {plan.id} was sent again, and was through")
        idle = reading.shown.state == "Succeeded"
        self.must(idle, Promise.NO_STOMP, f"plan {plan.id} was sent into somebody's operation")
        first = all(sent.plan != plan.id for sent in self.sent)
        same = reading.shown.fingerprint == plan.fingerprint
        fits = same if first and intent.writes == 1 else reading.shown.serves(plan.before)
        self.must(
            fits,
            Promise.NO_STOMP,
            f"plan {plan.id} was made on {plan.before}, and sent although {_seen(reading)}"
            " and somebody else had written since",
        )

    def _check_authority(self, intent: Intent) -> None:
        scene, plan = self._scene, intent.plan
        curable = scene.fault is Fault.VERSION
        said = self._is_approved(plan) or not scene.asks
        allowed = scene.mode in (Mode.AUTOMATIC, Mode.APPROVE) and said
        how = f"the mode is {scene.mode.value}{', and a person is asked for' * scene.asks}"
        self.must(allowed, Promise.AUTHORITY, how)
        self.must(curable, Promise.AUTHORITY, f"no move of traffic cures: {scene.fault.value}")
        loud = self.now >= NOW + scene.maintenance
        self.must(loud, Promise.AUTHORITY, "the owners are at it: a maintenance is on")
        good = max(plan.after, key=lambda name: plan.after[name])
        well = good not in self._outside.scoring.failing
        self.must(well, Promise.AUTHORITY, f"{good} fails its probes")
        self.must(plan.id in self._decided, Promise.AUTHORITY, f"nothing decided on plan {plan.id}")

    def _check_restraint(self, intent: Intent, reading: Reading | None) -> None:
        plan, policy = intent.plan.id, SERVICE.policy
        earlier = [NOW - timedelta(minutes=minutes) for minutes in self._scene.rollbacks]
        others = earlier + [sent.at for sent in self.sent if sent.plan != plan]
        ages = [(self.now - at).total_seconds() for at in others]
        cool = all(age >= policy.cooldown_s for age in ages)
        self.must(
            cool, Promise.RESTRAINT, f"the last rollback was {min(ages, default=0):.0f} s ago"
        )
        lately = sum(age < HOUR.total_seconds() for age in ages)
        seldom = lately < policy.max_rollbacks_per_hour
        self.must(seldom, Promise.RESTRAINT, f"{lately} rollbacks in the hour before")
        on = self._switched is not None and reading is not None and self._switched < reading.turn
        self.must(not on, Promise.RESTRAINT, "the kill switch was on before the last look")
        frozen = self._frozen is not None and reading is not None and self._frozen < reading.turn
        said = self._is_approved(intent.plan)
        self.must(not frozen or said, Promise.RESTRAINT, "changes were frozen before the last look")

    def _check_ends(self) -> None:
        for intent in self.intents.values():
            open_for = self.now - intent.opened_at
            late = intent.state is IntentState.OPEN and open_for > LEASE + self.grace
            self.must(
                not late, Promise.INTENT_ENDS, f"plan {intent.plan.id} is open for {open_for}"
            )

    def _heard(self, said: ApprovalRequest | Ruling) -> None:
        """A plan waits for people, or somebody decided: by the role, and once a request."""
        if isinstance(said, ApprovalRequest):
            self._requests[said.nonce] = said
        else:
            self._ruled(said)

    def _ruled(self, ruling: Ruling) -> None:
        self._rulings.append(ruling)
        request = self._requests[ruling.nonce]
        same = [one for one in self._rulings if one.nonce == ruling.nonce]
        self.must(len(same) == 1, Promise.AUTHORITY, "two people decided about one request")
        self.must(ruling.by in ENTITLED, Promise.AUTHORITY, f"{ruling.by} may not decide")
        own = ruling.by == request.requested_by
        self.must(not own, Promise.AUTHORITY, f"{ruling.by} decided about an own request")
        late = self.now >= request.expires_at + LATE
        self.must(not late, Promise.AUTHORITY, f"{ruling.by} decided after the request expired")

    def _is_approved(self, plan: Plan) -> bool:
        """Whether people approved this very plan; what was begun in time may end a lease later."""
        approved = [one for one in self._rulings if one.approved and one.plan_hash == plan.hash]
        ends = [self._requests[one.nonce].expires_at + LEASE for one in approved]
        return any(self.now < end for end in ends)

    def _decide(self, decision: Decision) -> None:
        if decision.verdict is Verdict.ROLL_BACK and decision.plan:
            self._decided.add(decision.plan.id)


def _seen(reading: Reading) -> str:
    return f"the endpoint was read as {reading.shown.traffic}"


def _same(one: dict[str, int], other: dict[str, int]) -> bool:
    return {k: v for k, v in one.items() if v} == {k: v for k, v in other.items() if v}
