"""Probes say which version answered, and pin themselves only."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from azure.core.exceptions import ClientAuthenticationError

from infra.local.foundry.behaviour import Behaviour
from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.world import World
from shared.adapters.scoring import Scoring
from shared.errors import RejectedInput, Unavailable
from tests.infra.local.foundry.serving import QUICK, scoring_served

PAYLOADS = [{"claim_id": f"P-{n}", "text": "Hail on the roof."} for n in range(8)]
FAILING = Behaviour(latency_ms=1.0, error_rate={"*": 1.0})
KEY = "the-key"


@pytest.fixture
def world() -> World:
    world = World(scoring_key=KEY)
    endpoint = seed(world)
    for deployment in endpoint.deployments.values():
        deployment.behaviour = QUICK
    return world


@pytest.fixture
async def scoring() -> AsyncIterator[Scoring]:
    scoring = Scoring(KEY)
    yield scoring
    await scoring.close()


@asynccontextmanager
async def served_uri(world: World) -> AsyncIterator[str]:
    async with scoring_served(world) as url:
        yield f"{url}/endpoints/{SERVICE}/score"


async def test_a_pinned_probe_is_answered_by_that_version_whatever_the_split(
    world: World, scoring: Scoring
) -> None:
    async with served_uri(world) as uri:
        report = await scoring.probe(uri, deployment="v2", region="westeurope", payloads=PAYLOADS)
    assert (report.sent, report.passed, report.ok) == (8, 8, True)
    assert report.answered_by == {"v2": 8}


async def test_a_pin_does_not_outlive_its_probe(world: World, scoring: Scoring) -> None:
    async with served_uri(world) as uri:
        await scoring.probe(uri, deployment="v2", region="westeurope", payloads=PAYLOADS)
        report = await scoring.probe(uri, deployment=None, region="westeurope", payloads=PAYLOADS)
    assert report.answered_by == {"v1": 8}


async def test_failures_are_counted_and_named(world: World, scoring: Scoring) -> None:
    world.deployment(SERVICE, "v2").behaviour = FAILING
    async with served_uri(world) as uri:
        report = await scoring.probe(uri, deployment="v2", region="westeurope", payloads=PAYLOADS)
    assert (report.sent, report.passed, report.ok) == (8, 0, False)
    assert report.detail == "8 x HTTP 424"
    assert report.answered_by == {"v2": 8}


async def test_only_the_region_that_suffers_fails(world: World, scoring: Scoring) -> None:
    world.deployment(SERVICE, "v2").behaviour = Behaviour(
        latency_ms=1.0, error_rate={"swedencentral": 1.0}, safety_block_rate=0.0
    )
    async with served_uri(world) as uri:
        good, bad = [
            await scoring.probe(
                uri,
                deployment="v2",
                region=region,
                payloads=[{**payload, "region": region} for payload in PAYLOADS],
            )
            for region in ("westeurope", "swedencentral")
        ]
    assert good.ok
    assert bad.passed == 0


async def test_another_version_that_answers_a_pinned_probe_does_not_pass(
    world: World, scoring: Scoring
) -> None:
    # As an endpoint does that ignores the pin: the name behind it is not the one asked for.
    world.endpoint(SERVICE).deployments["v2"] = world.deployment(SERVICE, "v1")
    async with served_uri(world) as uri:
        report = await scoring.probe(uri, deployment="v2", region="westeurope", payloads=PAYLOADS)
    assert report.passed == 0
    assert report.detail == "8 x answered by v1"


async def test_a_missing_version_fails_and_nobody_is_named(world: World, scoring: Scoring) -> None:
    async with served_uri(world) as uri:
        report = await scoring.probe(uri, deployment="v9", region="westeurope", payloads=PAYLOADS)
    assert (report.passed, report.detail, report.answered_by) == (0, "8 x HTTP 404", {})


async def test_an_endpoint_that_does_not_listen_is_counted(scoring: Scoring) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    report = await scoring.probe(
        f"http://127.0.0.1:{port}/score", deployment=None, region=None, payloads=PAYLOADS[:2]
    )
    assert report.passed == 0
    assert report.detail == "2 x ClientConnectorError"


async def test_a_late_answer_is_counted(world: World, scoring: Scoring) -> None:
    world.deployment(SERVICE, "v1").behaviour = Behaviour(latency_ms=60_000.0)
    async with served_uri(world) as uri:
        report = await scoring.probe(
            uri, deployment=None, region="westeurope", payloads=PAYLOADS[:2], timeout_s=0.1
        )
    assert report.detail == "2 x no answer in time"


async def test_a_token_provider_is_asked_for_the_key(world: World) -> None:
    async def token() -> str:
        return KEY

    scoring = Scoring(token)
    async with served_uri(world) as uri:
        report = await scoring.probe(
            uri, deployment=None, region="westeurope", payloads=PAYLOADS[:1]
        )
    await scoring.close()
    assert report.ok


async def test_an_identity_that_gets_no_token_is_an_outage(world: World) -> None:
    async def token() -> str:
        raise ClientAuthenticationError("no managed identity answers")

    scoring = Scoring(token)
    async with served_uri(world) as uri:
        with pytest.raises(Unavailable) as out:
            await scoring.probe(uri, deployment=None, region=None, payloads=PAYLOADS[:1])
    await scoring.close()
    assert out.value.part == "endpoint"


async def test_a_wrong_key_does_not_pass(world: World) -> None:
    scoring = Scoring("another")
    async with served_uri(world) as uri:
        report = await scoring.probe(
            uri, deployment=None, region="westeurope", payloads=PAYLOADS[:1]
        )
    await scoring.close()
    assert report.detail == "1 x HTTP 401"


async def test_probes_are_marked_so_that_they_never_count_as_customers(
    world: World, scoring: Scoring
) -> None:
    told: list[dict[str, object]] = []
    world.sink = lambda _table, row: told.append(row)
    async with served_uri(world) as uri:
        await scoring.probe(uri, deployment="v1", region="westeurope", payloads=PAYLOADS[:1])
    assert told
    marks = [dict(row["Properties"])["backstop.probe"] for row in told]  # type: ignore[call-overload]
    assert set(marks) == {"true"}


@pytest.mark.parametrize("uri", ["http://scoring.example/score", "ftp://127.0.0.1/score", ""])
async def test_the_key_never_travels_in_the_open(scoring: Scoring, uri: str) -> None:
    with pytest.raises(RejectedInput):
        await scoring.probe(uri, deployment=None, region=None, payloads=PAYLOADS[:1])


async def test_one_request_is_answered_with_what_came_back(world: World, scoring: Scoring) -> None:
    async with served_uri(world) as uri:
        reply = await scoring.ask(uri, {**PAYLOADS[0], "region": "westeurope"})
        refused = await scoring.ask(uri, {"text": "no claim"})
    assert (reply.status, reply.answered_by, reply.trouble) == (200, "v1", "")
    assert b"Hail on the roof." in reply.body
    assert reply.elapsed_ms > 0
    assert refused.status == 400


async def test_what_does_not_answer_one_request_is_said(world: World, scoring: Scoring) -> None:
    for deployment in world.endpoint(SERVICE).deployments.values():
        deployment.behaviour = Behaviour(latency_ms=5_000.0)
    async with served_uri(world) as uri:
        late = await scoring.ask(uri, {**PAYLOADS[0], "region": "westeurope"}, timeout_s=0.05)
    gone = await scoring.ask(uri, PAYLOADS[0])
    assert late.trouble == "no answer in time"
    assert gone.trouble == "ClientConnectorError"
