"""Strike: play the whole spine in order of arrival, with one or two of its effects struck.

In order of arrival a run goes the same way up to the first strike, so a turn's number names the
same call in the run that was recorded and in the one that is struck.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import override

import msgspec

from shared.domain.decisions.intent import Intent
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident
from shared.errors import Unavailable
from tests.fakes.endpoints import Write
from tests.fakes.services import Outside
from tests.simulation.crossing.blows import ANSWERS, DEADLY, Again, Blow, Boundary, Crossing, Strike
from tests.simulation.crossing.ways import WayLoop, way_here
from tests.simulation.faults import Faults
from tests.simulation.invariants import stored
from tests.simulation.referee import LEASE
from tests.simulation.scenario import SHARD
from tests.simulation.scene import BAD_RELEASE
from tests.simulation.scheduler import OUTSIDE, Scheduler, worker_name
from tests.simulation.spine import Play, Run, _end_all

SEED = 7
COPIES_AT_S = 30.0
LATER = {EventKind.PAGED_DIRECTLY.value}


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
        way = way_here() if name in ANSWERS else ()
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
