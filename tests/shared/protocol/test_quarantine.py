"""Quarantine: kept whole, told once, and somebody is woken where an alert may be lost."""

from datetime import timedelta

import msgspec
import pytest

from responders.people.page import page_all_due
from responders.repair.relay import relay
from shared.domain.alerts.flood import MOST
from shared.domain.alerts.kept_body import redact_body
from shared.domain.alerts.quarantine import LONGEST_BODY, KeptState, Quarantined, put_right
from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.message import Message
from shared.domain.row import Put
from shared.errors import Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.commit import incident_row
from shared.protocol.kept import (
    SHARD,
    count_waiting,
    list_kept,
    mark_resubmitted,
    read_body,
    read_kept,
)
from shared.protocol.leftovers import find_leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.quarantine import keep_body, keep_message
from tests.fakes import FakeServices, Killed, die
from tests.fakes.callers import BEN, person
from tests.fakes.scene import kinds, new_services, told

ADA = person()
ALERT = b'{"schemaId": "azureMonitorCommonAlertSchema", "secret": "4111 1111 1111 1111"'
NOISE = b"GET /wp-login.php"
REFUSED = RejectedInput("not-json", "the body is not JSON in UTF-8: line 1")
MESSAGE = Message(subject="triage", body="no such key", message_id="triage:1#2", attempt=2)


@pytest.fixture
def services() -> FakeServices:
    return new_services(pager_keys={"duty": "key of duty"})


async def keep(services: FakeServices, body: bytes = ALERT, error: RejectedInput = REFUSED) -> str:
    return await keep_body(services, "api/alerts", body, error)


async def kept(services: FakeServices, key: str) -> Quarantined:
    return (await read_kept(services, key)).value


async def resubmitted(services: FakeServices, key: str) -> None:
    was = await read_kept(services, key)
    now = put_right(was.value, ADA, "accepted", services.now())
    await mark_resubmitted(services, was, now, "", None)


async def pages(services: FakeServices) -> list[str]:
    """Whose key was called, once everything that is due was sent."""
    await page_all_due(services, await find_leftovers(services))
    return [key for key, action in services.pager.did() if action == "trigger"]


async def test_it_is_kept_with_where_it_came_from_and_why(services: FakeServices) -> None:
    key = await keep(services)

    found = await kept(services, key)
    assert (found.source, found.reason, found.detail) == ("api/alerts", "not-json", REFUSED.detail)
    assert (found.size, found.state, found.times) == (len(ALERT), KeptState.KEPT, 1)
    assert await read_body(services, key) == redact_body(ALERT, services.redactor)


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b"\x00" * LONGEST_BODY, b'"' * LONGEST_BODY],
    ids=["no text", "zeros", "quotes"],
)
async def test_every_byte_of_it_is_kept(services: FakeServices, body: bytes) -> None:
    assert await read_body(services, await keep(services, body)) == body


async def test_what_is_longer_than_anything_that_is_read_is_cut(services: FakeServices) -> None:
    key = await keep(services, b"x" * (LONGEST_BODY + 1), RejectedInput("too-large", "no"))

    found = await kept(services, key)
    assert (found.size, found.is_whole) == (LONGEST_BODY + 1, False)
    assert len(await read_body(services, key)) == LONGEST_BODY


async def test_a_message_keeps_its_address(services: FakeServices) -> None:
    key = await keep_message(services, "work/triage", "work", MESSAGE, REFUSED)

    address = (await kept(services, key)).address
    assert (address.topic, address.subject, address.message_id) == ("work", "triage", "triage:1#2")


async def test_the_ledger_learns_that_it_was_kept_and_why_but_nothing_of_it(
    services: FakeServices,
) -> None:
    key = await keep(services, NOISE)

    (event,) = told(services)
    assert event.kind == "input.quarantined"
    assert (event.actor, event.why) == ("backstop", "not-json")
    assert event.evidence["input"] == key
    assert "17 bytes" in event.what


