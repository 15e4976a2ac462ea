"""Handle: what people do with an incident is recorded with who and why, or is refused."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.people.handle import ACTIONS, handle
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.ledger.completeness import complete
from shared.domain.reviews.review import ReviewKind
from shared.domain.views.http import Request
from shared.errors import Conflict, NotFound, RejectedInput
from shared.protocol.reviews import open_reviews
from tests.fakes import FakeServices
from tests.fakes.callers import BEN, person
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    incident_now,
    kinds,
    new_services,
    store_incident,
    told,
)

ADA = person(AppRole.COMMANDER)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_incident(made)
    return made


async def do(
    services: FakeServices,
    action: str,
    incident: str = INCIDENT.id,
    caller: Caller = ADA,
    **said: Any,
) -> Incident:
    path = {"id": incident, "action": action}
    body = msgspec.json.encode(said)
    answer = await handle(services, Request(method="POST", path=path, body=body, caller=caller))
    assert answer.status == 200
    return msgspec.json.decode(answer.body, type=Incident)


SAID: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "command": {},
    "notes": {"text": "the model is at fault"},
    "severity": {"severity": "SEV0", "why": "all customers"},
    "resolve": {"why": "cured"},
    "reported": {"reference": "AFM-2026-11871"},
}


def test_every_action_is_specified_here() -> None:
    assert set(SAID) == set(ACTIONS)


@pytest.mark.parametrize("action", SAID)
async def test_every_action_is_told_with_who_and_why(services: FakeServices, action: str) -> None:
    answered = await do(services, action, **SAID[action])

    assert answered == await incident_now(services)
    (event,) = told(services)
    assert (event.actor, event.role) == (ADA.id, "Commander")
    assert event.why


async def test_what_each_action_does(services: FakeServices) -> None:
    await do(services, "acknowledge")
    await do(services, "command", caller=person(AppRole.RESPONDER, id=BEN))
    await do(services, "notes", text="the model is at fault")
    await do(services, "severity", severity="SEV0", why="all customers")
    done = await do(services, "resolve", why="cured")

    assert (done.acknowledged_by, done.commander, done.severity, done.state) == (
        ADA.id,
        BEN,
        Severity.SEV0,
        State.RESOLVED,
    )
    assert [note.text for note in done.notes] == ["the model is at fault"]


@pytest.mark.parametrize("action", ["acknowledge", "command"])
async def test_what_was_done_before_is_a_conflict_that_says_so(
    services: FakeServices, action: str
) -> None:
    await do(services, action)

    with pytest.raises(Conflict, match="already"):
        await do(services, action)

    assert len(kinds(services)) == 1


@pytest.mark.parametrize("action", ["acknowledge", "command", "severity", "resolve"])
async def test_a_resolved_incident_is_over(services: FakeServices, action: str) -> None:
    await store_incident(services, state=State.RESOLVED)

    with pytest.raises(Conflict, match="resolved already"):
        await do(services, action, **SAID[action])


@pytest.mark.parametrize(
    ("action", "said", "reason"),
    [
        ("explode", {}, "unknown-action"),
        ("acknowledge", {"who": "Ada"}, "wrong-field"),
        ("severity", {"severity": "SEV0"}, "missing-field"),
        ("severity", {"severity": "SEV9", "why": "x"}, "wrong-field"),
        ("severity", {"severity": "SEV0", "why": " "}, "missing-field"),
        ("severity", {"severity": "SEV0", "why": "x" * 1_001}, "missing-field"),
        ("resolve", {}, "missing-field"),
        ("resolve", {"why": "  "}, "missing-field"),
        ("resolve", {"why": "x" * 1_001}, "missing-field"),
        ("notes", {"text": ""}, "wrong-text"),
        ("notes", {"text": "x" * 4_001}, "wrong-text"),
        ("notes", {"text": "x", "extra": 1}, "wrong-field"),
        ("reported", {"reference": " "}, "wrong-reference"),
        ("reported", {"reference": "x" * 201}, "wrong-reference"),
        ("reported", {"reference": "x", "at": "2026-11-23T14:04:00"}, "wrong-time"),
        ("reported", {"reference": "x", "at": "2026-11-23T14:06:00Z"}, "wrong-time"),
        ("reported", {"reference": "x", "at": "2026-11-22T14:00:00Z"}, "wrong-time"),
    ],
)
async def test_what_makes_no_sense_is_rejected_with_what_is_wrong(
    services: FakeServices, action: str, said: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedInput) as refused:
        await do(services, action, **said)

    assert refused.value.reason == reason
    assert kinds(services) == []


async def test_who_makes_it_too_mild_to_wake_anybody_is_reviewed(services: FakeServices) -> None:
    await do(services, "severity", severity="SEV0", why="all customers")
    assert await open_reviews(services) == []

    done = await do(services, "severity", severity="SEV2", why="only a test tenant")
    (review,) = await open_reviews(services)
    assert (review.kind, review.opened_by) == (ReviewKind.MANUAL_OVERRIDE, ADA.id)
    assert review.why == "Made a SEV2 of a SEV0, which wakes nobody: only a test tenant"
    assert done.reviews == (review.id,)

    await do(services, "severity", severity="SEV3", why="nobody at all")
    assert len(await open_reviews(services)) == 1  # it woke nobody before


async def test_who_does_so_twice_is_reviewed_twice(services: FakeServices) -> None:
    for severity in ("SEV2", "SEV1", "SEV3"):
        await do(services, "severity", severity=severity, why="it goes to and fro")
    assert len(await open_reviews(services)) == 2


async def test_what_was_reported_earlier_is_told_of_that_time_also_once_it_is_over(
    services: FakeServices,
) -> None:
    await store_incident(services, state=State.RESOLVED)
    at = (INCIDENT.opened_at + timedelta(seconds=1)).isoformat()
    await do(services, "reported", reference="AFM-1", at=at)
    done = await do(services, "reported", reference="AFM-2")

    first, _ = told(services)
    assert (first.happened_at.isoformat(), first.recorded_at) == (at, NOW)
    assert (complete(first), first.after["reference"]) == ((), "AFM-1")
    assert [one.reference for one in done.duty.reports] == ["AFM-1", "AFM-2"]


async def test_two_people_at_once_both_leave_their_notes(services: FakeServices) -> None:
    services.outside.turns.once("state.write", lambda: do(services, "notes", text="first"))

    await do(services, "notes", text="second")

    assert [note.text for note in (await incident_now(services)).notes] == ["first", "second"]


async def test_nobody_acts_whom_the_door_has_not_let_in(services: FakeServices) -> None:
    path = {"id": INCIDENT.id, "action": "acknowledge"}

    with pytest.raises(RejectedInput):
        await handle(services, Request(method="POST", path=path, body=b"{}"))

    assert kinds(services) == []


async def test_an_incident_that_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await do(services, "acknowledge", incident="INC-35-261123-FFFFFFFF")
