"""Quarantine: everything is listed, and takes the very road again that it came along."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from responders.alert.ingest import ingest
from responders.alert.triage import triage
from responders.repair.exhume import exhume
from responders.repair.quarantine import discard, resubmit, show_quarantine
from responders.repair.relay import relay
from shared.domain.alerts.payload import MAX_BODY
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.views.http import Request
from shared.errors import NotFound, RejectedInput, Unavailable
from shared.protocol.intake import read_delivery
from shared.protocol.kept import count_waiting, list_kept
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.quarantine import keep_body
from shared.protocol.settle import settle
from tests.fakes import FakeServices, Killed, callers, die
from tests.fakes.callers import person
from tests.fakes.scene import NOW, kinds, message, new_services, told

EVENTS = Path(__file__).parents[2] / "events"
SOUND = (EVENTS / "metric_static_fired.json").read_bytes()
LEGACY = (EVENTS / "legacy_metric.json").read_bytes()
REFUSED = RejectedInput("not-json", "line 1")
ADA, BEN = person(AppRole.COMMANDER), person(AppRole.COMMANDER, id=callers.BEN)
NOTHING = Leftovers(messages={}, effects=[], intents=[])


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def inputs(services: FakeServices, **query: str) -> list[dict[str, Any]]:
    answer = await show_quarantine(services, Request(query=query))
    found: list[dict[str, Any]] = msgspec.json.decode(answer.body)["inputs"]
    return found


async def again(services: FakeServices, key: str, caller: Caller = ADA, why: str = "") -> Any:
    body = msgspec.json.encode({"why": why})
    request = Request(method="POST", path={"id": key}, body=body, caller=caller)
    answer = await resubmit(services, request)
    assert answer.status == 200
    return msgspec.json.decode(answer.body)


async def away(services: FakeServices, key: str, why: str = "noise") -> Any:
    body = msgspec.json.encode({"why": why})
    request = Request(method="POST", path={"id": key}, body=body, caller=ADA)
    answer = await discard(services, request)
    assert answer.status == 200
    return msgspec.json.decode(answer.body)


async def bury(services: FakeServices, taken: Message) -> str:
    services.bus.bury(WORK, "responder", taken, NOW)
    await exhume(services, NOTHING)
    (found,), _ = await list_kept(services)
    return found.id


async def test_the_list_tells_where_from_why_when_and_what_became_of_it(
    services: FakeServices,
) -> None:
    with pytest.raises(RejectedInput):
        await ingest(services, Request(body=LEGACY))

    (shown,) = await inputs(services)

    assert (shown["kind"], shown["source"]) == ("alert", "api/alerts")
    assert (shown["reason"], shown["state"], shown["by"]) == ("legacy-schema", "kept", "")
    assert "common alert schema" in shown["detail"]
    assert shown["size"] == len(LEGACY)
    assert "body" not in shown


async def test_both_kinds_are_in_one_list_newest_first_and_paged(services: FakeServices) -> None:
    for number in range(2):
        await keep_body(services, "api/alerts", b"%d" % number, REFUSED)
        services.outside.wait(1)
    await bury_another(services)

    first = msgspec.json.decode(
        (await show_quarantine(services, Request(query={"limit": "2"}))).body
    )
    rest = await inputs(services, after=first["next"])

    listed = [one["kind"] for one in (*first["inputs"], *rest)]
    assert listed == ["dead-letter", "alert", "alert"]


async def bury_another(services: FakeServices) -> None:
    services.bus.bury(CHANGES, "notify", message("incident.opened"), NOW)
    await exhume(services, NOTHING)


async def test_what_was_resubmitted_can_be_left_out(services: FakeServices) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)
    await again(services, key)

    assert [one["state"] for one in await inputs(services)] == ["resubmitted"]
    assert await inputs(services, state="kept") == []


@pytest.mark.parametrize("query", [{"state": "open"}, {"limit": "0"}, {"limit": "many"}])
async def test_a_wrong_question_is_refused(services: FakeServices, query: dict[str, str]) -> None:
    with pytest.raises(RejectedInput):
        await inputs(services, **query)


async def test_looking_changes_nothing(services: FakeServices) -> None:
    await keep_body(services, "api/alerts", SOUND, REFUSED)
    before = services.outside.turns.passed.count("state.write")

    await inputs(services)

    assert services.outside.turns.passed.count("state.write") == before


async def test_an_alert_that_can_be_read_now_is_accepted_as_any_other(
    services: FakeServices,
) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)

    shown = await again(services, key, why="the reader is mended")

    assert (shown["state"], shown["by"], shown["became"]) == ("resubmitted", ADA.id, "accepted")
    delivery = (await read_delivery(services, shown["delivery"])).value
    assert delivery.pending
    assert services.bus.subjects("work") == ["triage"]
    assert told(services)[-1].kind == "input.resubmitted"
    event = told(services)[-1]
    assert (event.actor, event.role) == (ADA.id, "Commander")
    assert event.why == "the reader is mended"


async def test_it_is_read_as_of_the_time_that_it_came(services: FakeServices) -> None:
    body = msgspec.json.decode(SOUND)
    del body["data"]["essentials"]["firedDateTime"]
    key = await keep_body(services, "api/alerts", msgspec.json.encode(body), REFUSED)
    services.outside.wait(7_200)

    shown = await again(services, key)

    assert (await read_delivery(services, shown["delivery"])).value.alert.fired_at == NOW


async def test_what_still_cannot_be_read_is_refused_and_stays(services: FakeServices) -> None:
    key = await keep_body(services, "api/alerts", LEGACY, REFUSED)

    with pytest.raises(RejectedInput, match="legacy-schema"):
        await again(services, key)

    (shown,) = await inputs(services)
    assert (shown["state"], shown["by"]) == ("kept", "")


async def test_half_an_alert_is_never_taken_for_a_whole_one(services: FakeServices) -> None:
    body = SOUND + b" " * MAX_BODY
    key = await keep_body(services, "api/alerts", body, RejectedInput("too-large", "no"))

    with pytest.raises(RejectedInput, match="must be sent again, whole"):
        await again(services, key)


async def test_half_a_dead_letter_is_sent_by_the_bus_alone(services: FakeServices) -> None:
    services.bus.takes = 2 * MAX_BODY
    key = await bury(services, message("triage", "x" * (MAX_BODY + 1)))
    letters = services.bus.buried.pop((WORK, "responder"))
    with pytest.raises(RejectedInput, match="must be sent again, whole"):
        await again(services, key)

    services.bus.buried[WORK, "responder"] = letters
    await again(services, key)

    assert len(services.bus.published["work"][0].body) == MAX_BODY + 1


async def test_a_second_resubmit_of_the_same_does_nothing(services: FakeServices) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)
    first = await again(services, key)

    second = await again(services, key, caller=BEN)

    assert second == first
    assert services.bus.subjects("work") == ["triage"]
    assert kinds(services).count("input.resubmitted") == 1


async def test_two_people_at_once_resubmit_it_once(services: FakeServices) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)
    services.outside.turns.once("state.write", lambda: again(services.another("two"), key, BEN))

    shown = await again(services, key)

    assert shown["by"] == BEN.id
    assert kinds(services).count("input.resubmitted") == 1


async def test_a_message_goes_to_its_topic_as_a_first_attempt(services: FakeServices) -> None:
    taken = message("triage", "no such delivery", attempt=7)
    await settle(services, WORK, "responder", taken, triage)
    (shown,) = await inputs(services)
    assert (shown["kind"], shown["reason"]) == ("message", "not-found")

    became = await again(services, shown["id"])

    (sent,) = services.bus.published["work"]
    assert (sent.subject, sent.body, sent.attempt) == ("triage", "no such delivery", 1)
    assert became["became"] == "sent to topic work again"


async def test_a_message_that_fails_again_is_in_quarantine_again(services: FakeServices) -> None:
    await settle(services, WORK, "responder", message("triage", "no such delivery"), triage)
    (shown,) = await inputs(services)
    await again(services, shown["id"])
    services.outside.wait(1)

    await settle(services, WORK, "responder", services.bus.published["work"][0], triage)

    (back,) = await inputs(services, state="kept")
    assert (back["id"], back["times"]) == (shown["id"], 2)


async def test_a_dead_letter_is_taken_out_and_published(services: FakeServices) -> None:
    key = await bury(services, message("triage", "key", attempt=3))

    shown = await again(services, key)

    assert services.bus.buried[WORK, "responder"] == []
    assert [sent.attempt for sent in services.bus.published["work"]] == [1]
    assert shown["became"] == "moved from the dead letters to topic work"


async def test_a_dead_letter_that_somebody_removed_is_sent_from_the_copy(
    services: FakeServices,
) -> None:
    key = await bury(services, message("triage", "key"))
    services.bus.buried.clear()

    await again(services, key)

    assert [sent.body for sent in services.bus.published["work"]] == ["key"]


async def test_a_bus_that_is_out_leaves_a_dead_letter_where_it_is(services: FakeServices) -> None:
    key = await bury(services, message("triage", "key"))
    services.bus.out = True

    with pytest.raises(Unavailable):
        await again(services, key)

    assert len(services.bus.buried[WORK, "responder"]) == 1
    assert [one["state"] for one in await inputs(services)] == ["kept"]


@pytest.mark.parametrize("turn", range(1, 16))
async def test_whoever_dies_while_resubmitting_leaves_it_to_be_resubmitted_or_done(
    services: FakeServices, turn: int
) -> None:
    await settle(services, WORK, "responder", message("triage", "no such delivery"), triage)
    (shown,) = await inputs(services)
    services.outside.turns.at(turn, die)
    try:
        await again(services, shown["id"])
    except Killed:
        services.outside.turns.forget()
        await again(services.another("two"), shown["id"])
    services.outside.turns.forget()
    services.outside.wait(60)
    await relay(services, await find_leftovers(services))

    assert {sent.body for sent in services.bus.published["work"]} == {"no such delivery"}
    assert await inputs(services, state="kept") == []


@pytest.mark.parametrize(
    "body", [b"", b'{"why": 3}', b'{"who": "ada"}', b'{"why": "%s"}' % (b"x" * 1_001)]
)
async def test_with_what_is_not_understood_nothing_is_resubmitted(
    services: FakeServices, body: bytes
) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)

    request = Request(method="POST", path={"id": key}, body=body, caller=ADA)

    with pytest.raises(RejectedInput):
        await resubmit(services, request)

    assert services.bus.subjects("work") == []


async def test_what_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await again(services, "f" * 32)


async def test_an_alert_that_came_a_second_time_by_itself_is_said_to_be_the_same(
    services: FakeServices,
) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)
    await ingest(services, Request(body=SOUND))

    assert (await again(services, key))["became"] == "accepted before, as the same delivery"


async def test_what_is_discarded_stays_listed_and_waits_no_more(services: FakeServices) -> None:
    key = await keep_body(services, "api/alerts", LEGACY, REFUSED)

    shown = await away(services, key, "a test of the network team")

    assert (shown["state"], shown["by"]) == ("discarded", ADA.id)
    assert [one["state"] for one in await inputs(services)] == ["discarded"]
    assert await inputs(services, state="kept") == []
    assert await count_waiting(services, 10) == 0
    event = told(services)[-1]
    assert (event.kind, event.actor, event.role) == ("input.discarded", ADA.id, "Commander")
    assert event.why == "a test of the network team"


async def test_a_discarded_dead_letter_is_off_the_bus_and_never_told_again(
    services: FakeServices,
) -> None:
    key = await bury(services, message("triage", "key"))

    await away(services, key)
    services.outside.wait(300)
    await exhume(services, NOTHING)

    assert services.bus.buried[WORK, "responder"] == []
    assert services.bus.published["work"] == []
    assert kinds(services).count("input.quarantined") == 1


async def test_killed_between_bus_and_row_it_can_be_discarded_again(
    services: FakeServices,
) -> None:
    key = await bury(services, message("triage", "key"))
    services.outside.turns.once("state.write", die)
    with pytest.raises(Killed):
        await away(services, key)

    assert (await away(services, key))["state"] == "discarded"


async def test_a_bus_that_is_out_leaves_it_waiting(services: FakeServices) -> None:
    key = await bury(services, message("triage", "key"))
    services.bus.out = True

    with pytest.raises(Unavailable):
        await away(services, key)

    assert [one["state"] for one in await inputs(services)] == ["kept"]


@pytest.mark.parametrize("said", [{}, {"why": " "}, {"who": "ada", "why": "x"}])
async def test_a_discard_needs_a_reason_and_no_name(
    services: FakeServices, said: dict[str, str]
) -> None:
    key = await keep_body(services, "api/alerts", LEGACY, REFUSED)
    body = msgspec.json.encode(said)

    request = Request(method="POST", path={"id": key}, body=body, caller=ADA)

    with pytest.raises(RejectedInput):
        await discard(services, request)


async def test_what_was_resubmitted_or_discarded_is_not_touched_again(
    services: FakeServices,
) -> None:
    key = await keep_body(services, "api/alerts", SOUND, REFUSED)
    done = await again(services, key)
    other = await keep_body(services, "api/alerts", LEGACY, REFUSED)
    gone = await away(services, other)

    assert await away(services, key) == done
    assert await again(services, other) == gone
