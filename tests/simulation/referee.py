"""The referee: sees every effect the moment it happens and says which promise it breaks.

It stands behind the fakes, where nothing of Backstop's own bookkeeping can deceive it: what was
shown to whom, what was stored before what, when a person turned the kill switch. The first breach
ends the run.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, override

import msgspec

from shared.domain.catalog import Mode
from shared.domain.control import KillSwitch
from shared.domain.decision import Decision, Verdict
from shared.domain.endpoint import EndpointSnapshot
from shared.domain.event import ChangeEvent
from shared.domain.incident import Incident
from shared.domain.intent import Intent, IntentState
from shared.domain.ledger import LedgerRow
from shared.domain.row import Put, Write
from shared.protocol.leftovers import Effect
from tests.fakes.services import Outside
from tests.simulation.promises import Broken, Promise, broken
from tests.simulation.scenario import NOW, SECRETS, SERVICE
from tests.simulation.scene import Fault, Scene
from tests.simulation.scheduler import Scheduler, worker_name

GRACE = timedelta(minutes=2)
LEASE = timedelta(seconds=120)
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


class Referee:
    """Watches one world. `verdict` is the first breach, "" as long as there is none."""

    def __init__(self, outside: Outside, scheduler: Scheduler, scene: Scene) -> None:
        self.verdict = ""
        self.promised: set[str] = set()
        self.events: dict[str, ChangeEvent] = {}
        self.incidents: dict[str, Incident] = {}
        self.intents: dict[str, Intent] = {}
        self.sent: list[Sent] = []
        self.told: Counter[str] = Counter()
        self.told_at: list[float] = []
        self.over: Callable[[], None] = lambda: None
        self.notes = False
        self.grace = GRACE  # behind the lease, for an intent to end
        self._outside = outside
        self._scheduler = scheduler
        self._scene = scene
        self._read: dict[Any, Reading] = {}
        self._read_before: dict[Any, Reading] = {}
        self._received: dict[Any, int] = {}
        self._counted: dict[Any, Count] = {}
        self._sending: dict[Any, Effect] = {}
        self._decided: set[str] = set()
        self._recorded: set[str] = set()
        self._switched: int | None = 0 if scene.switch_on else None

    def watch(self) -> None:
        """Begin to watch."""
        outside = self._outside
        outside.state.seen = self._stored
        outside.deliveries.seen = self._delivered
        outside.ledger.seen = self._ledgered
        outside.endpoints.shown = self._shown
        outside.endpoints.arrived = self._arrived
        outside.teams.read = self._posted
        outside.pager.read = self._paged

    @property
    def now(self) -> datetime:
        """The time of the simulated world."""
        return NOW + timedelta(seconds=self._scheduler.now())

    def say(self, breach: Broken) -> None:
        """Note a breach, the first one only, and end the run."""
        if not self.verdict:
            self.verdict = str(breach)
            self._scheduler.tell("referee", self.verdict)
            self.over()

    def must(self, holds: object, promise: Promise, how: str) -> None:
        """Say that a promise is broken where it does not hold."""
        if not holds:
            self.say(broken(promise, how))

    def received(self) -> None:
        """A consumer took a message: what it decides rests on what was so then or later."""
        self._received[asyncio.current_task()] = self._turn

    def answered(self, delivery: str) -> None:
        """An alert was answered 202."""
        partition = delivery[:8]
        there = delivery in self._outside.deliveries.rows(partition, delivery)
        self.must(there, Promise.DURABLE, f"delivery {delivery} was answered and is not stored")
        self.promised.add(delivery)

    def read_line(self, line: str) -> None:
        """A line was logged."""
        self._search("a log line", line)

    @property
    def _turn(self) -> int:
        return len(self._scheduler.passed)

    def _stored(self, _partition: str, writes: Sequence[Write]) -> None:
        self._note(in_words(writes))
        for write in writes:
            if isinstance(write, Put):
                self._look_at(write.value)
        self._check_ends()

    def _look_at(self, value: msgspec.Struct) -> None:
        match value:
            case Intent():
                self._intended(value)
            case ChangeEvent():
                self.events[value.id] = value
                self._note(f"TELLS {value.what}: {value.why}")
            case Incident():
                self._changed(value)
            case Decision() if value.verdict is Verdict.ROLL_BACK and value.plan:
                self._decided.add(value.plan.id)
            case KillSwitch():
                self._switched = self._turn if value.on else None
            case Effect() if value.sending_until is not None:
                self._sending[asyncio.current_task()] = value
            case _:
                pass

    def _note(self, what: str) -> None:
        """Show in the trace what changed."""
        if self.notes:
            self._scheduler.tell("", what)

    def _delivered(self, _partition: str, writes: Sequence[Write]) -> None:
        self._note(in_words(writes))

    def _changed(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self.must(
            incident.automatic_rollbacks <= 1,
            Promise.RESTRAINT,
            f"{incident.id} was rolled back automatically {incident.automatic_rollbacks} times",
        )

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
            f"plan {plan.id} was made on {plan.before}, and sent although {self._seen(reading)}"
            " and somebody else had written since",
        )

    def _check_authority(self, intent: Intent) -> None:
        scene, plan = self._scene, intent.plan
        curable = scene.fault is Fault.VERSION
        self.must(
            scene.mode is Mode.AUTOMATIC, Promise.AUTHORITY, f"the mode is {scene.mode.value}"
        )
        self.must(curable, Promise.AUTHORITY, f"no move of traffic cures: {scene.fault.value}")
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

    def _check_ends(self) -> None:
        for intent in self.intents.values():
            open_for = self.now - intent.opened_at
            late = intent.state is IntentState.OPEN and open_for > LEASE + self.grace
            self.must(
                not late, Promise.INTENT_ENDS, f"plan {intent.plan.id} is open for {open_for}"
            )

    def _ledgered(self, _partition: str, writes: Sequence[Write]) -> None:
        self._note(in_words(writes))
        for row in _values(writes, LedgerRow):
            twice = row.event_id in self._recorded
            self.must(not twice, Promise.LEDGER, f"event {row.event_id} is recorded twice")
            self._recorded.add(row.event_id)
            self._search("a ledger record", row.body)

    def _posted(self, card: dict[str, Any]) -> None:
        self._tell("card", msgspec.json.encode(card).decode())

    def _paged(self, page: dict[str, Any]) -> None:
        self._tell("page", msgspec.json.encode(page).decode())

    def _tell(self, what: str, text: str) -> None:
        effect = self._sending.get(asyncio.current_task())
        name = f"{effect.incident} {effect.name}" if effect else f"direct {what}"
        self.told[name] += 1
        if SERVICE.title in text:  # and not about the bad input that came, too
            self.told_at.append(self._scheduler.now())
        self._search(f"a {what}", text)
        self._note(f"SENDS {name}")

    def _search(self, where: str, text: str) -> None:
        for name, secret in SECRETS.items():
            self.must(secret not in text, Promise.NO_SECRET, f"{name} is in {where}: {text[:200]}")

    def _seen(self, reading: Reading | None) -> str:
        return f"the endpoint was read as {reading.shown.traffic}" if reading else "nobody read it"


def in_words(writes: Sequence[Write]) -> str:
    """Which kinds of rows a transaction stores and takes away."""
    stored = Counter(write.row.partition("|")[0] for write in writes if isinstance(write, Put))
    gone = Counter(write.row.partition("|")[0] for write in writes if not isinstance(write, Put))
    parts = (("stores", stored), ("takes away", gone))
    return "; ".join(f"{word} {_listed(kinds)}" for word, kinds in parts if kinds)


def _listed(kinds: Counter[str]) -> str:
    return ", ".join(f"{name} x {n}" if n > 1 else name for name, n in sorted(kinds.items()))


class LogReader(logging.Handler):
    """Hands every line that Backstop logs to the referee."""

    def __init__(self, referee: Referee) -> None:
        super().__init__()
        self._referee = referee

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._referee.read_line(record.getMessage())


def _values[T](writes: Iterable[Write], kind: type[T]) -> Iterable[T]:
    return (w.value for w in writes if isinstance(w, Put) and isinstance(w.value, kind))


def _same(one: dict[str, int], other: dict[str, int]) -> bool:
    return {k: v for k, v in one.items() if v} == {k: v for k, v in other.items() if v}
