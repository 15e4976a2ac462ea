"""Alarm: a grave alert reaches a human although a part is out, and nobody twice for it.

Time is made up: what a story says to wait for happens without waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.alert.triage import triage
from shared.domain.alerts.alert import Alert
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Severity
from shared.domain.keys import shard_of_incident
from shared.domain.row import Put
from shared.errors import Misconfigured, RejectedInput, Unavailable
from shared.protocol.alarm.keeper import MOST, set_alarm, take_in, watch_deliveries
from shared.protocol.commit import read_incident
from shared.protocol.intake import Delivery, delivery_id, read_delivery
from shared.protocol.leftovers import find_leftovers
from shared.protocol.settle import settle
from tests.batteries.playing import Process, play, process
from tests.fakes import Outside
from tests.fakes.scene import KEYS, NOW, SERVICE, SNAPSHOT, fired, message
from tests.simulation.scheduler import Scheduler

ALERT = fired()
NOBODYS = "/subscriptions/s/resourcegroups/r/providers/microsoft.web/sites/brochure"
ACKNOWLEDGE_S = SERVICE.policy.acknowledge_within_s

type Story = Callable[[Outside], Awaitable[None]]


def tell(story: Story) -> None:
    """Play a story in a world of its own, on made-up time."""
    scheduler = Scheduler(1)
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE], turns=scheduler)

    async def main() -> None:
        await story(outside)

    play(scheduler, main)


def worker(outside: Outside, name: str = "one") -> Process:
    return process(outside, name, pager_keys=KEYS)


def woken(outside: Outside) -> list[str]:
    """Who was paged, in order."""
    return [body["routing_key"].removeprefix("key of ") for body in outside.pager.sent]


def names(outside: Outside) -> set[str]:
    """Under which names the pager knows the trouble."""
    return {body["dedup_key"] for body in outside.pager.sent}


async def post(services: Process, alert: Alert = ALERT) -> bool:
    """Whether it was taken in."""
    try:
        await take_in(services, alert)
    except Unavailable:
        return False
    return True


async def take(services: Process, alert: Alert = ALERT) -> Delivery:
    """Triage takes the alert; answer its delivery."""
    key = delivery_id(alert, services.now())
    await settle(services, "work", "responder", message("triage", key), triage)
    return (await read_delivery(services, key)).value


def test_without_tables_somebody_is_paged_and_it_is_no_delivery() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        assert not await post(worker(outside))
        await asyncio.sleep(1)
        assert woken(outside) == ["Ada"]
        assert outside.deliveries.partitions() == []

    tell(story)


def test_repeats_wake_nobody_again_at_one_worker_and_fold_at_the_pager_from_several() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        one, two = worker(outside), worker(outside, "two")
        for wait in (5, 20, 5, 40, 5):
            assert not await post(one)
            assert not await post(two)
            await asyncio.sleep(wait)
        assert woken(outside) == ["Ada", "Ada"]
        assert len(names(outside)) == 1

    tell(story)


def test_who_does_not_answer_is_followed_by_the_next_while_the_part_is_out() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        await post(worker(outside))
        await asyncio.sleep(2 * ACKNOWLEDGE_S + 30)
        assert woken(outside) == ["Ada", "Ben", "Cleo"]

    tell(story)


def test_when_the_tables_are_back_the_alert_is_taken_in_without_anybody_s_hand() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(60)
        outside.tables_out(False)
        await asyncio.sleep(6)
        delivery = await take(services)
        assert delivery.state == "opened"
        assert names(outside) == {delivery.incident}
        await asyncio.sleep(ACKNOWLEDGE_S + 60)
        assert woken(outside) == ["Ada"]  # from now on the incident's own pages go on
        assert services.memory.alarms == {}

    tell(story)


def test_who_was_just_woken_is_not_woken_again_for_the_same_target() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        for number in range(3):
            outside.tables_out(True)
            await post(services, fired(f"rule-{number}"))
            await asyncio.sleep(1)
            outside.tables_out(False)
            await asyncio.sleep(6)
            await post(services, fired(f"rule-{number}"))
            await take(services, fired(f"rule-{number}"))
            await asyncio.sleep(30)
        assert woken(outside) == ["Ada"]

    tell(story)


def test_the_same_target_s_next_trouble_is_paged_after_a_while_all_the_same() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        for number in range(2):
            outside.tables_out(True)
            await post(services, fired(f"rule-{number}"))
            await asyncio.sleep(1 + 120 * number)
            if number == 0:
                outside.tables_out(False)
                await asyncio.sleep(6)
                await take(services, fired("rule-0"))
                await asyncio.sleep(30)
        assert woken(outside) == ["Ada", "Ada"]
        assert len(names(outside)) == 2

    tell(story)


def test_what_was_paged_directly_is_told_in_the_incident() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(10)
        outside.tables_out(False)
        await asyncio.sleep(6)
        await take(services)
        await asyncio.sleep(30)
        (event,) = [e for e in told(outside) if e["kind"] == EventKind.PAGED_DIRECTLY]
        assert event["evidence"]["contacts"] == ["Ada"]
        assert "tables" in event["why"]

    tell(story)


@pytest.mark.parametrize("out", [True, False], ids=["bus out", "nobody triages"])
def test_what_triage_does_not_take_in_time_is_paged_directly(out: bool) -> None:
    async def story(outside: Outside) -> None:
        outside.bus.out = out
        assert await post(worker(outside))
        await asyncio.sleep(15)
        assert woken(outside) == []
        await asyncio.sleep(15)
        assert woken(outside) == ["Ada"]

    tell(story)


@pytest.mark.parametrize(("severity", "paged"), [(1, []), (3, ["Ada"])])
def test_a_target_with_an_open_incident_that_wakes_people_is_looked_after(
    severity: int, paged: list[str]
) -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        first = fired("first", severity=severity)
        await post(services, first)
        await take(services, first)
        outside.bus.out = True
        await asyncio.sleep(30)
        await post(services)
        await asyncio.sleep(60)
        assert woken(outside) == paged

    tell(story)


def test_what_triage_takes_in_time_is_its_own_to_page() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        await post(services)
        await asyncio.sleep(10)
        await take(services)
        await asyncio.sleep(60)
        assert woken(outside) == []
        assert services.memory.alarms == {}

    tell(story)


def test_a_process_that_begins_anew_goes_on_with_whom_its_predecessor_paged() -> None:
    async def story(outside: Outside) -> None:
        outside.bus.out = True
        dying = worker(outside)
        await post(dying)
        await asyncio.sleep(40)
        assert dying.errands.running("alarms")
        await dying.errands.close()
        reborn = worker(outside, "reborn")
        for _ in range(int(ACKNOWLEDGE_S / 10) + 6):
            await watch_deliveries(reborn, await find_leftovers(reborn))
            await asyncio.sleep(10)
        assert woken(outside) == ["Ada", "Ben"]

    tell(story)


def test_a_pager_that_is_out_too_is_tried_until_it_is_back() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        outside.pager.trouble = Unavailable("pager", "out")
        await post(worker(outside))
        await asyncio.sleep(60)
        outside.pager.trouble = None
        await asyncio.sleep(6)
        assert woken(outside) == ["Ada"]

    tell(story)


def test_a_pager_that_is_not_set_up_does_not_end_the_watch() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        outside.pager.trouble = Misconfigured("neither a pager nor a fallback webhook is set")
        services = worker(outside)
        await post(services)
        await asyncio.sleep(60)
        assert services.errands.running("alarms")

    tell(story)


def test_whom_the_pager_refuses_is_followed_at_once() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        outside.pager.refuses = {KEYS[SERVICE.contacts[0].pager]}
        await post(worker(outside))
        await asyncio.sleep(1)
        assert woken(outside) == ["Ben"]

    tell(story)


def test_a_pager_that_refuses_everybody_does_not_go_round_for_ever() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        outside.pager.refuses = set(KEYS.values())
        services = worker(outside)
        await post(services)
        await asyncio.sleep(600)
        (alarm,) = services.memory.alarms.values()
        assert len(alarm.incident.pages) == 3 * len(SERVICE.contacts)

    tell(story)


@pytest.mark.parametrize("alert", [fired(severity=2), fired(target=NOBODYS)])
def test_what_is_not_grave_waits_for_triage(alert: Alert) -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services, alert)
        assert services.memory.alarms == {}
        assert not services.errands.running("alarms")

    tell(story)


def test_a_storm_about_one_target_is_one_page() -> None:
    async def story(outside: Outside) -> None:
        outside.tables_out(True)
        services = worker(outside)
        for number in range(50):
            await post(services, fired(f"rule-{number}"))
        await asyncio.sleep(60)
        assert woken(outside) == ["Ada"]

    tell(story)


def test_there_are_never_more_alarms_than_a_process_can_look_after() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        for number in range(MOST + 50):
            other = msgspec.structs.replace(
                fired(f"rule-{number}"), targets=(f"{NOBODYS}{number}",)
            )
            set_alarm(services, graver(other), why="a test", at_once=True)
        assert len(services.memory.alarms) <= MOST

    tell(story)


def graver(alert: Alert) -> Alert:
    """The same, so grave that it wakes somebody even where nobody owns the target."""
    return msgspec.structs.replace(alert, severity=0)


def test_a_part_that_never_answers_is_as_one_that_is_out() -> None:
    async def story(outside: Outside) -> None:
        async def hang() -> None:
            await asyncio.sleep(10_000)

        services = worker(outside)
        outside.turns.once("deliveries.write", hang)
        assert not await post(services)

    tell_unscheduled(story)


def tell_unscheduled(story: Story) -> None:
    """Play a story whose turns can be interfered with."""
    scheduler = Scheduler(1)
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE])

    async def main() -> None:
        await story(outside)

    play(scheduler, main)


def test_bad_input_sets_no_alarm() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        oversized = msgspec.structs.replace(ALERT, delivery_key="a/b")  # no table takes such a key
        with pytest.raises(RejectedInput):
            await take_in(services, oversized)
        assert services.memory.alarms == {}

    tell(story)


async def take_first(services: Process, outside: Outside, first: Alert, **step: Any) -> str:
    """Somebody has opened an incident of the target; answer its id."""
    await post(services, first)
    incident = (await take(services, first)).incident
    await change(services, incident, **step)
    await asyncio.sleep(30)
    return incident


async def change(services: Process, incident: str, **changes: Any) -> None:
    stored = await read_incident(services, incident)
    value = msgspec.structs.replace(stored.value, **changes)
    await services.state.write(shard_of_incident(incident), [Put(row=stored.row, value=value)])


def ended_names(outside: Outside) -> set[str]:
    return {one["dedup_key"] for one in outside.pager.sent if one["event_action"] == "resolve"}


def test_a_page_under_a_name_that_no_incident_gets_is_ended_at_the_pager() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        opened = await take_first(services, outside, fired("first"))
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(10)
        (orphan,) = names(outside)
        outside.tables_out(False)
        await asyncio.sleep(6)
        assert (await take(services)).incident == opened != orphan
        await asyncio.sleep(30)
        assert ended_names(outside) == {orphan}
        assert all(one.is_settled for one in services.memory.alarms.values())

    tell(story)


def test_a_page_under_the_incident_s_name_is_the_incident_s_own() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(ACKNOWLEDGE_S + 10)
        outside.tables_out(False)
        await asyncio.sleep(6)
        opened = (await take(services)).incident
        await asyncio.sleep(30)
        incident = (await read_incident(services, opened)).value
        assert [page.contact for page in incident.pages] == ["Ada", "Ben"]
        assert ended_names(outside) == set()

    tell(story)


@pytest.mark.parametrize(
    ("changes", "paged"),
    [
        ({"acknowledged_at": NOW}, []),
        ({"acknowledged_at": NOW - timedelta(hours=12)}, ["Ada"]),
        ({"acknowledged_at": NOW, "firing": ()}, ["Ada"]),
    ],
    ids=["just now", "long ago", "it is over"],
)
def test_an_incident_that_takes_no_more_alerts_looks_after_none(
    changes: dict[str, Any], paged: list[str]
) -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        await take_first(services, outside, fired("first"), **changes)
        outside.bus.out = True
        await post(services)
        await asyncio.sleep(60)
        assert woken(outside) == paged

    tell(story)


@pytest.mark.parametrize("second", [fired("second"), fired("second", severity=0)])
def test_after_a_long_outage_every_alert_of_a_target_is_taken_in(second: Alert) -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(10)
        await post(services, second)
        await asyncio.sleep(3 * 3600)
        outside.tables_out(False)
        await asyncio.sleep(6)
        taken = [await take(services), await take(services, second)]
        assert [one.state for one in taken] == ["opened", "joined"]
        await asyncio.sleep(30)
        assert names(outside) == {taken[0].incident}

    tell(story)


def test_a_second_alert_keeps_whom_the_first_paged() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(10)
        await post(services, fired("second", severity=0))
        await asyncio.sleep(10)
        (alarm,) = services.memory.alarms.values()
        assert (alarm.incident.severity, woken(outside)) == (Severity.SEV0, ["Ada"])
        assert [page.contact for page in alarm.sent] == ["Ada"]

    tell(story)


def test_where_it_cannot_be_told_nobody_is_paged_and_it_is_told_later() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        await asyncio.sleep(ACKNOWLEDGE_S - 10)
        outside.tables_out(False)
        await asyncio.sleep(6)
        await take(services)
        outside.state.out = True
        await asyncio.sleep(60)
        assert woken(outside) == ["Ada"]
        outside.state.out = False
        await asyncio.sleep(10)
        assert [e["kind"] for e in told(outside)].count(EventKind.PAGED_DIRECTLY) == 1

    tell(story)


def test_a_keeper_that_died_is_followed_by_another_at_the_next_alert() -> None:
    async def story(outside: Outside) -> None:
        services = worker(outside)
        outside.tables_out(True)
        await post(services)
        assert services.errands.running("alarms")
        await services.errands.close()
        await post(services)
        await asyncio.sleep(1)
        assert woken(outside) == ["Ada"]

    tell(story)


def told(outside: Outside) -> list[dict[str, Any]]:
    return [msgspec.json.decode(one.body) for one in outside.bus.published["changes"]]
