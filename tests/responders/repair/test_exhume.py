"""Exhume: a dead letter is told once, with a page, and stays where it is."""

import json
from pathlib import Path

import pytest

from responders.people.page import page_all_due
from responders.repair import exhume as exhuming
from responders.repair.exhume import AT_ONCE, EVERY_S, exhume
from responders.repair.quarantine import resubmit
from shared.domain.message import CHANGES, SUBSCRIPTIONS, WORK
from shared.domain.views.http import Request
from shared.protocol.kept import count_waiting, list_kept
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.listing import open_incidents
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import NOW, kinds, message, new_services

NOTHING = Leftovers(messages={}, effects=[], intents=[])
TOPOLOGY = Path(__file__).parents[3] / "infra" / "servicebus.json"


@pytest.fixture
def services() -> FakeServices:
    return new_services(pager_keys={"duty": "key of duty"})


async def look(services: FakeServices) -> None:
    await exhume(services, NOTHING)


async def look_later(services: FakeServices) -> None:
    services.outside.wait(EVERY_S)
    await look(services)


def bury(services: FakeServices, count: int = 1, subscription: str = "responder") -> None:
    for number in range(count):
        letter = message("triage", f"key {number}")
        services.bus.bury(WORK, subscription, letter, NOW)


def test_every_subscription_is_looked_at() -> None:
    (namespace,) = json.loads(TOPOLOGY.read_text())["UserConfig"]["Namespaces"]
    made = {
        (topic["Name"], subscription["Name"])
        for topic in namespace["Topics"]
        for subscription in topic["Subscriptions"]
    }
    assert set(SUBSCRIPTIONS) == made


@pytest.mark.parametrize(("topic", "subscription"), SUBSCRIPTIONS)
async def test_a_dead_letter_is_kept_told_and_paged(
    services: FakeServices, topic: str, subscription: str
) -> None:
    services.bus.bury(topic, subscription, message("x", "key"), NOW)

    await look(services)

    (found,), _ = await list_kept(services)
    assert (found.kind, found.source) == ("dead-letter", f"{topic}/{subscription}")
    assert found.reason == "MaxDeliveryCountExceeded"
    assert kinds(services) == ["incident.opened", "input.quarantined"]
    await page_all_due(services, await find_leftovers(services))
    assert services.pager.did() == [("key of duty", "trigger")]


async def test_it_stays_in_its_queue_and_is_told_once(services: FakeServices) -> None:
    bury(services)
    for _ in range(3):
        await look_later(services)

    assert len(services.bus.buried[WORK, "responder"]) == 1
    assert kinds(services).count("input.quarantined") == 1


async def test_it_is_not_looked_at_every_tick(services: FakeServices) -> None:
    await look(services)
    bury(services)
    services.outside.wait(EVERY_S / 2)

    await look(services)

    assert services.outside.turns.passed.count("work.peek") == 2


async def test_one_subscription_that_does_not_answer_leaves_the_others_alone(
    services: FakeServices,
) -> None:
    async def go_out() -> None:
        services.bus.out = True
        services.outside.turns.once("changes.peek", come_back)

    async def come_back() -> None:
        services.bus.out = False

    services.outside.turns.once("work.peek", go_out)
    services.bus.bury(CHANGES, "record", message("x", "key"), NOW)

    await look(services)

    assert await count_waiting(services, 10) == 1


async def test_many_are_told_some_at_every_tick_and_wake_once(services: FakeServices) -> None:
    bury(services, 3 * AT_ONCE - 5)
    for _ in range(4):
        services.outside.wait(2)
        await look(services)

    assert await count_waiting(services, 500) == 3 * AT_ONCE - 5
    assert len(await open_incidents(services)) == 1


async def test_letters_that_this_process_knows_cost_no_reads(services: FakeServices) -> None:
    bury(services, 4)
    await look_later(services)
    before = services.outside.turns.passed.count("state.read")

    await look_later(services)

    assert services.outside.turns.passed.count("state.read") == before


async def test_a_look_that_sees_no_end_says_so_once_in_the_incident_and_in_the_log(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exhuming, "MOST", 3)
    bury(services, 5)
    for _ in range(3):
        await look_later(services)

    (incident,) = await open_incidents(services)
    assert "3 dead letters or more in work/responder" in incident.sentence
    assert "nobody sees what comes later" in incident.sentence
    assert "3 dead letters or more in work/responder" in caplog.text
    assert kinds(services).count("incident.noted") == 1


async def test_what_comes_back_after_a_resubmit_is_told_again(services: FakeServices) -> None:
    bury(services)
    await look_later(services)
    (found,), _ = await list_kept(services)
    asked = Request(method="POST", path={"id": found.id}, body=b"{}", caller=person())
    await resubmit(services, asked)
    services.bus.bury(WORK, "responder", message("triage", "key 0"), services.now())

    await look_later(services)

    (found,), _ = await list_kept(services)
    assert (found.state, found.times) == ("kept", 2)


async def test_what_is_known_hides_nothing_that_is_new(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exhuming, "AT_ONCE", 2)
    bury(services, 4)
    for _ in range(4):
        await look_later(services)
    services.bus.bury(WORK, "responder", message("triage", "the newest"), NOW)

    await look_later(services)

    assert await count_waiting(services, 10) == 5