async def test_no_event_card_or_page_tells_of_the_body(services: FakeServices) -> None:
    await keep(services, ALERT, RejectedInput("duplicate-keys", "member '4111 1111' occurs twice"))
    assert await pages(services)

    sent = [services.bus.published, services.pager.sent]
    assert b"4111" not in msgspec.json.encode(sent)


async def test_the_same_input_is_kept_and_told_once(services: FakeServices) -> None:
    keys = {await keep(services) for _ in range(3)}

    assert len(keys) == 1
    assert kinds(services) == ["incident.opened", "input.quarantined"]
    assert await count_waiting(services, 10) == 1


async def test_the_duty_contact_is_paged_for_what_may_be_a_lost_alert(
    services: FakeServices,
) -> None:
    key = await keep(services)

    assert await pages(services) == ["key of duty"]
    (incident,) = await open_incidents(services)
    assert (incident.service, incident.severity) == ("backstop", Severity.SEV2)
    assert incident.state is State.ESCALATED
    assert (await kept(services, key)).incident == incident.id
    assert "api/alerts" in incident.title


async def test_noise_on_the_public_webhook_pages_nobody(services: FakeServices) -> None:
    await keep(services, NOISE)

    assert await pages(services) == []
    assert await open_incidents(services) == []


async def test_a_message_on_our_own_bus_is_no_noise(services: FakeServices) -> None:
    await keep_message(services, "work/triage", "work", MESSAGE, REFUSED)

    assert await pages(services) == ["key of duty"]


async def test_much_of_the_same_kind_is_one_page_and_every_one_is_listed(
    services: FakeServices,
) -> None:
    for number in range(30):
        await keep(services, ALERT + b"%d" % number)
        services.outside.wait(60)

    assert await pages(services) == ["key of duty"]
    assert kinds(services).count("input.quarantined") == 30
    (incident,) = await open_incidents(services)
    found, _ = await list_kept(services)
    assert {one.incident for one in found} == {incident.id}


@pytest.mark.parametrize(
    ("source", "reason"), [("api/alerts", "legacy-schema"), ("api/other", "not-json")]
)
async def test_another_source_or_reason_is_another_page(
    services: FakeServices, source: str, reason: str
) -> None:
    await keep(services)
    await keep_body(services, source, ALERT + b" ", RejectedInput(reason, "no"))

    assert len(await open_incidents(services)) == 2


async def test_what_goes_on_for_days_is_told_again_every_day(services: FakeServices) -> None:
    await keep(services)
    services.outside.wait(timedelta(days=1).total_seconds())

    await keep(services, ALERT + b" ")

    assert len(await open_incidents(services)) == 2


async def test_what_comes_after_somebody_resolved_it_is_told_again(services: FakeServices) -> None:
    await keep(services)
    (incident,) = await open_incidents(services)
    await end(services, incident)

    await keep(services, ALERT + b" ")

    (again,) = await open_incidents(services)
    assert again.id != incident.id


async def end(services: FakeServices, incident: Incident) -> None:
    over = msgspec.structs.replace(incident, state=State.RESOLVED)
    await services.state.write(SHARD, [Put(row=incident_row(incident.id), value=over)])


async def test_what_was_resubmitted_and_is_back_is_kept_and_told_again(
    services: FakeServices,
) -> None:
    key = await keep(services)
    await resubmitted(services, key)
    services.outside.wait(1)

    await keep(services)

    found = await kept(services, key)
    assert (found.state, found.times) == (KeptState.KEPT, 2)
    assert kinds(services).count("input.quarantined") == 2
    assert len({event.id for event in told(services)}) == len(told(services))
    listed, _ = await list_kept(services)
    assert [one.id for one in listed] == [key]


async def test_two_at_once_open_one_incident(services: FakeServices) -> None:
    other = services.another("two")
    services.outside.turns.once("state.write", lambda: keep(other, ALERT + b" "))

    await keep(services)

    assert len(await open_incidents(services)) == 1
    assert await count_waiting(services, 10) == 2


