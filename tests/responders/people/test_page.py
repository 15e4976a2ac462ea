"""Page: the next person and the next, until somebody has it in hand; a refusal is loud."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.people.page import page, page_all_due
from shared.domain.event import ChangeEvent
from shared.domain.incidents.handling import acknowledge
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.incidents.steps import resolve
from shared.domain.noise.grouping import Group
from shared.domain.row import Put
from shared.domain.windows import Once
from shared.errors import NotFound, Unavailable
from shared.protocol.leftovers import find_leftovers
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices, Killed, catalog_of, die
from tests.fakes.scene import (
    INCIDENT,
    KEYS,
    SERVICE,
    SHARD,
    TARGET,
    incident_now,
    kinds,
    message,
    new_services,
    store_incident,
    told,
)
from tests.fakes.tables import MOST_BYTES

GROUP = Group(service=SERVICE.name, target=TARGET, incident=INCIDENT.id)
ADA, BEN, CLEO = KEYS.values()
DUTY = "key of duty"
WAIT = SERVICE.policy.acknowledge_within_s


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_incident(made)
    return made


async def run(services: FakeServices, incident: str = INCIDENT.id) -> None:
    await page(services, message("page", incident))


async def tick(services: FakeServices, seconds: float = 0) -> None:
    services.outside.wait(seconds)
    await page_all_due(services, await find_leftovers(services))


async def see(services: FakeServices) -> None:
    def take(incident: Incident) -> Revision:
        return Revision(step=acknowledge(incident, who="Ada", now=services.now()))

    await revise(services, INCIDENT.id, take)


async def end(services: FakeServices) -> None:
    def take(incident: Incident) -> Revision:
        return Revision(step=resolve(incident, who="Ada", why="cured", now=services.now()))

    await revise(services, INCIDENT.id, take)


async def test_the_first_contact_is_paged_at_once(services: FakeServices) -> None:
    await run(services)

    assert services.pager.did() == [(ADA, "trigger")]
    (sent,) = (await incident_now(services)).pages
    assert (sent.contact, sent.reason, sent.at) == ("Ada", "opened", services.now())
    assert kinds(services) == ["incident.paged"]


async def test_the_command_that_comes_again_pages_nobody_again(services: FakeServices) -> None:
    await run(services)
    await run(services.another("two"))
    await tick(services, 30)

    assert services.pager.did() == [(ADA, "trigger")]


async def test_the_ladder_is_climbed_until_all_are_paged_at_once(services: FakeServices) -> None:
    for _ in range(12):
        await tick(services, WAIT)

    keys = [key for key, _ in services.pager.did()]
    assert keys == [ADA, BEN, CLEO] * 3
    sent = (await incident_now(services)).pages
    assert sent[5].at - sent[0].at == 5 * timedelta(seconds=WAIT)
    assert len({one.at for one in sent[6:]}) == 1


async def test_who_has_seen_it_stops_the_ladder(services: FakeServices) -> None:
    await run(services)
    await see(services)

    await tick(services, WAIT)

    assert services.pager.did() == [(ADA, "trigger")]


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": Severity.SEV2},
        {"state": State.MITIGATED},
        {"state": State.RESOLVED},
    ],
)
async def test_nobody_is_woken_without_need(
    services: FakeServices, changes: dict[str, Any]
) -> None:
    await store_incident(services, **changes)

    await run(services)
    await tick(services)

    assert services.pager.sent == []


async def test_an_escalation_wakes_somebody_whatever_the_severity(
    services: FakeServices,
) -> None:
    await store_incident(services, severity=Severity.SEV3, state=State.ESCALATED)

    await run(services)

    assert services.pager.did() == [(ADA, "trigger")]


async def test_a_page_is_stored_before_it_is_sent(services: FakeServices) -> None:
    seen: list[int] = []

    async def look() -> None:
        seen.append(len((await incident_now(services)).pages))

    services.outside.turns.once("pager.send", look)
    await run(services)

    assert seen == [1]


async def test_two_at_once_page_one_contact_once(services: FakeServices) -> None:
    services.outside.turns.once("state.write", lambda: run(services.another("two")))

    await run(services)

    assert services.pager.did() == [(ADA, "trigger")]


@pytest.mark.parametrize("number", range(1, 12))
async def test_killed_anywhere_somebody_is_paged(services: FakeServices, number: int) -> None:
    services.outside.turns.at(number, die)
    with pytest.raises(Killed):
        await run(services)
    services.outside.turns.forget()

    await tick(services, 21)

    assert set(services.pager.did()) == {(ADA, "trigger")}
    assert len((await incident_now(services)).pages) == 1


async def test_a_pager_that_is_out_is_tried_again_by_the_tick(services: FakeServices) -> None:
    services.pager.trouble = Unavailable("pager", "503")
    with pytest.raises(Unavailable):
        await run(services)
    await tick(services, 21)
    services.pager.trouble = None

    await tick(services)

    assert services.pager.did() == [(ADA, "trigger")]


async def test_one_page_that_waits_keeps_no_other_waiting(services: FakeServices) -> None:
    other = msgspec.structs.replace(INCIDENT, id=f"INC-{SHARD}-261123-0A1B2C3E")
    await store_incident(services, id=other.id)

    async def recover() -> None:
        services.pager.trouble = None

    services.pager.trouble = Unavailable("pager", "429")
    services.outside.turns.once("pager.send", _nothing)
    services.outside.turns.once("pager.send", recover)
    await tick(services)
    await tick(services, 21)

    assert len(services.pager.sent) == 2


async def _nothing() -> None:
    return None


async def test_a_refused_page_woke_nobody_so_the_next_contact_is_paged_at_once(
    services: FakeServices,
) -> None:
    services.pager.refuses.add(ADA)

    await run(services)

    assert services.pager.did() == [(BEN, "trigger")]
    first, second = (await incident_now(services)).pages
    assert (first.refused, second.refused) == (True, False)
    assert kinds(services) == ["incident.paged", "incident.page-refused", "incident.paged"]
    refusal = told(services)[1]
    assert (refusal.what, refusal.why) == ("could not page Ada", "400 Invalid routing key")


async def test_a_refused_page_is_not_sent_again(services: FakeServices) -> None:
    services.pager.refuses.add(ADA)
    await run(services)
    services.pager.refuses.clear()

    await tick(services, 21)

    assert services.pager.did() == [(BEN, "trigger")]


async def test_a_pager_that_refuses_everybody_is_told_and_ends(services: FakeServices) -> None:
    services.pager.refuses.update(KEYS.values())

    await run(services)
    await tick(services, WAIT)

    assert services.pager.sent == []
    assert kinds(services).count("incident.page-refused") == 9


async def test_a_contact_without_a_key_does_not_keep_the_next_from_being_paged() -> None:
    services = new_services(pager_keys={name: key for name, key in KEYS.items() if key != ADA})
    services.pager.refuses.add("")
    await store_incident(services)

    await run(services)

    assert services.pager.did() == [(BEN, "trigger")]


@pytest.mark.parametrize("service", ["", "whose-file-is-broken"])
async def test_an_incident_that_no_service_owns_pages_the_duty_officer(service: str) -> None:
    services = new_services(pager_keys={**KEYS, "duty": DUTY})
    await store_incident(services, service=service)

    await run(services)

    assert services.pager.did() == [(DUTY, "trigger")]
    assert (await incident_now(services)).pages[0].contact == "Duty officer"


async def test_a_contact_who_left_the_file_is_no_reason_to_page_nobody(
    services: FakeServices,
) -> None:
    services.pager.trouble = Unavailable("pager", "503")
    with pytest.raises(Unavailable):
        await run(services)
    services.pager.trouble = None
    others = msgspec.structs.replace(SERVICE, contacts=SERVICE.contacts[1:])
    services.outside.catalog = catalog_of(others)

    await tick(services, 21)

    assert services.pager.did() == [(BEN, "trigger")]


async def test_what_a_person_has_seen_is_acknowledged_at_the_pager_once(
    services: FakeServices,
) -> None:
    await run(services)
    await see(services)

    await run(services)
    await run(services.another("two"))

    assert services.pager.did() == [(ADA, "trigger"), (ADA, "acknowledge")]
    assert services.pager.sent[1]["dedup_key"] == services.pager.sent[0]["dedup_key"]


async def test_what_has_ended_is_resolved_for_everybody_who_was_woken(
    services: FakeServices,
) -> None:
    await run(services)
    await tick(services, WAIT)
    await end(services)

    await run(services)

    assert services.pager.did()[2:] == [(ADA, "resolve"), (BEN, "resolve")]


async def test_who_was_not_woken_needs_no_calming(services: FakeServices) -> None:
    services.pager.refuses.add(ADA)
    await run(services)
    await end(services)

    await run(services)

    assert services.pager.did() == [(BEN, "trigger"), (BEN, "resolve")]


async def test_an_incident_that_paged_nobody_resolves_nothing(services: FakeServices) -> None:
    await store_incident(services, severity=Severity.SEV3)
    await end(services)

    await run(services)

    assert services.pager.sent == []


async def test_a_calming_that_was_left_unsent_is_sent_by_the_tick(services: FakeServices) -> None:
    await run(services)
    await end(services)
    services.outside.turns.once("pager.send", die)
    with pytest.raises(Killed):
        await run(services)

    await tick(services, 21)

    assert services.pager.did() == [(ADA, "trigger"), (ADA, "resolve")]


async def test_a_page_that_was_left_unsent_wakes_nobody_who_has_seen_it(
    services: FakeServices,
) -> None:
    services.outside.turns.once("pager.send", die)
    with pytest.raises(Killed):
        await run(services)
    await see(services)

    await tick(services, 21)

    assert services.pager.sent == []


async def test_an_incident_that_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await run(services, "INC-35-261123-FFFFFFFF")


# What holds a page back.


async def group_now(services: FakeServices) -> Group:
    return services.state.peek(SHARD, GROUP.row, Group)


async def store_group(services: FakeServices, **changes: Any) -> None:
    group = msgspec.structs.replace(GROUP, **changes)
    await services.state.write(SHARD, [Put(row=group.row, value=group)])


async def test_a_first_page_counts_for_the_target_and_no_other_does(
    services: FakeServices,
) -> None:
    await store_group(services)

    await run(services)
    first = services.now()
    await tick(services, WAIT)

    assert len((await incident_now(services)).pages) == 2
    assert (await group_now(services)).paged == (first,)


async def test_a_target_that_was_paged_for_twice_pages_when_the_window_is_over(
    services: FakeServices,
) -> None:
    lately = (services.now() - timedelta(minutes=9), services.now() - timedelta(minutes=5))
    await store_group(services, openings=lately, paged=lately)

    await run(services)
    await tick(services, 20 * 60)
    assert services.pager.sent == []
    assert kinds(services) == ["incident.quieted"]
    await tick(services, 60)

    assert services.pager.did() == [(ADA, "trigger")]
    assert kinds(services) == ["incident.quieted", "incident.resumed", "incident.paged"]


async def test_two_workers_that_page_at_once_count_once(services: FakeServices) -> None:
    await store_group(services)
    services.outside.turns.once("state.write", lambda: run(services.another("two")))

    await run(services)

    assert len((await group_now(services)).paged) == 1
    assert services.pager.did() == [(ADA, "trigger")]


@pytest.mark.parametrize("number", range(1, 16))
async def test_killed_anywhere_what_is_held_goes_on_once(
    services: FakeServices, number: int
) -> None:
    until = services.now() + timedelta(seconds=30)
    window = Once(start=services.now() - timedelta(seconds=1), end=until, reason="patches")
    services.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, maintenance=(window,)))
    await run(services)
    services.outside.wait(31)
    services.outside.turns.at(number, die)
    try:
        await run(services)
    except Killed:
        services.outside.turns.forget()
        await tick(services, 21)
        await tick(services)

    rows = services.state.rows(SHARD, f"event|{INCIDENT.id}|")
    stored = [services.state.peek(SHARD, row, ChangeEvent).kind for row in rows]
    assert stored == ["incident.quieted", "incident.resumed", "incident.paged"]
    assert set(services.pager.did()) == {(ADA, "trigger")}
    assert len((await incident_now(services)).pages) == 1


async def test_what_no_table_takes_of_one_incident_keeps_no_other_from_being_paged(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    bare = len(msgspec.json.encode(INCIDENT))
    full = "x" * (MOST_BYTES // 2 - bare - 50)  # it is stored, and not with a page more
    await store_incident(services, id=f"{INCIDENT.id[:-1]}X", title=full)

    await tick(services)

    assert services.pager.did() == [(ADA, "trigger")]
    assert len((await incident_now(services)).pages) == 1
    assert "nobody can be paged for an incident: not-storable" in caplog.text
