"""Intake: an alert is durable before anybody is told so, and taken once."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.alerts.alert import Alert
from shared.domain.row import Put
from shared.errors import NotFound, Unavailable
from shared.protocol import intake
from shared.protocol.intake import PENDING, accept, delivery_id, read_delivery, relay_deliveries
from shared.protocol.leftovers import find_leftovers
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import NOW, ended, fired, new_services

ALERT = fired()
KEY = delivery_id(ALERT, NOW)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def tick(services: FakeServices, times: int = 1) -> None:
    for _ in range(times):
        await relay_deliveries(services, await find_leftovers(services))


def triaged(services: FakeServices) -> list[str]:
    return [message.body for message in services.bus.published["work"]]


async def test_a_new_alert_is_stored_and_handed_to_triage(services: FakeServices) -> None:
    assert await accept(services, ALERT) == (KEY, True)

    delivery = (await read_delivery(services, KEY)).value
    assert (delivery.alert, delivery.pending, delivery.state) == (ALERT, True, "accepted")
    assert triaged(services) == [KEY]


async def test_a_repeat_is_known_from_memory(services: FakeServices) -> None:
    await accept(services, ALERT)
    turns = len(services.outside.turns.passed)

    assert await accept(services, ALERT) == (KEY, False)
    assert len(services.outside.turns.passed) == turns


async def test_a_repeat_is_known_to_another_process_by_the_table(services: FakeServices) -> None:
    await accept(services, ALERT)

    assert await accept(services.another("two"), ALERT) == (KEY, False)
    assert triaged(services) == [KEY]


async def test_memory_forgets_the_oldest_and_the_table_still_knows(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "REMEMBERED", 2)
    for rule in ("a", "b", "c"):
        await accept(services, fired(rule))

    assert len(services.memory.durable) == 2
    assert await accept(services, fired("a")) == (delivery_id(fired("a"), NOW), False)


@pytest.mark.parametrize("days", [1, 2, 30])
async def test_a_repeat_is_known_when_relay_no_longer_looks_at_its_day(
    services: FakeServices, days: int
) -> None:
    await accept(services, ALERT)
    services.outside.wait(days * 86_400)
    later = services.another("two")

    assert [await accept(later, ALERT) for _ in range(2)] == [(KEY, False)] * 2
    assert triaged(services) == [KEY]


async def test_what_could_not_be_stored_is_not_promised(services: FakeServices) -> None:
    services.outside.tables_out(out=True)
    with pytest.raises(Unavailable):
        await accept(services, ALERT)
    services.outside.tables_out(out=False)

    assert await accept(services, ALERT) == (KEY, True)


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What another version has accepted."""

    alert: int = 1


async def test_a_delivery_that_cannot_be_read_holds_up_no_other(services: FakeServices) -> None:
    services.deliveries.lost_answers = 1
    with pytest.raises(Unavailable):
        await accept(services, ALERT)
    (partition,) = services.deliveries.partitions()
    foreign = Put(row="damaged", value=Foreign(), flags=(PENDING,))
    await services.deliveries.write(partition, [foreign])
    services.outside.wait(6)

    await tick(services, 4)

    assert triaged(services) == [KEY]


async def test_what_was_stored_unheard_is_a_repeat_and_is_relayed(services: FakeServices) -> None:
    services.deliveries.lost_answers = 1
    with pytest.raises(Unavailable):
        await accept(services, ALERT)
    assert await accept(services, ALERT) == (KEY, False)
    services.outside.wait(6)

    await tick(services, 4)

    assert triaged(services) == [KEY]


@pytest.mark.parametrize("number", [2, 3, 4])
async def test_killed_after_it_was_stored_an_alert_is_relayed(
    services: FakeServices, number: int
) -> None:
    services.outside.turns.at(number, die)
    with pytest.raises(Killed):
        await accept(services, ALERT)
    services.outside.wait(6)

    await tick(services, 4)

    assert set(triaged(services)) == {KEY}


@pytest.mark.parametrize("days", [2, 3, 8])
async def test_an_alert_that_nobody_took_for_days_is_relayed_by_whoever_is_started_then(
    services: FakeServices, days: int
) -> None:
    """The bus was out on Friday night, and the app until Monday."""
    services.bus.out = True
    await accept(services, ALERT)
    services.outside.wait(days * 86_400)
    services.bus.out = False

    await tick(services, 56)

    assert set(triaged(services)) == {KEY}


async def test_a_silent_bus_does_not_keep_the_caller(services: FakeServices) -> None:
    services.bus.out = True

    assert await accept(services, ALERT) == (KEY, True)


async def test_what_is_settled_is_relayed_no_more(services: FakeServices) -> None:
    await accept(services, ALERT)
    delivery = (await read_delivery(services, KEY)).value
    await intake.settle_delivery(services, delivery, state="opened", incident="INC", rule="new")
    services.outside.wait(6)

    await tick(services, 4)

    assert triaged(services) == [KEY]
    settled = (await read_delivery(services, KEY)).value
    assert (settled.pending, settled.state, settled.incident) == (False, "opened", "INC")


@pytest.mark.parametrize("days", [-400, -5, -1, 0, 1, 30])
async def test_an_end_is_relayed_however_long_ago_the_trouble_began(
    services: FakeServices, days: int
) -> None:
    end = msgspec.structs.replace(
        ended(ALERT),
        fired_at=NOW - timedelta(days=40),
        resolved_at=NOW + timedelta(days=days),
    )
    services.bus.out = True
    key, _ = await accept(services, end)
    services.bus.out = False
    services.outside.wait(6)

    await tick(services, 4)

    assert triaged(services) == [key]


@pytest.mark.parametrize("period", [1, 2, 4, 10, 15, 20, 30, 60])
async def test_every_partition_comes_up_however_often_one_looks(
    services: FakeServices, period: float
) -> None:
    services.bus.out = True
    alerts = [_with_first_digit(digit) for digit in "0123456789abcdef"]
    for alert in alerts:
        await accept(services, alert)
    services.bus.out = False
    services.outside.wait(6)

    for _ in range(5):
        services.outside.wait(period)
        await tick(services)

    assert set(triaged(services)) == {delivery_id(alert, NOW) for alert in alerts}


def _with_first_digit(digit: str) -> Alert:
    alert = fired(digit)
    return msgspec.structs.replace(alert, delivery_key=digit + alert.delivery_key[1:])


@pytest.mark.parametrize("key", ["261123-ffffffff", "", "nonsense"])
async def test_a_delivery_that_nobody_made_is_not_found(services: FakeServices, key: str) -> None:
    with pytest.raises(NotFound):
        await read_delivery(services, key)
