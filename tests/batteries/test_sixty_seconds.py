"""A grave alert reaches a human within 60 s, whatever single part is out, and needs no hand after.

The part is out when the alert comes, or is lost a moment later, for ten minutes in all. Reaching
means that the pager accepted it; who does not acknowledge is followed by the next contact.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.domain.alerts.alert import Alert
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, State
from shared.domain.ledger.record import LedgerRow
from shared.protocol.intake import Delivery
from tests.batteries.playing import Broken, play, stored
from tests.batteries.soak import SOAK
from tests.batteries.town import Town
from tests.fakes.scene import NOW, SERVICE, SNAPSHOT, fired
from tests.fakes.services import Outside
from tests.simulation.scheduler import Scheduler

WITHIN_S = 60.0
OUT_S = 600.0
SEEDS = SOAK
PARTS = ("none", "tables", "bus", "logs", "endpoint", "teams", "pager")
ACKNOWLEDGE_S = SERVICE.policy.acknowledge_within_s
ALERT = fired()


def run(
    seed: int, story: Callable[[Town], Awaitable[None]], offs: tuple[float, ...] = (0, 0, 0, 0)
) -> str:
    """Play a story in a town of its own; answer what broke, "" for nothing."""
    scheduler = Scheduler(seed)
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE], turns=scheduler)

    async def main() -> str:
        town = Town(outside, scheduler, offs)
        town.start()
        try:
            await story(town)
        except Broken as error:
            return str(error)
        return town.crew.unforeseen[0] if town.crew.unforeseen else ""

    return play(scheduler, main)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("after_s", [0.0, 3.0, 300.0])
@pytest.mark.parametrize("part", PARTS)
def test_somebody_is_reached_in_time_and_the_next_contact_after_that(
    part: str, after_s: float, seed: int
) -> None:
    async def story(town: Town) -> None:
        town.crew.start("outside", town.lose(part, OUT_S))
        await asyncio.sleep(after_s)
        await reach(town)

    assert run(seed, story) == ""


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("before_s", [0.5, 5.0])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_lost_right_after_the_alert_makes_no_difference(
    part: str, before_s: float, seed: int
) -> None:
    async def story(town: Town) -> None:
        async def lose() -> None:
            await asyncio.sleep(before_s)
            await town.lose(part, OUT_S)

        town.crew.start("outside", lose())
        await reach(town)

    assert run(seed, story) == ""


async def reach(town: Town) -> None:
    """Post the alert and look who was woken, and what is there when all is over. Raises Broken."""
    began = asyncio.get_running_loop().time()
    town.crew.start("outside", posting(town))
    await asyncio.sleep(WITHIN_S)
    if town.first_page() - began > WITHIN_S:
        raise Broken("nobody was paged within 60 s")
    await asyncio.sleep(ACKNOWLEDGE_S + WITHIN_S)
    contacts = {contact for _, contact, _ in town.pager.sent}
    if not {"Ada", "Ben"} <= contacts:
        raise Broken(f"the second contact was not paged: {sorted(contacts)}")
    await asyncio.sleep(OUT_S + 300)
    check_rest(town)


async def posting(town: Town, alert: Alert = ALERT) -> None:
    await town.post(alert)


def check_rest(town: Town) -> None:
    """Nobody lent a hand: the alert is one incident, one name at the pager, and all is recorded."""
    incidents = stored(town.outside.state, "incident|", Incident)
    if len(incidents) != 1:
        raise Broken(f"one trouble made {len(incidents)} incidents")
    pending = [one.key for one in stored(town.outside.deliveries, "2", Delivery) if one.pending]
    if pending:
        raise Broken(f"deliveries were never taken: {pending}")
    if {name for _, _, name in town.pager.sent} != {incidents[0].id}:
        raise Broken("the pager knows the trouble by other names than its incident's")
    if left := [row for part in town.outside.state.partitions() for row in leftovers(town, part)]:
        raise Broken(f"something was left behind: {left}")
    told = {event.id for event in stored(town.outside.state, "event|", ChangeEvent)}
    recorded = {row.event_id for row in stored(town.outside.ledger, "seq|", LedgerRow)}
    if told - recorded:
        raise Broken(f"the ledger lacks {sorted(told - recorded)}")


def leftovers(town: Town, partition: str) -> list[str]:
    return town.outside.state.rows(partition, "~")


def direct_pages(town: Town) -> list[ChangeEvent]:
    events = stored(town.outside.state, "event|", ChangeEvent)
    return [event for event in events if event.kind is EventKind.PAGED_DIRECTLY]


@pytest.mark.parametrize(
    ("part", "direct"), [("none", False), ("logs", False), ("tables", True), ("bus", True)]
)
def test_only_what_triage_could_not_take_is_paged_directly_and_that_is_told(
    part: str, direct: bool
) -> None:
    async def story(town: Town) -> None:
        town.crew.start("outside", town.lose(part, 120.0))
        await reach(town)
        if bool(direct_pages(town)) is not direct:
            raise Broken(f"told of direct pages: {direct_pages(town)}")

    assert run(1, story) == ""


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("out_s", [300.0, 4_200.0])
@pytest.mark.parametrize("part", ["tables", "bus"])
def test_two_rules_about_one_target_are_one_trouble_and_neither_is_lost(
    part: str, out_s: float, seed: int
) -> None:
    second = fired("second", severity=0)

    async def story(town: Town) -> None:
        town.crew.start("outside", town.lose(part, out_s))
        began = asyncio.get_running_loop().time()
        town.crew.start("outside", posting(town))
        await asyncio.sleep(30)
        town.crew.start("outside", posting(town, second))
        await asyncio.sleep(out_s + 1_200)
        if town.first_page() - began > WITHIN_S:
            raise Broken("nobody was paged within 60 s")
        check_both(town, second)

    assert run(seed, story) == ""


def check_both(town: Town, second: Alert) -> None:
    """Both are in one incident, and the pager keeps no alert by another name. Raises Broken."""
    incidents = stored(town.outside.state, "incident|", Incident)
    keys = {key for incident in incidents for key in incident.correlation_keys}
    if len(incidents) != 1 or keys != {ALERT.correlation_key, second.correlation_key}:
        raise Broken(f"{len(incidents)} incidents have {len(keys)} of two alerts")
    orphans = {name for _, _, name in town.pager.sent} - town.pager.ended - {incidents[0].id}
    if orphans:
        raise Broken(f"the pager still has {sorted(orphans)}")


CLOCKS = [(-10, 10, 0, 0), (10, -10, -10, 10), (5, 5, -5, -5)]
LONG_S = 3_000.0  # what waits by a clock that is behind may wait twenty minutes longer
TIMED = {EventKind.PAGED, EventKind.PAGED_DIRECTLY, EventKind.REMINDED}  # how often is the clock's


@pytest.mark.parametrize("offs", CLOCKS, ids=str)
@pytest.mark.parametrize("part", ["none", "tables"])
def test_clocks_that_differ_by_twenty_minutes_change_neither_order_nor_end(
    part: str, offs: tuple[float, ...]
) -> None:
    ends: list[End] = []

    async def story(town: Town) -> None:
        town.crew.start("outside", town.lose(part, 120.0))
        began = asyncio.get_running_loop().time()
        town.crew.start("outside", posting(town))
        await asyncio.sleep(LONG_S)
        if town.first_page() - began > WITHIN_S:
            raise Broken("nobody was paged within 60 s")
        check_rest(town)
        ends.append(end_of(town))

    assert run(3, story) == ""
    assert run(3, story, offs) == ""
    assert ends[0] == ends[1]


type End = tuple[State, list[str], set[str]]


def end_of(town: Town) -> End:
    """How it ended: the incident's state, what happened to it in its order, who was paged."""
    (incident,) = stored(town.outside.state, "incident|", Incident)
    events = sorted(stored(town.outside.state, "event|", ChangeEvent), key=lambda e: e.sequence)
    if [event.sequence for event in events] != list(range(1, incident.sequence + 1)):
        raise Broken("the timeline has a gap or a double")
    happened = [event.kind.value for event in events if event.kind not in TIMED]
    return incident.state, happened, {contact for _, contact, _ in town.pager.sent}
