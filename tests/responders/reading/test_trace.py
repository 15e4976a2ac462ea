"""Trace: lineage in both directions, over what was registered."""

from typing import Any

import msgspec
import pytest

from responders.reading.trace import show_difference, show_lineage, show_release, show_releases
from responders.watching.compare import compare
from responders.watching.register import register
from shared.domain.authority.caller import AppRole
from shared.domain.keys import digest
from shared.domain.views.http import Answer, Request
from shared.errors import NotFound, RejectedInput
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices
from tests.fakes.callers import app
from tests.fakes.scene import SERVICE, new_services

FIRST = {"version": "1/0#a", "deployment": "v1", "prompt_revision": "p12", "dataset_version": "d7"}
SECOND = {
    "version": "2.0",
    "deployment": "v2",
    "prompt_revision": "p13",
    "dataset_version": "d7",
    "model_artifact": "fnol:7",
    "configuration_digest": "c0ffee",
}


async def post(services: FakeServices, release: dict[str, Any]) -> int:
    said = {"service": SERVICE.name, "why": "as planned", **release}
    body = msgspec.json.encode(said)
    request = Request(method="POST", body=body, caller=app(AppRole.DEPLOYER))
    return (await register(services, request)).status


@pytest.fixture
async def services() -> FakeServices:
    """Two releases, of which the second serves."""
    made = new_services()
    for release in (FIRST, SECOND):
        assert await post(made, release) == 201
        made.outside.wait(60)
    await compare(made, Leftovers(messages={}, effects=[], intents=[]))
    return made


def asked(**query: str) -> Request:
    return Request(query={"service": SERVICE.name, **query})


def read(answer: Answer) -> Any:
    assert answer.status == 200
    return msgspec.json.decode(answer.body)


async def of_artifact(services: FakeServices, **query: str) -> list[str]:
    answer = read(await show_lineage(services, Request(query=query)))
    return [one["release"]["version"] for one in answer["used_by"]]


async def test_releases_are_listed_with_their_live_share(services: FakeServices) -> None:
    answer = read(await show_releases(services, asked(limit="1")))
    rest = read(await show_releases(services, asked(after=answer["next"])))

    (second,), (first,) = answer["releases"], rest["releases"]
    assert (second["release"]["version"], second["live_percent"]) == ("2.0", 100)
    assert (first["release"]["version"], first["live_percent"]) == ("1/0#a", 0)
    assert rest["next"] == ""


@pytest.mark.parametrize("name", ["1/0#a", digest("1/0#a")], ids=["version", "id"])
async def test_an_endpoint_version_leads_to_what_it_is_made_of(
    services: FakeServices, name: str
) -> None:
    request = msgspec.structs.replace(asked(), path={"version": name})
    found = read(await show_release(services, request))

    assert found["id"] == digest("1/0#a")
    assert (found["release"]["prompt_revision"], found["release"]["dataset_version"]) == (
        "p12",
        "d7",
    )
    assert found["unattributed"] == []


async def test_an_artifact_leads_to_the_endpoint_versions_that_used_it(
    services: FakeServices,
) -> None:
    assert await of_artifact(services, dataset="d7") == ["2.0", "1/0#a"]
    assert await of_artifact(services, prompt="p12") == ["1/0#a"]
    assert await of_artifact(services, model="fnol:7", service=SERVICE.name) == ["2.0"]
    assert await of_artifact(services, prompt="never used") == []


async def test_which_of_its_users_serves_is_said(services: FakeServices) -> None:
    answer = read(await show_lineage(services, Request(query={"dataset": "d7"})))

    assert answer["dataset"] == "d7"
    assert [one["live_percent"] for one in answer["used_by"]] == [100, 0]


async def test_two_versions_differ_field_by_field(services: FakeServices) -> None:
    found = read(await show_difference(services, asked(a="1/0#a", b=digest("2.0"))))

    assert (found["a"], found["b"], found["same"]) == ("1/0#a", "2.0", ["dataset_version"])
    assert {one["field"]: (one["a"], one["b"]) for one in found["changes"]} == {
        "deployment": ("v1", "v2"),
        "model_artifact": ("", "fnol:7"),
        "prompt_revision": ("p12", "p13"),
        "configuration_digest": ("", "c0ffee"),
    }


async def test_the_same_release_again_is_listed_once(services: FakeServices) -> None:
    assert await post(services, SECOND) == 200

    assert await of_artifact(services, dataset="d7") == ["2.0", "1/0#a"]


async def test_what_stands_against_a_release_is_shown_with_it(services: FakeServices) -> None:
    rows = [{"Deployment": "v2", "PromptVersion": "p14", "ConfigurationDigest": "", "Total": 9}]
    services.outside.wait(3600)
    services.logs.answer("served", [{**row, "LastSeen": services.now()} for row in rows])
    await compare(services, Leftovers(messages={}, effects=[], intents=[]))

    request = msgspec.structs.replace(asked(), path={"version": "2.0"})
    (standing,) = read(await show_release(services, request))["unattributed"]

    assert (standing["finding"]["kind"], standing["told_at"]) == ("prompt-edited", None)


@pytest.mark.parametrize(
    ("respond", "query", "reason"),
    [
        (show_releases, {}, "unknown-service"),
        (show_releases, {"service": "nobody's"}, "unknown-service"),
        (show_difference, {"service": SERVICE.name, "a": "2.0"}, "no-release"),
        (show_lineage, {}, "no-artifact"),
        (show_lineage, {"prompt": "p1", "model": "m"}, "no-artifact"),
        (show_lineage, {"prompt": "p1", "service": "nobody's"}, "unknown-service"),
    ],
)
async def test_a_question_that_says_too_little_is_rejected(
    services: FakeServices, respond: Any, query: dict[str, str], reason: str
) -> None:
    with pytest.raises(RejectedInput) as refused:
        await respond(services, Request(query=query))

    assert refused.value.reason == reason


async def test_a_release_that_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await show_difference(services, asked(a="2.0", b="3.0"))
