"""Register: a release is said once, with its lineage, and its name means one thing for ever."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.watching.register import register
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Catalog
from shared.domain.freezes.freeze import Calendar, FreezeWindow
from shared.domain.views.http import Request
from shared.domain.windows import Once
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.records import read_releases
from tests.fakes import FakeServices
from tests.fakes.callers import PIPELINE, app, person
from tests.fakes.scene import NOW, SERVICE, kinds, new_services, told

RELEASE = {
    "service": SERVICE.name,
    "version": "2.0",
    "deployment": "v2",
    "why": "as planned",
    "prompt_revision": "p13",
    "configuration_digest": "c0ffee",
}


DEPLOYER = app(AppRole.DEPLOYER)


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def post(services: FakeServices, caller: Caller = DEPLOYER, **changes: Any) -> int:
    body = msgspec.json.encode({**RELEASE, **changes})
    return (await register(services, Request(method="POST", body=body, caller=caller))).status


async def test_a_release_in_a_change_freeze_is_kept_marked_and_warned_of(
    services: FakeServices,
) -> None:
    window = Once(start=NOW - timedelta(days=1), end=NOW + timedelta(hours=1), reason="accounts")
    year_end = FreezeWindow(name="Year end", scope="*", window=window, zone="Europe/Amsterdam")
    services.outside.catalog = Catalog(
        services=services.catalog.services, calendar=Calendar(windows=(year_end,))
    )
    cited = "change freeze 'Year end' for all services until 16:05 CET (15:05 UTC): accounts"
    body = msgspec.json.encode(RELEASE)
    request = Request(method="POST", body=body, caller=DEPLOYER)

    first, again = await register(services, request), await register(services, request)

    assert (first.status, again.status) == (201, 200)
    for answer in (first, again):
        warning = msgspec.json.decode(answer.body)["warning"]
        assert warning == f"This release was registered during the {cited}"
    (event,) = told(services)
    assert event.evidence == {"change_freeze": cited}


async def test_a_release_outside_of_a_freeze_is_not_warned_of(services: FakeServices) -> None:
    body = msgspec.json.encode(RELEASE)
    answer = await register(services, Request(method="POST", body=body, caller=DEPLOYER))

    assert "warning" not in msgspec.json.decode(answer.body)
    assert told(services)[0].evidence == {}


async def test_a_release_is_kept_and_told(services: FakeServices) -> None:
    assert await post(services) == 201

    (release,) = await read_releases(services, SERVICE)
    assert (release.version, release.prompt_revision) == ("2.0", "p13")
    assert release.registered_at == services.now()
    (event,) = told(services)
    assert (event.kind, event.why) == ("release.registered", "as planned")
    assert (event.actor, event.role) == (PIPELINE, "Deployer")
    assert event.configuration_digest == "c0ffee"


async def test_it_is_told_what_was_declared_before(services: FakeServices) -> None:
    for version, deployment, flags in (("1", "v1", "off"), ("2", "v2", "off"), ("3", "v1", "on")):
        await post(services, version=version, deployment=deployment, flags_version=flags)
        services.outside.wait(1)

    first, second, third = told(services)
    assert first.before == {"registered": False}
    assert (second.before["version"], second.after["version"]) == ("1", "2")
    assert (third.before["version"], third.after["version"]) == ("1", "3")
    assert (third.before["flags_version"], third.after["flags_version"]) == ("off", "on")


async def test_the_same_release_again_changes_nothing(services: FakeServices) -> None:
    await post(services)
    services.outside.wait(60)

    assert await post(services) == 200
    assert await post(services, caller=person(AppRole.COMMANDER)) == 200
    assert kinds(services) == ["release.registered"]
    assert (await read_releases(services, SERVICE))[0].who == PIPELINE


async def test_another_release_of_the_same_name_is_a_conflict(services: FakeServices) -> None:
    await post(services)

    with pytest.raises(Conflict, match="with other contents"):
        await post(services, prompt_revision="p14")

    assert (await read_releases(services, SERVICE))[0].prompt_revision == "p13"


async def test_two_that_say_the_same_at_once_are_both_right(services: FakeServices) -> None:
    services.outside.turns.once("state.write", lambda: post(services.another("two")))

    assert await post(services) == 200
    assert kinds(services) == ["release.registered"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"service": "unknown"}, "unknown-service"),
        ({"deployment": ""}, "empty-field"),
        ({"started_by": "ana@claims.example"}, "wrong-person"),
        ({"why": "  "}, "empty-field"),
        ({"why": "x" * 1_001}, "too-long"),
        ({"model": "x" * 1_001}, "too-long"),
        ({"canary": [1] * 1_001}, "too-long"),
        ({"who": "somebody else"}, "wrong-field"),
        ({"version": 2}, "wrong-field"),
        ({"surprise": 1}, "wrong-field"),
    ],
)
async def test_what_cannot_be_a_release_is_rejected_with_what_is_wrong(
    services: FakeServices, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedInput) as refused:
        await post(services, **changes)

    assert refused.value.reason == reason
    assert services.state.partitions() == []


async def test_tables_that_are_out_are_said(services: FakeServices) -> None:
    services.outside.tables_out(out=True)

    with pytest.raises(Unavailable):
        await post(services)
