"""Shut out: a process that its tables keep out wakes a person, without them, once it has lasted."""

import asyncio

from responders.alert.triage import triage
from shared.domain.alerts.own import SHUT_OUT_AFTER
from shared.domain.incidents.incident import Severity
from shared.errors import Unavailable
from shared.protocol.alarm.shut_out import note_shut_out
from shared.protocol.commit import read_incident
from shared.protocol.intake import delivery_id, read_delivery
from shared.protocol.leftovers import find_leftovers
from shared.protocol.settle import settle
from tests.batteries.playing import Process, play, process
from tests.fakes import Outside
from tests.fakes.scene import NOW, SERVICE, SNAPSHOT, message
from tests.simulation.scheduler import Scheduler

DUTY = {"duty": "key of duty"}
TICK_S = 10.0
LASTS_S = SHUT_OUT_AFTER.total_seconds()


async def tick(services: Process) -> None:
    try:
        await find_leftovers(services)
    except Unavailable as error:
        await note_shut_out(services, error)


async def tick_for(services: Process, seconds: float) -> None:
    for _ in range(int(seconds / TICK_S)):
        await tick(services)
        await asyncio.sleep(TICK_S)


def new_outside() -> tuple[Outside, Scheduler]:
    scheduler = Scheduler(1)
    return Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE], turns=scheduler), scheduler


def titles(outside: Outside) -> set[str]:
    return {body["payload"]["summary"] for body in outside.pager.sent}


def test_a_role_that_was_taken_away_wakes_the_duty_officer() -> None:
    outside, scheduler = new_outside()

    async def main() -> None:
        services = process(outside, "one", pager_keys=DUTY)
        outside.state.refuses = True
        await tick_for(services, LASTS_S)
        assert outside.pager.sent == []
        await tick_for(services, 3 * TICK_S)

    play(scheduler, main)
    assert {body["routing_key"] for body in outside.pager.sent} == {"key of duty"}
    (title,) = titles(outside)
    assert "Backstop is refused by its own tables" in title
    (why,) = {body["payload"]["custom_details"]["paged"] for body in outside.pager.sent}
    assert why.endswith("the tables refused it")


def test_an_outage_that_is_soon_over_wakes_nobody_and_the_next_one_counts_anew() -> None:
    outside, scheduler = new_outside()

    async def main() -> None:
        services = process(outside, "one", pager_keys=DUTY)
        for _ in range(3):
            outside.tables_out(True)
            await tick_for(services, LASTS_S - TICK_S)
            outside.tables_out(False)
            await tick_for(services, TICK_S)

    play(scheduler, main)
    assert outside.pager.sent == []


def test_once_the_tables_answer_it_is_one_incident_that_says_what_it_was() -> None:
    outside, scheduler = new_outside()

    async def main() -> None:
        services = process(outside, "one", pager_keys=DUTY)
        outside.tables_out(True)
        await tick_for(services, LASTS_S + 3 * TICK_S)
        outside.tables_out(False)
        await asyncio.sleep(TICK_S)
        (told,) = services.memory.alarms.values()
        key = delivery_id(told.alerts[0], services.now())
        await settle(services, "work", "responder", message("triage", key), triage)
        taken = (await read_delivery(services, key)).value
        incident = (await read_incident(services, taken.incident)).value
        assert incident.title == "Backstop gets no answer from its own tables"
        assert incident.severity is Severity.SEV1
        assert {body["dedup_key"] for body in outside.pager.sent} == {incident.id}

    play(scheduler, main)
