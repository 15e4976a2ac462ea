"""Show: what was stored is shown, in pages, and looking changes nothing."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.evidence.record import record
from responders.reading.show import (
    show_affected,
    show_changes,
    show_delivery,
    show_incident,
    show_incidents,
)
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State, tell
from shared.domain.ledger.record import LedgerRow
from shared.domain.row import Put
from shared.domain.views.http import Answer, Request
from shared.errors import NotFound, RejectedInput, Unavailable
from shared.protocol.commit import event_row
from shared.protocol.intake import accept
from tests.fakes import FakeServices
from tests.fakes.scene import (
    DIAGNOSIS,
    INCIDENT,
    NOW,
    SERVICE,
    SHARD,
    fired,
    message,
    new_services,
    store_case,
    store_incident,
)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


def read(answer: Answer) -> Any:
    assert answer.status == 200
    return msgspec.json.decode(answer.body)


def about(incident: str = INCIDENT.id, **query: str) -> Request:
    return Request(path={"id": incident}, query=query)


async def test_an_alert_can_be_followed_from_its_delivery(services: FakeServices) -> None:
    key, _ = await accept(services, fired())

    shown = read(await show_delivery(services, Request(path={"key": key})))

    assert (shown["delivery"], shown["state"], shown["incident"]) == (key, "accepted", "")
    assert shown["alert"] == fired().summary


async def test_an_incident_is_shown_with_all_that_is_known_of_it(services: FakeServices) -> None:
    await enforce(services, message("enforce"))

    shown = read(await show_incident(services, about()))

    assert shown["incident"]["state"] == "verifying"
    assert shown["diagnosis"]["sentence"] == DIAGNOSIS.sentence
    assert shown["decision"]["verdict"] == "roll_back"
    assert shown["intent"]["state"] == "confirmed"
    assert [event["sequence"] for event in shown["timeline"]] == [3, 4, 5]
    assert shown["rto"] is not None


async def test_what_is_not_there_yet_is_null(services: FakeServices) -> None:
    await store_incident(services, id=f"INC-{SHARD}-261123-0A1B2C3E", service="")

    shown = read(await show_incident(services, about(f"INC-{SHARD}-261123-0A1B2C3E")))

    assert (shown["diagnosis"], shown["decision"], shown["intent"], shown["rto"]) == (None,) * 4


async def store_many(services: FakeServices, count: int) -> None:
    for number in range(count):
        await store_incident(
            services,
            id=f"INC-{SHARD}-261123-{number:08X}",
            opened_at=NOW + timedelta(minutes=number),
            state=State.RESOLVED if number % 2 else State.HELD,
        )


@pytest.mark.parametrize(("count", "first"), [(3, 1), (1_000, 1), (1_200, 201), (10_100, 9_101)])
async def test_a_timeline_has_the_newest_events_in_order(
    services: FakeServices, count: int, first: int
) -> None:
    incident = await store_case(services, sequence=count)
    (event,) = tell(incident, EventKind.NOTED, actor="a", what="b", why="c", now=NOW).events
    for number in range(max(1, count - 1_100), count + 1):
        one = msgspec.structs.replace(event, sequence=number)
        put = Put(row=event_row(incident.id, number), value=one)
        await services.state.write(SHARD, [put])

    shown = read(await show_incident(services, about()))

    numbers = [one["sequence"] for one in shown["timeline"]]
    assert numbers == list(range(first, count + 1))


async def test_incidents_come_newest_first_in_pages(services: FakeServices) -> None:
    await store_many(services, 5)
    seen, after = [], ""
    for _ in range(3):
        page = read(await show_incidents(services, Request(query={"limit": "2", "after": after})))
        seen += [one["id"][-8:] for one in page["incidents"]]
        after = page["next"]

    assert seen == ["00000004", "00000003", "00000002", "00000001", "00000000", "0A1B2C3D"]


async def test_open_incidents_can_be_asked_for(services: FakeServices) -> None:
    await store_many(services, 4)

    shown = read(await show_incidents(services, Request(query={"state": "open", "limit": "2"})))

    assert [one["id"][-1:] for one in shown["incidents"]] == ["2", "0"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1e3"])
async def test_a_limit_that_is_none_is_rejected(services: FakeServices, limit: str) -> None:
    with pytest.raises(RejectedInput):
        await show_incidents(services, Request(query={"limit": limit}))


def affected(services: FakeServices, count: int) -> None:
    rows = [
        {
            "TimeGenerated": NOW + timedelta(seconds=number),
            "OperationId": f"op-{number}",
            "Success": False,
            "Region": "swedencentral",
        }
        for number in range(count)
    ]
    services.logs.answer("affected", rows)


async def test_the_operations_that_the_bad_version_served_can_be_reworked(
    services: FakeServices,
) -> None:
    affected(services, 2)

    shown = read(await show_affected(services, about()))

    assert (shown["version"], shown["next"]) == ("v2", "")
    assert [one["operation"] for one in shown["operations"]] == ["op-0", "op-1"]
    ((_, asked),) = services.logs.asked
    assert (asked["Deployment"], asked["Since"]) == ("v2", INCIDENT.onset_at)


async def test_a_full_page_names_where_the_next_begins(services: FakeServices) -> None:
    affected(services, 2)
    page = read(await show_affected(services, about(limit="2")))

    await show_affected(services, about(limit="2", after=page["next"]))

    (_, asked) = services.logs.asked[-1]
    assert asked["AfterId"] == "op-1"
    assert asked["AfterTime"] == NOW + timedelta(seconds=1)


async def test_the_window_ends_with_the_recovery(services: FakeServices) -> None:
    await store_case(services, recovered_at=NOW - timedelta(seconds=5))

    await show_affected(services, about())

    (_, asked) = services.logs.asked[-1]
    assert asked["Until"] == NOW - timedelta(seconds=5)


@pytest.mark.parametrize("status", [AnswerStatus.UNAVAILABLE, AnswerStatus.PARTIAL])
async def test_half_of_the_operations_are_none(
    services: FakeServices, status: AnswerStatus
) -> None:
    services.logs.fail("affected", status)

    with pytest.raises(Unavailable, match="logs"):
        await show_affected(services, about())


async def test_an_incident_without_a_diagnosis_has_no_affected_operations(
    services: FakeServices,
) -> None:
    other = await store_incident(services, id=f"INC-{SHARD}-261123-0A1B2C3E")

    with pytest.raises(NotFound, match="no diagnosis"):
        await show_affected(services, about(other.id))


@pytest.mark.parametrize("after", ["yesterday", "|op-1", "2026-13-01|x"])
async def test_a_wrong_page_of_operations_is_rejected(services: FakeServices, after: str) -> None:
    with pytest.raises(RejectedInput):
        await show_affected(services, about(after=after))


async def write_ledger(services: FakeServices) -> int:
    await enforce(services, message("enforce"))
    changes = services.bus.published["changes"]
    await record(services, changes)
    return len(changes)


def changes(**query: str) -> Request:
    return Request(query={"service": SERVICE.name, **query})


async def test_the_ledger_is_shown_newest_first_with_its_chain(services: FakeServices) -> None:
    count = await write_ledger(services)

    shown = read(await show_changes(services, changes()))["changes"]

    assert [one["sequence"] for one in shown] == list(range(count, 0, -1))
    assert shown[0]["previous_hash"] == shown[1]["hash"]
    assert shown[0]["event"]["kind"] == "rollback.confirmed"


async def test_the_ledger_is_paged_without_gap_or_repeat(services: FakeServices) -> None:
    count = await write_ledger(services)
    seen, before = [], ""
    for _ in range(count):
        page = read(await show_changes(services, changes(limit="1", before=before)))
        seen += [one["sequence"] for one in page["changes"]]
        before = page["next"]

    assert seen == list(range(count, 0, -1))
    assert before == ""


async def test_another_service_in_the_same_shard_is_not_shown(services: FakeServices) -> None:
    await write_ledger(services)

    shown = read(await show_changes(services, Request(query={"service": "somebody-else"})))

    assert shown["changes"] == []


async def test_a_month_without_a_record_is_empty(services: FakeServices) -> None:
    await write_ledger(services)

    assert read(await show_changes(services, changes(month="202601"))) == {
        "changes": [],
        "next": "",
    }


@pytest.mark.parametrize("query", [{"service": ""}, {"before": "first"}, {"limit": "0"}])
async def test_a_wrong_question_to_the_ledger_is_rejected(
    services: FakeServices, query: dict[str, str]
) -> None:
    with pytest.raises(RejectedInput):
        await show_changes(services, changes(**query))


async def test_what_was_purged_is_not_shown_and_in_nobodys_way(services: FakeServices) -> None:
    count = await write_ledger(services)
    partition = next(name for name in services.ledger.partitions() if name[0].isdigit())
    (first, *_) = services.ledger.rows(partition, "seq|")
    row = services.ledger.peek(partition, first, LedgerRow)
    purged = msgspec.structs.replace(row, body="", purged=f"{partition}/9")
    await services.ledger.write(partition, [Put(row=first, value=purged)])

    shown = read(await show_changes(services, changes()))["changes"]

    assert [one["sequence"] for one in shown] == list(range(count, 1, -1))


async def test_looking_changes_nothing(services: FakeServices) -> None:
    await write_ledger(services)
    affected(services, 1)
    before = len(services.outside.turns.passed)
    await show_incident(services, about())
    await show_incidents(services, Request())
    await show_affected(services, about())
    await show_changes(services, changes())

    looked = services.outside.turns.passed[before:]
    assert not [turn for turn in looked if "writ" in turn or "publish" in turn]


@pytest.mark.parametrize("incident", ["INC-35-261123-FFFFFFFF", "x", "../.."])
async def test_an_incident_that_is_not_there_is_not_found(
    services: FakeServices, incident: str
) -> None:
    for respond in (show_incident, show_affected):
        with pytest.raises(NotFound):
            await respond(services, about(incident))


async def test_a_delivery_that_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await show_delivery(services, Request(path={"key": "261123-none"}))
