"""Strike: play the whole spine in order of arrival, with one or two of its effects struck.

Whose effect a call is, is read off the stack: from the responder down to the call. In order of
arrival a run goes the same way up to the first strike, so a turn's number names the same call in
the run that was recorded and in the one that is struck.
"""

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Mapping, Sequence
from enum import StrEnum
from types import FrameType
from typing import Any, override

import msgspec

from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incident import Incident
from shared.domain.intent import Intent
from shared.errors import Unavailable
from tests.fakes.endpoints import Write
from tests.fakes.services import Outside
from tests.simulation.crossing.effects import ROOMS, ROOT
from tests.simulation.faults import Faults
from tests.simulation.invariants import stored
from tests.simulation.loop import VirtualLoop
from tests.simulation.referee import LEASE
from tests.simulation.scenario import SHARD
from tests.simulation.scene import BAD_RELEASE
from tests.simulation.scheduler import OUTSIDE, Scheduler, worker_name
from tests.simulation.spine import Play, Run, _end_all

SEED = 7
COPIES_AT_S = 30.0
ANSWERS = {
    **{f"{table}.write": f"{table}.written" for table in ("state", "deliveries", "ledger")},
    "index.write": "index.written",
    "work.publish": "work.published",
    "changes.publish": "changes.published",
    "endpoint.write": "endpoint.written",
    "teams.post": "teams.posted",
    "pager.send": "pager.sent",
}
EFFECTS = {
    **{call: call for call in ANSWERS},
    "work.publish": "bus.publish",
    "changes.publish": "bus.publish",
    "endpoint.write": "endpoints.write_traffic",
}
LATER = {EventKind.PAGED_DIRECTLY.value}
OURS = tuple(f"{ROOT}/{room}/" for room in ROOMS)

# By whom of Backstop a task was begun: what its own stack does not show.
_begun_by: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("begun", default=())


class Blow(StrEnum):
    """What befalls a call."""

    KILLED_BEFORE = "the worker dies before it"
    KILLED_AFTER = "the worker dies after it"
    UNHEARD = "it happens, and the answer is lost"
    OUT = "the part does not answer, and nothing happened"


DEADLY = (Blow.KILLED_BEFORE, Blow.KILLED_AFTER)


class Again(StrEnum):
    """How messages come again."""

    AS_NEEDED = "when their lock runs out, or as the copy that settle orders"
    TWICE = "every one twice at once"
    LATE = "every one of the first half minute once more"


class Boundary(msgspec.Struct, frozen=True, kw_only=True):
    """One effect of one responder, and the way through the code to it."""

    way: tuple[str, ...]
    call: str

    @property
    def entry(self) -> str:
        """The responder, the job, or the part of the protocol that runs by itself."""
        return self.way[0]

    @property
    def effect(self) -> str:
        """In the words of the adapters."""
        return EFFECTS[self.call]

    def __str__(self) -> str:
        return f"{self.effect} of {' > '.join(self.way)}"


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A boundary that a run crossed, at which turns; `answer` is 0 where none was to be heard."""

    boundary: Boundary
    turn: int
    answer: int = 0


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """One call struck, as it was crossed in the run before."""

    crossing: Crossing
    blow: Blow

    @property
    def turn(self) -> int:
        """The turn at which it happens."""
        late = self.blow in (Blow.KILLED_AFTER, Blow.UNHEARD)
        return self.crossing.answer if late else self.crossing.turn

    def __str__(self) -> str:
        return f"{self.crossing.boundary}: {self.blow.value}"


class Watching(Scheduler):
    """Turns in order of arrival; notes every effect and strikes those it is told to."""

    def __init__(self, strikes: Sequence[Strike]) -> None:
        super().__init__(SEED, choices=())
        self.crossings: list[Crossing] = []
        self.outside: Outside | None = None
        self._spoiling = {s.crossing.turn: s.blow for s in strikes if s.blow not in DEADLY}
        self._failing = {s.turn: s.blow for s in strikes if s.blow not in DEADLY}
        self._begun: dict[object, int] = {}

    @override
    async def take(self, name: str) -> None:
        way = _way_here() if name in ANSWERS else ()
        await super().take(name)
        if self.paused or worker_name.get() == OUTSIDE:
            return
        turn = len(self.passed)
        self._note(way, name, turn)
        if name == "endpoint.write" and turn in self._spoiling:
            self._spoil_write(self._spoiling[turn])
        elif turn in self._failing and not name.startswith("endpoint."):
            raise Unavailable(name.partition(".")[0], self._failing[turn].value, 1.0)

    def _spoil_write(self, blow: Blow) -> None:
        assert self.outside is not None
        fate = Write.UNHEARD if blow is Blow.UNHEARD else Write.LOST
        self.outside.endpoints.fates.appendleft(fate)

    def _note(self, way: tuple[str, ...], name: str, turn: int) -> None:
        task = asyncio.current_task()
        if name in ANSWERS and way:
            self._begun[task] = len(self.crossings)
            boundary = Boundary(way=way, call=name)
            self.crossings.append(Crossing(boundary=boundary, turn=turn))
        elif name in ANSWERS.values() and task in self._begun:
            number = self._begun.pop(task)
            answered = msgspec.structs.replace(self.crossings[number], answer=turn)
            self.crossings[number] = answered


def _way_here() -> tuple[str, ...]:
    """The functions of Backstop that led here, the responder's first."""
    names, begun = _names_here(), _begun_by.get()
    if not begun:
        return names
    return begun[:1] + names if names else begun


