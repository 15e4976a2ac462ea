"""Remind: a lost command is issued again, and a person is woken where that does not help."""

from datetime import timedelta

import pytest

from responders.alert.diagnose import diagnose
from responders.people.page import page_all_due
from responders.repair.remind import EVERY_S, remind
from shared.domain.incidents.incident import Severity, State
from shared.protocol.leftovers import Leftovers, find_leftovers
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import (
    INCIDENT,
    KEYS,
    NOW,
    incident_now,
    kinds,
    message,
    new_services,
    store_case,
)

NOTHING = Leftovers(messages={}, effects=[], intents=[])
LOST = 480  # longer than a diagnosis may be looked for
LONG = timedelta(minutes=9).total_seconds()


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made, state=State.OPENED, opened_at=NOW, severity=Severity.SEV3)
    return made


async def look_after(services: FakeServices, seconds: float) -> None:
    services.outside.wait(seconds)
    await remind(services, NOTHING)


async def test_a_command_that_is_on_its_way_is_not_repeated(services: FakeServices) -> None:
    await look_after(services, 60)

    assert services.bus.subjects("work") == []


async def test_a_lost_command_is_issued_again_once(services: FakeServices) -> None:
    for _ in range(4):
        await look_after(services, 150)

    (sent,) = services.bus.published["work"]
    assert (sent.subject, sent.body) == ("diagnose", INCIDENT.id)
    assert kinds(services) == ["incident.reminded"]


async def test_a_reminder_of_a_check_names_the_check(services: FakeServices) -> None:
    await store_case(services, state=State.VERIFYING, opened_at=NOW, checks=1)

    await look_after(services, 600)

    assert [one.body for one in services.bus.published["work"]] == [f"{INCIDENT.id}:2"]


async def test_the_incident_goes_on_then(services: FakeServices) -> None:
    await look_after(services, LOST)

    await diagnose(services, message("diagnose"))

    incident = await incident_now(services)
    assert incident.state is State.DIAGNOSED
    assert incident.reminders == 0


async def test_without_progress_a_person_is_woken(services: FakeServices) -> None:
    await look_after(services, LOST)
    await look_after(services, LONG)
    await page_all_due(services, await find_leftovers(services))

    incident = await incident_now(services)
    assert incident.state is State.ESCALATED
    assert "'diagnose' did not finish" in incident.sentence
    assert services.pager.did()[0] == (next(iter(KEYS.values())), "trigger")


async def test_two_processes_remind_once(services: FakeServices) -> None:
    other = services.another("two")
    services.outside.wait(LOST)
    services.outside.turns.once("state.write", lambda: remind(other, NOTHING))

    await remind(services, NOTHING)

    assert services.bus.subjects("work") == ["diagnose"]


async def test_a_process_that_dies_has_reminded_or_not_at_all(services: FakeServices) -> None:
    services.outside.wait(LOST)
    services.outside.turns.once("state.written", die)

    with pytest.raises(Killed):
        await remind(services, NOTHING)

    assert (await incident_now(services)).reminders == 1
    leftovers = await find_leftovers(services)
    waiting = [entry.message.subject for left in leftovers.messages.values() for entry in left]
    assert sorted(waiting) == ["diagnose", "incident.reminded"]


async def test_it_looks_now_and_then(services: FakeServices) -> None:
    await remind(services, NOTHING)
    before = services.outside.turns.passed.count("index.scan")

    await look_after(services, EVERY_S - 1)
    assert services.outside.turns.passed.count("index.scan") == before

    await look_after(services, 1)
    assert services.outside.turns.passed.count("index.scan") > before


async def test_a_signal_that_nobody_repeats_holds_no_incident_open_that_is_mitigated() -> None:
    services = new_services()
    heard = {"a signal's": NOW + timedelta(minutes=7)}
    await store_case(services, state=State.MITIGATED, firing=tuple(heard), heard=heard)

    await look_after(services, 419)
    assert (await incident_now(services)).state is State.MITIGATED

    await look_after(services, 61)
    assert (await incident_now(services)).state is State.RESOLVED
    assert kinds(services) == ["alert.resolved", "incident.resolved"]