async def test_the_same_at_once_is_kept_once(services: FakeServices) -> None:
    other = services.another("two")
    services.outside.turns.once("state.write", lambda: keep(other))

    await keep(services)

    assert kinds(services).count("input.quarantined") == 1


async def test_wherever_the_process_dies_it_is_kept_told_and_paged_or_nothing_was_promised(
    services: FakeServices,
) -> None:
    await keep(services, b"to warm up")
    for turn in range(1, 40):
        world = new_services(pager_keys={"duty": "key of duty"})
        world.outside.turns.at(turn, die)
        try:
            key = await keep(world)
        except Killed:
            key = ""
        world.outside.turns.forget()
        world.outside.wait(60)
        if not key:
            key = await keep(world.another("two"))  # nothing was answered: it is sent again
        await relay(world, await find_leftovers(world))
        assert kinds(world).count("input.quarantined") >= 1, turn
        assert len({event.id for event in told(world)}) == 2, turn
        assert await pages(world) == ["key of duty"], turn
        assert await count_waiting(world, 10) == 1, turn
    assert "state.written" in services.outside.turns.passed


async def test_where_it_cannot_be_kept_nothing_is_promised(services: FakeServices) -> None:
    services.outside.tables_out(out=True)

    with pytest.raises(Unavailable):
        await keep(services)


async def test_a_bus_that_is_out_keeps_nobody_from_being_paged(services: FakeServices) -> None:
    services.bus.out = True

    await keep(services)

    assert await pages(services) == ["key of duty"]


async def test_lists_are_newest_first_and_paged(services: FakeServices) -> None:
    keys = []
    for number in range(5):
        keys.append(await keep(services, NOISE + b"%d" % number))
        services.outside.wait(1)
    await resubmitted(services, keys[4])

    first, following = await list_kept(services, limit=3)
    rest, end_ = await list_kept(services, limit=3, after=following)
    waiting, _ = await list_kept(services, waiting=True)

    assert [one.id for one in (*first, *rest)] == keys[::-1]
    assert end_ == ""
    assert [one.id for one in waiting] == keys[3::-1]


@pytest.mark.parametrize("key", ["", "none", "../x", "#?", "a|b", "f" * 65, "é"])
async def test_what_was_never_kept_is_not_found(services: FakeServices, key: str) -> None:
    with pytest.raises(NotFound):
        await read_kept(services, key)


async def test_who_marks_an_old_version_is_told(services: FakeServices) -> None:
    was = await read_kept(services, await keep(services))
    await resubmitted(services, was.value.id)

    with pytest.raises(Conflict):
        await mark_resubmitted(
            services, was, put_right(was.value, person(id=BEN), "x", services.now()), "", None
        )

    assert (await kept(services, was.value.id)).by == ADA.id


async def test_a_resubmit_is_told_with_who_and_why(services: FakeServices) -> None:
    was = await read_kept(services, await keep(services, NOISE))
    now = put_right(was.value, ADA, "accepted", services.now(), delivery="261123-1")

    await mark_resubmitted(services, was, now, "the schema is on", None)

    event: ChangeEvent = told(services)[-1]
    assert (event.kind, event.actor, event.why) == ("input.resubmitted", ADA.id, "the schema is on")
    assert event.evidence["delivery"] == "261123-1"


async def test_of_noise_only_so_much_is_kept_an_hour_and_what_may_be_an_alert_always(
    services: FakeServices,
) -> None:
    for number in range(MOST + 20):
        await keep(services, NOISE + b"%d" % number)
    await keep(services, ALERT)

    assert kinds(services).count("input.quarantined") == MOST + 1
    assert kinds(services).count("input.flooded") == 1
    assert len(services.state.rows(SHARD, "quarantine-body|")) == MOST + 1

    services.outside.wait(3_600)
    await keep(services, NOISE)

    assert kinds(services)[-2:] == ["input.flooded", "input.quarantined"]
    assert told(services)[-2].evidence["unkept"] == 20
