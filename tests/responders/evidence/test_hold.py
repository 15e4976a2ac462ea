"""Legal holds: who ordered what, why and until when; what may not be held, and what is told."""

from typing import Any

import msgspec
import pytest

from responders.evidence.hold import hold_by_form, lift_hold, place_hold, show_holds
from shared.domain.authority.caller import AppRole
from shared.domain.coverage import EVERYTHING, NEVER_SET
from shared.domain.event import EventKind
from shared.domain.ledger.completeness import complete
from shared.domain.views.http import Request
from shared.errors import Conflict, NotFound, RejectedInput
from tests.fakes import FakeServices
from tests.fakes.callers import BEN, person
from tests.fakes.scene import INCIDENT, SERVICE, new_services, store_case, told

AUDITOR = person(AppRole.AUDITOR)
OTHER = person(AppRole.AUDITOR, id=BEN)
MAY = {"since": "2026-05-01T00:00:00+02:00", "until": "2026-06-01T00:00:00Z"}


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def place(services: FakeServices, **changes: Any) -> dict[str, Any]:
    asked = {"scope": SERVICE.name, "reason": "a claim is disputed"} | changes
    body = msgspec.json.encode(asked)
    answer = await place_hold(services, Request(body=body, caller=AUDITOR))
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


async def lift(services: FakeServices, key: str, reason: str = "it was settled") -> dict[str, Any]:
    body = msgspec.json.encode({"reason": reason})
    answer = await lift_hold(services, Request(path={"id": key}, body=body, caller=OTHER))
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


async def listed(services: FakeServices) -> list[dict[str, Any]]:
    answer = await show_holds(services, Request())
    found: list[dict[str, Any]] = msgspec.json.decode(answer.body)["holds"]
    return found


@pytest.mark.parametrize("scope", [EVERYTHING, SERVICE.name, INCIDENT.id])
async def test_everything_a_service_or_an_incident_is_held(
    services: FakeServices, scope: str
) -> None:
    await store_case(services)
    held = await place(services, scope=scope)

    assert held["on"] is True
    assert (held["scope"], held["by"], held["role"]) == (scope, AUDITOR.id, "Auditor")
    assert [one["id"] for one in await listed(services)] == [held["id"]]


async def test_both_are_told_with_who_and_why_and_what_was_before(services: FakeServices) -> None:
    held = await place(services)
    services.outside.wait(60)
    await lift(services, held["id"])

    placed, lifted = (one for one in told(services) if one.kind is EventKind.LEGAL_HOLD_CHANGED)
    assert (complete(placed), complete(lifted)) == ((), ())
    assert (placed.actor, placed.role, placed.why) == (AUDITOR.id, "Auditor", "a claim is disputed")
    assert (lifted.actor, lifted.why) == (OTHER.id, "it was settled")
    assert (placed.before, lifted.before) == (NEVER_SET, placed.after)
    assert lifted.after["on"] is False


async def test_an_incident_s_hold_is_told_as_its_service_s(services: FakeServices) -> None:
    await store_case(services)
    await place(services, scope=INCIDENT.id)
    assert told(services)[-1].service == SERVICE.name


async def test_the_same_is_held_once_and_another_period_beside_it(services: FakeServices) -> None:
    first = await place(services)
    again = await place(services, reason="a second claim")
    of_may = await place(services, **MAY)

    assert first["id"] == again["id"] != of_may["id"]
    assert of_may["covers"] == (
        "the records of fnol-summary since 2026-04-30 22:00 UTC up to 2026-06-01 00:00 UTC"
    )
    assert len(await listed(services)) == 2


async def test_the_form_holds_whole_days(services: FakeServices) -> None:
    form = {"scope": "*", "reason": "an inquiry", "first": "2026-05-01", "last": "2026-05-31"}
    await hold_by_form(services, Request(body=msgspec.json.encode(form), caller=AUDITOR))

    (held,) = await listed(services)
    assert (held["since"], held["until"]) == ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")


async def test_what_is_lifted_is_not_lifted_again(services: FakeServices) -> None:
    held = await place(services)
    assert (await lift(services, held["id"]))["on"] is False
    with pytest.raises(Conflict, match=OTHER.id):
        await lift(services, held["id"])
    assert (await place(services))["on"] is True


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reason": " "}, "missing-field"),
        ({"reason": "x" * 1_001}, "too-long"),
        ({"scope": "no-such-service"}, "unknown-scope"),
        ({"since": "2026-05-01T00:00:00"}, "no-zone"),
        ({"since": MAY["until"], "until": MAY["since"]}, "wrong-period"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "wrong-period"),
        ({"scope": INCIDENT.id, **MAY}, "wrong-period"),
    ],
)
async def test_what_says_too_little_or_holds_nothing_is_refused(
    services: FakeServices, changes: dict[str, str], reason: str
) -> None:
    await store_case(services)
    with pytest.raises(RejectedInput) as refused:
        await place(services, **changes)
    assert refused.value.reason == reason
    assert await listed(services) == []


async def test_the_last_day_of_all_is_refused_by_the_form(services: FakeServices) -> None:
    form = msgspec.json.encode({"scope": "*", "reason": "x", "last": "9999-12-31"})
    with pytest.raises(RejectedInput, match="between the years"):
        await hold_by_form(services, Request(body=form, caller=AUDITOR))


@pytest.mark.parametrize("key", ["HOLD-00000000", "a/b"])
async def test_a_hold_that_is_none_is_not_found(services: FakeServices, key: str) -> None:
    with pytest.raises(NotFound):
        await lift(services, key)


async def test_an_incident_that_is_none_is_not_held(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await place(services, scope=INCIDENT.id)
