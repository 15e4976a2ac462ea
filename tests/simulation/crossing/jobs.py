"""Jobs and requests that the spine's world has not, or has no cause for: crossed one by one.

Each has a scene of its own. It is run and struck at one call; then another process runs it again,
as the next tick or the person would, until it goes through.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from responders.evidence.record import record
from responders.repair.relay import relay
from shared.domain.ledger.record import LedgerRow
from shared.domain.message import CHANGES, WORK
from shared.errors import BackstopError, Conflict, Unavailable
from shared.protocol.intake import relay_deliveries
from shared.protocol.leftovers import find_leftovers
from shared.settings import Settings
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import (
    KEYS,
    NOW,
    SERVICE,
    SNAPSHOT,
    told,
)
from tests.fakes.services import Outside, make_settings
from tests.fakes.turns import Interference
from tests.simulation.crossing.blows import ANSWERS, DEADLY, EFFECTS, Blow

TRIES = 4
TICKS = 16  # until each partition has been looked at

type Do = Callable[[FakeServices], Awaitable[object]]


async def _nothing(_: FakeServices) -> None:
    return None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is run, what was so before, and what else `holds` at the end.

    A person who asks twice may be told of twice. `holds` asserts, may go on as the product would,
    and answers what must be the same as without a strike. `at_its_time` is what names its commands
    by when it was done: they are counted.
    """

    name: str
    prepare: Do
    run: Do
    by_a_person: bool = False
    at_its_time: bool = False
    holds: Do = _nothing


class Struck(msgspec.Struct, frozen=True, kw_only=True):
    """Its calls by turns, counted from the job's first, and what is true at the end.

    `at_once` is whether it went through the first time, `told` how often each kind was told of.
    """

    calls: list[tuple[int, str]]
    at_once: bool
    told: Mapping[str, int]
    end: Mapping[str, object]


async def cross(job: Job, turn: int = 0, blow: Blow | None = Blow.OUT) -> Struck:
    """Run a job, struck at a turn; 0 strikes nothing.

    Without a blow the SDK hears no answer, sends the write again, and meets its own.
    """
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE])
    services = FakeServices(outside, _settings())
    await job.prepare(services)
    first = len(outside.turns.passed)
    if turn:
        outside.turns.at(turn, _what_befalls(outside, blow))
    done = at_once = await _run(job, services)
    calls = outside.turns.passed[first:]
    outside.turns.forget()
    for number in range(TRIES):
        outside.wait(30)
        if done and job.by_a_person:
            break
        done = await _run(job, services.another(f"later {number}"))
    outside.wait(30)
    leftovers = await find_leftovers(services)
    await relay(services, leftovers)
    for number in range(TICKS):
        await relay_deliveries(services, msgspec.structs.replace(leftovers, turn=number))
    end, kinds = _end(job, services), _kinds(services)
    holds = await job.holds(services)
    end = {**end, "holds": holds}
    return Struck(calls=list(enumerate(calls, 1)), at_once=at_once, told=kinds, end=end)


def _settings() -> Settings:
    """With every job on, whatever it is that crosses."""
    keys = {**KEYS, "duty": "key of duty"}
    return make_settings(pager_keys=keys, sweep_every_s=300.0, budget_every_s=300.0)


def _what_befalls(outside: Outside, blow: Blow | None) -> Interference:
    async def trouble() -> None:
        raise Unavailable("a part", "does not answer", 1.0)

    async def its_own() -> None:
        outside.wait(1)
        raise Conflict("it is not the version that was read")

    if blow is None:
        return its_own
    return die if blow in DEADLY else trouble


async def _run(job: Job, services: FakeServices) -> bool:
    """Whether it went through."""
    try:
        await job.run(services)
    except (Killed, BackstopError):
        return False
    return True


def _end(job: Job, services: FakeServices) -> Mapping[str, object]:
    outside = services.outside
    tables = (outside.state, outside.deliveries)  # a pointer may lead nowhere, and is skipped
    rows = Counter(
        row.partition("|")[0] if "|" in row else "delivery"
        for table in tables
        for part in table.partitions()
        for row in table.rows(part)
    )
    kinds = _kinds(services)
    if job.by_a_person:
        return {"rows": sorted(set(rows)), "told": sorted(set(kinds))}
    work = {m.message_id for m in outside.bus.published[WORK]}
    return {"rows": rows, "told": kinds, "work": len(work) if job.at_its_time else work}


def _kinds(services: FakeServices) -> Counter[str]:
    """How often each kind of event was told of, whatever came twice."""
    return Counter({event.id: event.kind.value for event in told(services)}.values())


async def recorded(services: FakeServices) -> Counter[str]:
    """Let everything that was told be recorded; how often the ledger has each kind of event."""
    await record(services, services.outside.bus.published[CHANGES])
    ledger = services.outside.ledger
    found = [
        ledger.peek(part, row, LedgerRow)
        for part in ledger.partitions()
        for row in ledger.rows(part, "seq|")
    ]
    return Counter(row.kind for row in found)


def strikes(calls: list[tuple[int, str]]) -> list[tuple[int, str, Blow]]:
    """Every blow at every effect among the calls: at which turn, which effect."""
    found: list[tuple[int, str, Blow]] = []
    for number, call in calls:
        if call not in ANSWERS:
            continue
        found += [(number, EFFECTS[call], blow) for blow in (Blow.KILLED_BEFORE, Blow.OUT)]
        answers = [n for n, name in calls if n > number and name == ANSWERS[call]]
        found += [
            (n, EFFECTS[call], b) for n in answers[:1] for b in (Blow.KILLED_AFTER, Blow.UNHEARD)
        ]
    return found
