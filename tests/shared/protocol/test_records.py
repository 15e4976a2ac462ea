"""Records: what is known of a service beside its incidents, and what could not be found out."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.decisions.control import KillSwitch
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.errors import Conflict
from shared.protocol.records import (
    CONTROLS,
    RECENT_RELEASES,
    newest_on,
    read_controls,
    read_record,
    read_releases,
    release_row,
)
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, SERVICE, SHARD, TARGET, new_services, store_case
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, LIVE


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def test_a_target_without_a_record_has_an_empty_one_that_is_not_stored(
    services: FakeServices,
) -> None:
    found = await read_record(services, SERVICE, TARGET)

    assert (found.value.target, found.value.fence, found.etag) == (TARGET, 0, MUST_NOT_EXIST)
    assert services.state.partitions() == []


async def test_two_that_store_a_first_record_are_not_both_right(services: FakeServices) -> None:
    found = await read_record(services, SERVICE, TARGET)
    put = Put(row=found.row, value=found.value, etag=found.etag)
    await services.state.write(SHARD, [put])

    with pytest.raises(Conflict):
        await services.state.write(SHARD, [put])


async def test_releases_come_newest_first_and_not_endlessly(services: FakeServices) -> None:
    many = [
        msgspec.structs.replace(
            LIVE, version=str(number), registered_at=NOW + timedelta(seconds=number)
        )
        for number in range(RECENT_RELEASES + 5)
    ]
    for release in many:
        await services.state.write(SHARD, [Put(row=release_row(release), value=release)])

    found = await read_releases(services, SERVICE)

    assert len(found) == RECENT_RELEASES
    assert [release.version for release in found[:2]] == ["54", "53"]


async def test_a_version_may_hold_what_a_key_may_not(services: FakeServices) -> None:
    odd = msgspec.structs.replace(LIVE, version="v2/2026#1?")
    await services.state.write(SHARD, [Put(row=release_row(odd), value=odd)])

    assert await read_releases(services, SERVICE) == [odd]


def test_the_newest_release_of_a_deployment_is_found_in_any_case() -> None:
    newer = msgspec.structs.replace(GOOD_RELEASE, version="2")

    assert newest_on([newer, GOOD_RELEASE, LIVE], "V1") is newer
    assert newest_on([newer], "v9") is None


async def test_kill_switches_that_were_set_are_known(services: FakeServices) -> None:
    switch = KillSwitch(scope="*", on=True, by="Ada", reason="storm", at=NOW)
    await services.state.write(CONTROLS, [Put(row="kill|*", value=switch)])

    controls = await read_controls(services)

    assert (controls.known, controls.kill_switches) == (True, (switch,))


async def test_controls_that_cannot_be_read_are_unknown_and_no_error(
    services: FakeServices,
) -> None:
    await store_case(services)
    services.outside.tables_out(out=True)

    assert not (await read_controls(services)).known
