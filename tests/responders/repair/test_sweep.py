"""Sweep: what Azure fired and nobody delivered comes in, once, by the webhook's own way."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from infra.local.alerts import LogAlert, stamp
from responders.alert.triage import triage
from responders.repair.sweep import sweep
from shared.domain.alerts.alert import Alert, parse_alert
from shared.domain.alerts.fired_alert import FIRST, SETTLED, subscription_of
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State
from shared.errors import Unavailable
from shared.protocol.intake import Delivery, accept, find_delivery, read_delivery
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import NOW, SERVICE, TARGET, incident_now, message, new_services, told

SUBSCRIPTION = subscription_of(TARGET)
NOTHING = Leftovers(messages={}, effects=[], intents=[])
EVERY_S = 300.0
AGO = timedelta(minutes=5)


@pytest.fixture
def services() -> FakeServices:
    return new_services(sweep_every_s=EVERY_S)


def fired(number: int = 1, **changes: Any) -> LogAlert:
    alert = LogAlert(
        number=f"00000000-0000-0000-0000-{number:012d}",
        rule=f"burn-{number}",
        target=TARGET,
        fired_at=NOW - AGO,
        dimensions={"region": "swedencentral"},
    )
    return msgspec.structs.replace(alert, **changes)


def posted(alert: LogAlert) -> Alert:
    """What the webhook tells of an alert."""
    return parse_alert(msgspec.json.encode(alert.body()), NOW)


def entry(alert: LogAlert, *, off: float = 2.0, **essentials: Any) -> dict[str, Any]:
    """What Alerts Management tells of it, with times that are a little off."""
    data = alert.body()["data"]
    posted = data["essentials"]
    late = timedelta(seconds=off)
    found = {
        "severity": posted["severity"],
        "signalType": posted["signalType"],
        "monitorCondition": posted["monitorCondition"],
        "monitorService": posted["monitoringService"],
        "targetResource": alert.target,
        "sourceCreatedId": posted["originAlertId"],
        "alertRule": f"/subscriptions/s/providers/microsoft.insights/rules/{alert.rule}",
        "startDateTime": stamp(alert.fired_at + late),
        "lastModifiedDateTime": stamp((alert.resolved_at or alert.fired_at) + late),
        **essentials,
    }
    if alert.resolved_at:
        found["monitorConditionResolvedDateTime"] = stamp(alert.resolved_at + late)
    return {
        "id": f"{alert.target}/providers/Microsoft.AlertsManagement/alerts/{alert.number}",
        "name": alert.rule,
        "properties": {"essentials": found, "context": data["alertContext"]},
    }


def list_in_azure(services: FakeServices, *entries: object) -> None:
    """Alerts Management knows these, in this order."""
    services.outside.fired_alerts.entries[SUBSCRIPTION] = list(entries)


def deliveries(services: FakeServices) -> list[Delivery]:
    table = services.deliveries
    return [
        table.peek(partition, row, Delivery)
        for partition in table.partitions()
        for row in table.rows(partition)
    ]


async def test_what_never_arrived_is_taken_in_and_triaged(services: FakeServices) -> None:
    list_in_azure(services, entry(fired()))

    await sweep(services, NOTHING)

    (delivery,) = deliveries(services)
    assert (delivery.source, delivery.pending) == ("sweep", True)
    assert delivery.alert.correlation_key == posted(fired()).correlation_key
    await triage(services, message("triage", delivery.key))
    settled = (await read_delivery(services, delivery.key)).value
    assert (settled.state, settled.source) == ("opened", "sweep")


async def test_a_new_process_looks_back_to_where_the_last_one_ended(
    services: FakeServices,
) -> None:
    await sweep(services, NOTHING)
    services.outside.wait(3 * 3_600)
    fired_while_nobody_lived = fired(fired_at=NOW + timedelta(minutes=10))
    list_in_azure(services, entry(fired_while_nobody_lived))

    await sweep(services.another("two"), NOTHING)

    assert [one.alert.rule for one in deliveries(services)] == ["burn-1"]


async def test_where_the_last_look_cannot_be_read_it_is_tried_again(
    services: FakeServices,
) -> None:
    list_in_azure(services, entry(fired()))
    services.outside.tables_out(True)
    await sweep(services, NOTHING)
    services.outside.tables_out(False)

    await sweep(services, NOTHING)

    assert len(deliveries(services)) == 1


async def test_a_look_whose_end_could_not_be_stored_is_ended_again(services: FakeServices) -> None:
    services.outside.turns.once("state.write", lambda: out_for_a_moment(services))
    await sweep(services, NOTHING)
    assert not services.memory.sweeps[SUBSCRIPTION].done

    services.outside.tables_out(False)
    await sweep(services, NOTHING)

    assert services.memory.sweeps[SUBSCRIPTION].done


async def out_for_a_moment(services: FakeServices) -> None:
    services.outside.tables_out(True)


async def test_what_was_found_is_told(services: FakeServices) -> None:
    list_in_azure(services, entry(fired()))

    await sweep(services, NOTHING)

    (event,) = told(services)
    (delivery,) = deliveries(services)
    assert (event.kind, event.service) == (EventKind.ALERT_SWEPT, "fnol-summary")
    assert event.evidence["delivery"] == delivery.key


@pytest.mark.parametrize("off", [0.0, 2.0, -2.0, 600.0])
async def test_what_arrived_is_not_taken_in_again_whatever_its_times(
    services: FakeServices, off: float
) -> None:
    known, _ = await accept(services, posted(fired()))
    list_in_azure(services, entry(fired(), off=off))

    await sweep(services.another("later"), NOTHING)

    assert [delivery.key for delivery in deliveries(services)] == [known]
    assert told(services) == []


@pytest.mark.parametrize("off", [-2.0, 2.0])
async def test_midnight_between_the_two_times_makes_no_difference(
    services: FakeServices, off: float
) -> None:
    services.outside.now = NOW.replace(hour=0, minute=4, second=0) + timedelta(days=1)
    midnight = services.now() - timedelta(minutes=4)
    alert = fired(fired_at=midnight - timedelta(seconds=off / 2))
    await accept(services, posted(alert))
    list_in_azure(services, entry(alert, off=off))

    await sweep(services.another("later"), NOTHING)

    assert len(deliveries(services)) == 1


async def test_it_is_taken_in_once_however_often_one_looks(services: FakeServices) -> None:
    list_in_azure(services, entry(fired()))
    for worker in (services, services, services.another("two")):
        await sweep(worker, NOTHING)
        services.outside.wait(EVERY_S)

    assert len(deliveries(services)) == 1
    assert len(told(services)) == 1


async def test_what_arrives_after_all_changes_nothing(services: FakeServices) -> None:
    list_in_azure(services, entry(fired()))
    await sweep(services, NOTHING)
    (delivery,) = deliveries(services)
    await triage(services, message("triage", delivery.key))
    opened = (await read_delivery(services, delivery.key)).value.incident

    late, _ = await accept(services, posted(fired()))
    await triage(services, message("triage", late))

    assert (await read_delivery(services, late)).value.incident == opened


async def test_killed_between_telling_and_taking_in_it_is_found_again(
    services: FakeServices,
) -> None:
    list_in_azure(services, entry(fired()))
    services.outside.turns.once("deliveries.write", die)
    with pytest.raises(Killed):
        await sweep(services, NOTHING)

    await sweep(services.another("reborn"), NOTHING)

    assert len(deliveries(services)) == 1
    assert len({event.id for event in told(services)}) == 1


async def test_an_alert_that_came_and_went_in_the_dark_opens_nothing(
    services: FakeServices,
) -> None:
    list_in_azure(services, entry(fired(resolved_at=NOW - timedelta(minutes=3))))

    await sweep(services, NOTHING)

    for command in list(services.bus.published["work"]):
        await triage(services, command)
    assert {delivery.state for delivery in deliveries(services)} == {"remembered", "suppressed"}


async def test_an_end_that_never_arrived_ends_the_incident(services: FakeServices) -> None:
    key, _ = await accept(services, posted(fired()))
    await triage(services, message("triage", key))
    incident = (await read_delivery(services, key)).value.incident
    list_in_azure(services, entry(fired(resolved_at=NOW - timedelta(minutes=3))))

    await sweep(services, NOTHING)

    (missing,) = [found for found in deliveries(services) if found.source == "sweep"]
    await triage(services, message("triage", missing.key))
    assert (await incident_now(services, incident)).state is State.RESOLVED


@pytest.mark.parametrize(
    ("alert", "essentials"),
    [
        (fired(target="/subscriptions/s/resourcegroups/r/providers/p/sites/brochure"), {}),
        (fired(), {"actionStatus": {"isSuppressed": True}}),
        (fired(fired_at=NOW - SETTLED + timedelta(seconds=5)), {}),
        (fired(fired_at=NOW - FIRST - timedelta(minutes=1)), {}),
    ],
    ids=["nobody's", "suppressed", "too young", "too old"],
)
async def test_what_is_not_ours_to_take_is_left(
    services: FakeServices, alert: LogAlert, essentials: dict[str, Any]
) -> None:
    list_in_azure(services, entry(alert, **essentials))

    await sweep(services, NOTHING)

    assert deliveries(services) == []


async def test_a_broken_entry_stops_nothing_and_is_said_once(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    list_in_azure(services, None, {"id": 7}, entry(fired()), [], entry(fired(2)))
    for _ in range(2):
        await sweep(services, NOTHING)
        services.outside.wait(EVERY_S)

    assert len(deliveries(services)) == 2
    assert sum("is no alert" in line for line in caplog.messages) == 3


async def test_every_page_is_read_but_not_what_is_older_than_the_look(
    services: FakeServices,
) -> None:
    new = [entry(fired(number)) for number in range(1, 60)]
    old = [entry(fired(100, fired_at=NOW - FIRST - AGO))] * 100
    list_in_azure(services, *new, *old)

    await sweep(services, NOTHING)

    assert len(deliveries(services)) == 59
    assert len(services.outside.fired_alerts.asked) == 3


async def test_what_may_not_be_asked_now_is_asked_at_the_next_tick(
    services: FakeServices,
) -> None:
    list_in_azure(services, *(entry(fired(number)) for number in range(1, 60)))
    for _ in range(4):
        services.outside.fired_alerts.allowed = 1
        await sweep(services, NOTHING)
        services.outside.wait(10)

    assert len(deliveries(services)) == 59
    assert [bool(after) for _, after in services.outside.fired_alerts.asked] == [False, True, True]


async def test_how_many_were_found_is_said_once(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    list_in_azure(services, entry(fired()), entry(fired(2)))
    for _ in range(5):
        await sweep(services, NOTHING)
        services.outside.wait(10)

    assert [line for line in caplog.messages if "had never arrived" in line] == [
        f"{SUBSCRIPTION}: 2 alert(s) had never arrived"
    ]


async def test_it_looks_again_after_a_while_and_not_before(services: FakeServices) -> None:
    for wait in (0, 10, EVERY_S - 20, 20):
        services.outside.wait(wait)
        await sweep(services, NOTHING)

    assert len(services.outside.fired_alerts.asked) == 2


@pytest.mark.parametrize("part", ["alerts", "tables"])
async def test_a_part_that_is_out_is_tried_again_from_the_same_place(
    services: FakeServices, part: str
) -> None:
    list_in_azure(services, *(entry(fired(number)) for number in range(1, 30)))
    services.outside.fired_alerts.allowed = 1
    await sweep(services, NOTHING)
    services.outside.fired_alerts.allowed = 1_000
    out = part == "tables"
    services.outside.tables_out(out)
    services.outside.fired_alerts.trouble = None if out else Unavailable("alerts", "out")
    await sweep(services, NOTHING)
    services.outside.tables_out(False)
    services.outside.fired_alerts.trouble = None

    await sweep(services, NOTHING)

    assert len(deliveries(services)) == 29


async def hang() -> None:
    await asyncio.Event().wait()


async def test_a_page_that_never_comes_holds_no_tick_and_is_asked_for_again(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.repair.sweep.PAGE_WITHIN_S", 0.01)
    list_in_azure(services, entry(fired()))
    services.outside.turns.once("alerts.page", hang)
    await sweep(services, NOTHING)
    assert services.memory.sweeps[SUBSCRIPTION].failures == 1
    monkeypatch.undo()

    await sweep(services, NOTHING)

    assert len(deliveries(services)) == 1


async def test_a_tick_that_has_no_time_left_goes_on_at_the_next(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_in_azure(services, *(entry(fired(number)) for number in range(1, 60)))
    monkeypatch.setattr("responders.repair.sweep.TICK_S", 0.0)
    await sweep(services, NOTHING)
    assert services.outside.fired_alerts.asked == []
    monkeypatch.undo()

    await sweep(services, NOTHING)

    assert len(deliveries(services)) == 59


async def test_a_subscription_that_does_not_answer_holds_up_no_other(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.repair.sweep.PAGE_WITHIN_S", 0.05)
    first = "/subscriptions/0/resourcegroups/r/providers/p/sites/other"
    services.outside.catalog = msgspec.structs.replace(
        services.catalog, broken_targets={first: "other"}
    )
    list_in_azure(services, entry(fired()))
    services.outside.turns.once("alerts.page", hang)

    await sweep(services, NOTHING)

    assert services.memory.sweeps["0"].failures == 1
    assert len(deliveries(services)) == 1


async def test_what_several_services_own_is_taken_in(services: FakeServices) -> None:
    twin = msgspec.structs.replace(SERVICE, name="twin")
    services.outside.catalog = catalog_of(SERVICE, twin)
    list_in_azure(services, entry(fired()))

    await sweep(services, NOTHING)

    (event,) = told(services)
    assert event.service == ""
    assert len(deliveries(services)) == 1


async def test_a_place_that_always_fails_is_given_up(services: FakeServices) -> None:
    services.outside.fired_alerts.trouble = Unavailable("alerts", "403")
    for _ in range(10):
        await sweep(services, NOTHING)
        services.outside.wait(10)

    assert len(services.outside.fired_alerts.asked) == 3


async def test_it_can_be_turned_off(services: FakeServices) -> None:
    off = new_services(sweep_every_s=0.0)
    list_in_azure(off, entry(fired()))

    await sweep(off, NOTHING)

    assert off.outside.fired_alerts.asked == []


async def test_another_telling_is_the_same_delivery(services: FakeServices) -> None:
    known, _ = await accept(services, posted(fired()))
    telling = msgspec.structs.replace(
        posted(fired()), delivery_key=posted(fired()).identity + 16 * "0"
    )

    assert await find_delivery(services.another("two"), telling) == known
    assert await find_delivery(services, posted(fired(2))) == ""
