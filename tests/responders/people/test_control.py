"""The kill switch: who may turn what, that it is told and kept, and that it ends."""

import asyncio
from typing import Any

import msgspec
import pytest

from responders.people.control import LONGEST_MINUTES, set_kill_switch, show_kill_switch
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Catalog, CatalogMistake
from shared.domain.views.http import Request
from shared.errors import RejectedInput, Unavailable
from shared.protocol.records import read_controls
from tests.fakes import FakeServices
from tests.fakes.callers import BEN, person
from tests.fakes.scene import SERVICE, new_services, told

DANA = person(AppRole.COMMANDER)
OFF_FOR_ALL = {"scope": "*", "on": True, "reason": "strange decisions"}


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def turn(
    services: FakeServices,
    headers: dict[str, str] | None = None,
    caller: Caller = DANA,
    **changes: Any,
) -> dict[str, object]:
    body = msgspec.json.encode(OFF_FOR_ALL | changes)
    request = Request(body=body, headers=headers or {}, caller=caller)
    answer = await set_kill_switch(services, request)
    found: dict[str, object] = msgspec.json.decode(answer.body)
    return found


async def stops(services: FakeServices, service: str = SERVICE.name) -> bool:
    controls = await read_controls(services)
    return any(one.stops(service, services.now()) for one in controls.kill_switches)


async def test_a_switch_for_all_stops_every_service(services: FakeServices) -> None:
    answer = await turn(services)
    assert answer["active"] is True
    assert await stops(services)
    assert await stops(services, "another")


async def test_a_switch_for_one_service_stops_that_one_only(services: FakeServices) -> None:
    await turn(services, scope=SERVICE.name)
    assert await stops(services)
    assert not await stops(services, "another")


async def test_a_service_whose_file_is_broken_can_be_stopped_before_it_is_mended(
    services: FakeServices,
) -> None:
    mistake = CatalogMistake(
        file="a.yaml", line=1, field="spec.mode", problem="no such mode", service=SERVICE.name
    )
    services.outside.catalog = Catalog(mistakes=(mistake,))

    await turn(services, scope=SERVICE.name)

    assert await stops(services)


async def test_turning_it_back_lets_automation_act_again(services: FakeServices) -> None:
    await turn(services)
    answer = await turn(services, on=False, reason="all is well", minutes=30)
    assert not await stops(services)
    assert (answer["active"], answer["expires_at"]) == (False, None)


async def test_it_ends_by_itself_where_minutes_are_given(services: FakeServices) -> None:
    await turn(services, minutes=30)
    services.outside.wait(29 * 60)
    assert await stops(services)
    services.outside.wait(60)
    assert not await stops(services)


async def test_without_minutes_it_stays(services: FakeServices) -> None:
    await turn(services)
    services.outside.wait(LONGEST_MINUTES * 60)
    assert await stops(services)


async def test_each_turn_is_told_with_before_and_after(services: FakeServices) -> None:
    await turn(services)
    await turn(services, on=False, reason="all is well")
    first, second = told(services)
    assert first.kind == "kill-switch.changed"
    assert (first.actor, first.role) == (DANA.id, "Commander")
    assert (first.why, first.before) == ("strange decisions", {"on": False})
    assert first.what == "turned the kill switch of all services on"
    assert (second.before["on"], second.after["on"]) == (True, False)


async def test_what_the_bus_did_not_take_is_kept_beside_the_switch(services: FakeServices) -> None:
    services.bus.out = True
    await turn(services)
    assert await stops(services)
    left = await services.state.scan("controls", "~out|", msgspec.Struct)
    assert len(left) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scope": "no-such-service"}, "unknown-scope"),
        ({"scope": ""}, "unknown-scope"),
        ({"who": "Dana"}, "wrong-field"),
        ({"reason": ""}, "missing-field"),
        ({"reason": "x" * 1001}, "too-long"),
        ({"minutes": 0}, "wrong-minutes"),
        ({"minutes": LONGEST_MINUTES + 1}, "wrong-minutes"),
        ({"on": "true"}, "wrong-field"),
        ({"until": "tomorrow"}, "wrong-field"),
    ],
)
async def test_what_is_not_understood_turns_nothing(
    services: FakeServices, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedInput) as refused:
        await turn(services, **changes)
    assert refused.value.reason == reason
    assert told(services) == []


async def test_all_switches_are_shown_with_whether_they_stop_anything(
    services: FakeServices,
) -> None:
    await turn(services, minutes=1)
    await turn(services, scope=SERVICE.name)
    services.outside.wait(61)
    answer = msgspec.json.decode((await show_kill_switch(services, Request())).body)
    active = {one["scope"]: one["active"] for one in answer["kill_switches"]}
    assert active == {"*": False, SERVICE.name: True}


async def test_switches_that_cannot_be_read_are_no_empty_list(services: FakeServices) -> None:
    services.outside.tables_out(out=True)
    with pytest.raises(Unavailable):
        await show_kill_switch(services, Request())


async def test_two_who_turn_it_at_once_are_both_told(services: FakeServices) -> None:
    ben = person(AppRole.COMMANDER, id=BEN)
    await asyncio.gather(turn(services), turn(services, caller=ben, on=False))
    assert {event.actor for event in told(services)} == {DANA.id, BEN}
