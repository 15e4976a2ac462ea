"""Lineage: releases are found by every question, newest first, and a read costs its answer."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.domain.decisions.release import Release
from shared.domain.keys import digest, shard_of
from shared.domain.lineage.artifact import Artifact, ArtifactKind
from shared.domain.row import Put
from shared.errors import Conflict, NotFound
from shared.protocol.lineage import (
    list_releases,
    list_users,
    newest_release_on,
    read_release,
    release_puts,
    share_of,
    sighting_row,
)
from shared.protocol.records import read_releases, release_row
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, SERVICE, SHARD, TARGET, new_services
from tests.shared.domain.decisions.worked_case import LIVE
from tests.shared.domain.lineage.looks import declared

P1 = Artifact(kind=ArtifactKind.PROMPT, name="p1")


def release(number: int, **changes: Any) -> Release:
    made = replace(
        LIVE,
        service=SERVICE.name,
        version=f"{number}",
        deployment="v1",
        prompt_revision="p1",
        registered_at=NOW + timedelta(microseconds=number),
    )
    return replace(made, **changes)


async def store(services: FakeServices, *releases: Release) -> None:
    for one in releases:
        await services.state.write(shard_of(one.service), release_puts(one))


@pytest.fixture
def services() -> FakeServices:
    return new_services()


def versions(releases: list[Release]) -> list[str]:
    return [one.version for one in releases]


async def test_releases_come_newest_first_and_by_pages(services: FakeServices) -> None:
    await store(services, *(release(number) for number in range(5)))

    first, following = await list_releases(services, SERVICE.name, limit=2)
    second, further = await list_releases(services, SERVICE.name, after=following, limit=2)
    third, end = await list_releases(services, SERVICE.name, after=further, limit=2)

    assert [versions(page) for page in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert end == ""


async def test_a_page_that_ends_with_the_list_has_no_next(services: FakeServices) -> None:
    await store(services, release(1), release(2))

    assert (await list_releases(services, SERVICE.name, limit=2))[1] == ""


async def test_no_page_leads_to_other_rows(services: FakeServices) -> None:
    await store(services, release(1))
    await services.state.write(SHARD, [Put(row="release-zz|x", value=release(2))])

    found, _ = await list_releases(services, SERVICE.name, after="~", limit=9)

    assert found == []


@pytest.mark.parametrize("version", ["2.0", "feature/p13#2?", "v 2\\x", "ü"])
async def test_a_release_is_read_by_its_version_whatever_that_holds_or_by_its_id(
    services: FakeServices, version: str
) -> None:
    one = release(1, version=version)
    await store(services, one)

    assert await read_release(services, SERVICE.name, version) == one
    assert await read_release(services, SERVICE.name, digest(version)) == one


@pytest.mark.parametrize("version", ["other", "0" * 32, "|", ""])
async def test_what_is_no_release_is_not_found(services: FakeServices, version: str) -> None:
    await store(services, release(1))

    with pytest.raises(NotFound):
        await read_release(services, SERVICE.name, version)


async def test_the_newest_of_a_deployment_is_known_without_regard_to_case(
    services: FakeServices,
) -> None:
    await store(services, release(1), release(3, deployment="V1"), release(2), release(9))
    await store(services, release(10, deployment="v2"))

    newest = await newest_release_on(services, SERVICE.name, "v1")

    assert newest is not None
    assert newest.version == "9"
    assert await newest_release_on(services, SERVICE.name, "v3") is None


async def test_a_version_is_registered_once(services: FakeServices) -> None:
    await store(services, release(1))

    with pytest.raises(Conflict):
        await store(services, release(1, prompt_revision="p2"))
    assert services.state.rows(SHARD, "used|prompt|") == services.state.rows(
        SHARD, f"used|prompt|{digest('p1')}"
    )


async def test_the_users_of_an_artifact_are_found_over_all_services(
    services: FakeServices,
) -> None:
    names = [SERVICE.name, "policy-search", "claims-triage"]
    await store(services, *(release(n, service=names[n % 3], version=f"{n}") for n in range(7)))
    await store(services, release(8, prompt_revision="p2"))

    first, following = await list_users(services, names, P1, limit=4)
    rest, end = await list_users(services, names, P1, after=following, limit=4)

    assert (versions(first), versions(rest), end) == (["6", "5", "4", "3"], ["2", "1", "0"], "")


async def test_only_the_services_that_are_asked_about_are_told(services: FakeServices) -> None:
    await store(services, release(1), release(2, service="other"))

    found, _ = await list_users(services, [SERVICE.name], P1, limit=9)

    assert [one.service for one in found] == [SERVICE.name]


async def test_a_question_of_one_artifact_reads_no_rows_of_another(
    services: FakeServices,
) -> None:
    await store(services, *(release(n, prompt_revision=f"q{n}") for n in range(30)), release(99))
    read: list[int] = []
    scan = services.state.scan

    async def counted(*asked: Any, **how: Any) -> Any:
        rows = await scan(*asked, **how)
        read.append(len(rows))
        return rows

    services.state.scan = counted  # type: ignore[method-assign] # counts what it answers

    assert len((await list_users(services, [SERVICE.name], P1, limit=50))[0]) == 1
    assert sum(read) == 1


async def test_many_releases_hide_none_of_the_newest(services: FakeServices) -> None:
    await store(services, *(release(number) for number in range(60)))

    assert versions(await read_releases(services, SERVICE)) == [
        f"{number}" for number in range(59, 9, -1)
    ]


async def test_what_was_registered_before_the_lineage_is_still_read(
    services: FakeServices,
) -> None:
    old = release(1)
    await services.state.write(SHARD, [Put(row=release_row(old), value=old)])
    await store(services, release(2))

    assert versions(await read_releases(services, SERVICE)) == ["2", "1"]


async def test_only_the_newest_release_of_a_deployment_serves(services: FakeServices) -> None:
    old, new, idle = release(1), release(2), release(3, deployment="v2")
    await store(services, old, new, idle)
    sighting = declared()
    await services.state.write(SHARD, [Put(row=sighting_row(TARGET), value=sighting)])

    assert [await share_of(services, one, [sighting]) for one in (old, new, idle)] == [0, 100, 0]
    assert await share_of(services, new, []) == 0
