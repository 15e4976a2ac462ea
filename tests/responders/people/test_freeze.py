"""The change freeze: who set it, until when, what it covers, and that it never lasts for ever."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.people.freeze import LONGEST_MINUTES, set_freeze, show_freezes
from responders.reading.console import show_home
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Catalog
from shared.domain.freezes.freeze import Calendar, FreezeWindow
from shared.domain.freezes.frozen import ChangeKind, blocks, frozen_now
from shared.domain.views.http import Request
from shared.domain.windows import Once
from shared.errors import RejectedInput, Unavailable
from shared.protocol.records import read_controls
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import NOW, SERVICE, new_services, told

DANA = person(AppRole.COMMANDER)
YEAR_END = FreezeWindow(
    name="Year end",
    scope="*",
    window=Once(start=NOW - timedelta(days=1), end=NOW + timedelta(days=2), reason="accounts"),
    zone="Europe/Amsterdam",
)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def freeze(services: FakeServices, **changes: Any) -> dict[str, Any]:
    asked = {"scope": "*", "on": True, "reason": "the ledger moves", "minutes": 60} | changes
    answer = await set_freeze(services, Request(body=msgspec.json.encode(asked), caller=DANA))
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


async def shown(services: FakeServices) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode((await show_freezes(services, Request())).body)
    return found


async def refused(services: FakeServices, service: str = SERVICE.name) -> str:
    """Why a promotion of the service is refused now; "" where it is not."""
    now, controls = services.now(), await read_controls(services)
    frozen = frozen_now(services.catalog, controls, service, now)
    return blocks(ChangeKind.PROMOTION, frozen, now)


async def test_a_freeze_of_all_covers_every_service_until_it_expires(
    services: FakeServices,
) -> None:
    answer = await freeze(services)
    assert answer["active"] is True
    assert await refused(services)
    assert await refused(services, "another")

    services.outside.wait(3600)
    assert await refused(services) == ""
    assert [one["active"] for one in (await shown(services))["freezes"]] == [False]


async def test_a_freeze_of_one_service_covers_that_one_only(services: FakeServices) -> None:
    await freeze(services, scope=SERVICE.name)
    assert await refused(services)
    assert await refused(services, "another") == ""


async def test_a_freeze_can_be_lifted_and_both_are_told(services: FakeServices) -> None:
    await freeze(services)
    await freeze(services, on=False, minutes=None, reason="it is done")

    assert await refused(services) == ""
    set_, lifted = told(services)
    assert (set_.kind, set_.actor, set_.role) == ("freeze.changed", DANA.id, "Commander")
    assert set_.what == "froze the changes of all services"
    assert (lifted.what, lifted.why) == ("lifted the change freeze of all services", "it is done")
    assert lifted.before == set_.after


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"minutes": None}, "wrong-minutes"),
        ({"minutes": 0}, "wrong-minutes"),
        ({"minutes": LONGEST_MINUTES + 1}, "wrong-minutes"),
        ({"reason": "  "}, "missing-field"),
        ({"reason": "x" * 1_001}, "too-long"),
        ({"scope": "nobody"}, "unknown-scope"),
    ],
)
async def test_what_is_not_a_freeze_is_refused(
    services: FakeServices, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedInput) as refusal:
        await freeze(services, **changes)
    assert refusal.value.reason == reason


async def test_nobody_sets_a_freeze_namelessly(services: FakeServices) -> None:
    body = msgspec.json.encode({"scope": "*", "on": True, "reason": "x", "minutes": 1})
    with pytest.raises(RejectedInput, match="nobody"):
        await set_freeze(services, Request(body=body))


async def test_the_calendars_windows_are_shown_with_what_is_in_force(
    services: FakeServices,
) -> None:
    services.outside.catalog = Catalog(
        services=services.catalog.services, calendar=Calendar(windows=(YEAR_END,))
    )
    found = await shown(services)
    assert [(one["name"], one["active"]) for one in found["windows"]] == [("Year end", True)]
    assert found["in_force"] == [
        {
            "service": SERVICE.name,
            "freeze": "Year end",
            "until": "2026-11-25T14:05:00Z",
            "sentence": "change freeze 'Year end' for all services until 25 Nov 15:05 CET "
            "(14:05 UTC): accounts",
        }
    ]


async def test_the_first_page_says_that_changes_are_frozen_and_lets_it_be_lifted(
    services: FakeServices,
) -> None:
    assert "Nothing is frozen." in (await show_home(services, Request(caller=DANA))).body.decode()
    await freeze(services, reason="<script>")
    page = (await show_home(services, Request(caller=DANA))).body.decode()

    assert "Changes are frozen for all services." in page
    assert "Lift the freeze" in page
    assert "<script>" not in page.partition("<main")[2]


async def test_freezes_that_cannot_be_read_are_not_said_to_be_off(services: FakeServices) -> None:
    async def out() -> None:
        raise Unavailable("tables", "no answer")

    services.outside.turns.once("state.scan", out)
    with pytest.raises(Unavailable):
        await show_freezes(services, Request())


async def test_two_commanders_at_once_both_are_told(services: FakeServices) -> None:
    async def meanwhile() -> None:
        await freeze(services, reason="the other one", minutes=5)

    services.outside.turns.once("state.write", meanwhile)
    answer = await freeze(services, reason="mine", minutes=60)

    assert [event.why for event in told(services)] == ["the other one", "mine"]
    assert answer["expires_at"] == "2026-11-23T15:05:00Z"
