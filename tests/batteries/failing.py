"""Failing: the whole spine, alert to card, while one call fails one to five times in a row.

What the adapters make of a trouble (`outages` holds them to it) is what the responders see here:
a part that is out, one that says when to come back, one that is slow, an effect whose answer is
lost, and a write that took effect and is told to have come second, because an SDK repeated it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import override

import msgspec

from shared.domain.event import EventKind
from shared.errors import Conflict, RejectedInput, Unavailable
from tests.batteries.playing import play
from tests.fakes.endpoints import Write
from tests.simulation.faults import Faults
from tests.simulation.scene import BAD_RELEASE
from tests.simulation.scheduler import OUTSIDE, Scheduler, worker_name
from tests.simulation.spine import Play, Run

SLOW_S = 6.5  # just within the deadline of the tables
PARTS = {
    **dict.fromkeys(("state", "deliveries", "ledger", "index"), "tables"),
    **dict.fromkeys(("work", "changes"), "bus"),
    "scoring": "endpoint",
}
# Alerts and pages may read alike, two processes may page directly and fold into one at the pager,
# and a decision of which nobody knows that it was stored is made anew, on what is so then.
MAY_RECUR = {
    EventKind.ALERT_JOINED,
    EventKind.PAGED,
    EventKind.PAGED_DIRECTLY,
    EventKind.PAGE_REFUSED,
    EventKind.DECIDED,
}
TABLES = ("state", "deliveries", "ledger", "index")


class Way(StrEnum):
    """How a call fails."""

    OUT = "is out"
    BUSY = "says to come back in 30 s"
    SLOW = "takes its time, and does it"
    LOST = "does it, and is not heard"
    SECOND = "does it, and says that somebody was first"
    REFUSED = "will never do it"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which one call fails, so many times in a row from one of its turns on."""

    call: str
    way: Way
    times: int
    first: int = 1

    @property
    def part(self) -> str:
        """The dependency that fails."""
        name = self.call.partition(".")[0]
        return PARTS.get(name, name)

    def says(self) -> str:
        """One line that tells it, and how to play it again."""
        where = f"from its turn {self.first} on, {self.times} in a row"
        return f"{self.call} {self.way.value} {where}: run({self!r})"


class Failing(Scheduler):
    """A scheduler whose cell strikes. The scene is set before anything fails."""

    def __init__(self, seed: int, cell: Cell) -> None:
        super().__init__(seed)
        self.struck = 0
        self.logs_out: Callable[[bool], None] = lambda _out: None
        self._cell = cell
        self._calls: Counter[str] = Counter()

    @override
    async def take(self, name: str) -> None:
        await super().take(name)
        if name != self._cell.call or self.paused or worker_name.get() == OUTSIDE:
            return
        self._calls[name] += 1
        turn, cell = self._calls[name], self._cell
        strikes = cell.first <= turn < cell.first + cell.times
        if name == "logs.query":
            self.logs_out(strikes and cell.way is not Way.SLOW)
        if strikes:
            self.struck += 1
            await self._strike(cell)

    async def _strike(self, cell: Cell) -> None:
        """Fail as an adapter does: the logs answer a status, all others raise."""
        if cell.way is Way.SLOW:
            await asyncio.sleep(SLOW_S)
        elif cell.way is Way.SECOND:
            raise Conflict("somebody else was first, says the service of our own write")
        elif cell.way is Way.REFUSED:
            raise RejectedInput(f"{cell.part}-refused", "403")
        elif cell.part != "logs":
            wait = 30.0 if cell.way is Way.BUSY else 5.0
            raise Unavailable(cell.part, cell.way.value, wait)


def faults_of(cell: Cell) -> Faults:
    """What the promises are to be lenient about: see `Rest`. Every third message comes twice.

    Where the tables fail at the mark that a card was sent, or its answer was lost, it comes twice.
    """
    lenient = cell.part == "tables" or cell.way in (Way.LOST, Way.BUSY)
    return Faults(again=3, outages=((cell.part, 0.0, 0.0),) if lenient else ())


def run(cell: Cell, seed: int = 0) -> tuple[str, int]:
    """Play a cell; what broke, and how often it struck."""
    scheduler = Failing(seed, cell)
    played = Play(seed, BAD_RELEASE, faults_of(cell), scheduler)

    def set_logs(out: bool) -> None:
        played.outside.logs.out = out  # type: ignore[attr-defined] # those of the scenario

    scheduler.logs_out = set_logs
    breach = play(scheduler, played.run).broken or _told_twice(played)
    return breach, scheduler.struck


def _told_twice(played: Play) -> str:
    """What the timelines tell twice, word for word, and should not."""
    events = Counter(
        (event.incident, event.kind.value, event.what, event.why, event.happened_at.isoformat())
        for event in played.referee.events.values()
        if event.kind not in MAY_RECUR
    )
    twice = [f"{incident} {kind}" for (incident, kind, *_), n in events.items() if n > 1]
    return f"told twice: {', '.join(twice)}" if twice else ""


def run_writes(fate: Write, times: int, seed: int = 0) -> Run:
    """Play the scene while the first writes to the endpoint meet a fate."""
    scheduler = Scheduler(seed)
    played = Play(seed, BAD_RELEASE, Faults(fates=(fate,) * times), scheduler)
    return play(scheduler, played.run)


def calls(seed: int = 0) -> Counter[str]:
    """How often each call is made when nothing fails."""
    scheduler = Scheduler(seed)
    played = Play(seed, BAD_RELEASE, Faults(), scheduler)
    trace = play(scheduler, played.run).trace
    return Counter(turn.call for turn in trace if turn.worker != OUTSIDE)


def ways_of(call: str) -> tuple[Way, ...]:
    """How a call of that name may fail; () where it is no call to a dependency."""
    name, _, verb = call.partition(".")
    match verb:
        case "written":
            return (Way.LOST, Way.SECOND) if name in TABLES else ()
        case "published" | "posted" | "sent":
            return (Way.LOST,)
        case "post" | "send" if name != "app_events":  # which knows one kind of failure
            return (Way.OUT, Way.BUSY, Way.SLOW, Way.REFUSED)
        case "publish" | "peek" | "query" | "probe":
            return (Way.OUT, Way.SLOW)
        case "read" | "scan" | "wait" | "send":
            return (Way.OUT, Way.BUSY, Way.SLOW)
        case "write" if name in TABLES:
            return (Way.OUT, Way.BUSY, Way.SLOW)
        case _:
            return ()