def _names_here() -> tuple[str, ...]:
    frame: FrameType | None = sys._getframe(3)
    names: list[tuple[bool, str]] = []
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(OURS):
            names.append((path.startswith(OURS[0]), frame.f_code.co_name))
        frame = frame.f_back
    names.reverse()
    first = next((number for number, (responder, _) in enumerate(names) if responder), 0)
    return tuple(name for _, name in names[first:])


class WayLoop(VirtualLoop):
    """Lets a task that Backstop begins remember who began it."""

    @override
    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        context = options.pop("context", None) or contextvars.copy_context()
        context.run(_begun_by.set, _way_here())
        return super().create_task(coro, context=context, **options)


class StruckPlay(Play):
    """A play whose messages may all come once more."""

    again: Again = Again.AS_NEEDED

    @override
    def _actors(self) -> list[Awaitable[None]]:
        late = [self._copy_all()] if self.again is Again.LATE else []
        return [*super()._actors(), *late]

    async def _copy_all(self) -> None:
        await asyncio.sleep(COPIES_AT_S)
        for topic, messages in self.outside.bus.published.items():
            messages.extend(list(messages))
            assert self.outside.bus.heard is not None
            self.outside.bus.heard(topic)


class Struck(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, what it crossed, and what was true at its end."""

    run: Run
    crossings: list[Crossing]
    end: Mapping[str, object]


def play(strikes: Sequence[Strike] = (), again: Again = Again.AS_NEEDED) -> Struck:
    """Play the spine with these strikes."""
    watching = Watching(strikes)
    loop = WayLoop(watching.idle)
    watching.now = loop.time
    asyncio.set_event_loop(loop)
    try:
        played = StruckPlay(SEED, BAD_RELEASE, _faults(strikes, again), watching)
        played.again, watching.outside = again, played.outside
        # Whoever dies with the lease in its hands lets the next one wait for its end.
        played.referee.grace += LEASE * max(0, len(strikes) - 1)
        run = loop.run_until_complete(played.run())
        return Struck(run=run, crossings=watching.crossings, end=end_of(played.outside))
    finally:
        watching.silence()
        loop.run_until_complete(_end_all())
        asyncio.set_event_loop(None)
        loop.close()


def _faults(strikes: Sequence[Strike], again: Again) -> Faults:
    """The same in the words of the spine, so that it asks no more than can be kept."""
    kills = tuple(strike.turn for strike in strikes if strike.blow in DEADLY)
    others = len(strikes) - len(kills)
    # No turn has the number 0: it only says that answers are lost, for Watching loses them.
    return Faults(kills=kills, lost_answers=(0,) * others, again=int(again is Again.TWICE))


def end_of(outside: Outside) -> Mapping[str, object]:
    """What is true at the end, but for how many people had to be woken until then.

    That depends on how long it took, and is promised elsewhere.
    """
    incidents = stored(outside.state, SHARD, "incident|", Incident)
    events = stored(outside.state, SHARD, "event|", ChangeEvent)
    return {
        "incidents": [incident.state.value for incident in incidents],
        "alerts": [incident.alerts for incident in incidents],
        "rollbacks": [incident.automatic_rollbacks for incident in incidents],
        "intents": [i.state.value for i in stored(outside.state, SHARD, "intent|", Intent)],
        "traffic": outside.endpoints.traffic,
        "timeline": sorted({event.kind.value for event in events} - LATER),
        "sent": sorted(_sent(outside)),
    }


def _sent(outside: Outside) -> set[str]:
    names = {row.rpartition("|")[2] for row in outside.state.rows(SHARD, "effect|")}
    return {name for name in names if name == "page-0" or not name.startswith("page-")}
