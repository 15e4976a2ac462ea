"""The data plane: customers' requests are served by the split that is in force, and told about.

A request may be pinned to one version by the header `azureml-model-deployment`; the answer names
the version that served in the same header. Every answer leaves its telemetry rows in the sink.
"""

import asyncio
from uuid import UUID

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.foundry import foreign, telemetry
from infra.local.foundry.behaviour import Happening, happen
from infra.local.foundry.resources import Deployment, Endpoint
from infra.local.foundry.rules import ArmError
from infra.local.foundry.search import newest_document, search_routes
from infra.local.foundry.world import World
from shared.domain.health.golden import GoldenCase

DEPLOYMENT_HEADER = "azureml-model-deployment"
PROBE_HEADER = "x-backstop-probe"
_WITHHELD = "(withheld by content safety)"


class ScoreRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A claim to summarise; `tenant` is the insurer whose claim it is, "" where nobody says."""

    claim_id: str
    region: str = ""
    text: str
    tenant: str = ""
    probe: bool = False


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, whoever's service it is: a claim, or a golden case, or anything else."""

    region: str
    tenant: str
    probe: bool = False
    claim: ScoreRequest | None = None
    case: GoldenCase | None = None


def create_scoring(world: World) -> Starlette:
    """Build the scoring server of all endpoints in the world."""

    async def score(request: Request) -> Response:
        return await _score(world, request)

    routes = [Route("/endpoints/{endpoint}/score", score, methods=["POST"]), *search_routes(world)]
    return Starlette(routes=routes, exception_handlers={ArmError: _refusal})


async def tell_watermarks(world: World, every_s: float = 1.0) -> None:
    """Say every second how fresh the search index is, until cancelled; ends due operations, too."""
    while True:
        world.settle()
        tell_watermark(world)
        await asyncio.sleep(every_s)


def tell_watermark(world: World) -> None:
    """Say how fresh each service's indexes are: behind by some seconds, or since they stopped."""
    now, newest = world.clock(), newest_document(world)
    for endpoint in world.endpoints.values():
        for index in endpoint.indexes:
            row = telemetry.watermark_row(endpoint.service, index, newest, now)
            world.sink("AppEvents", row)


async def _score(world: World, request: Request) -> Response:
    _check_key(world, request)
    endpoint = world.endpoint(request.path_params["endpoint"])
    ask = _parse(world, endpoint, await request.body())
    deployment = _choose(world, endpoint, request.headers.get(DEPLOYMENT_HEADER))
    served = _serve(world, endpoint, deployment, ask, PROBE_HEADER in request.headers)
    await asyncio.sleep(served.happening.latency_ms / 1000 * world.latency_scale)
    if ask.case and ask.case.refused and served.happening.good:
        raise ArmError(422, "UnprocessableContent", "this is not a request that can be answered")
    for table, row in [*telemetry.answer_rows(served), *world.processes.count(served)]:
        world.sink(table, row)
    return _answer(ask, served)


def _check_key(world: World, request: Request) -> None:
    given = request.headers.get("authorization", "")
    if world.scoring_key and given != f"Bearer {world.scoring_key}":
        raise ArmError(401, "Unauthorized", "the key is not valid for this endpoint")


def _parse(world: World, endpoint: Endpoint, body: bytes) -> Ask:
    try:
        ask = _read_foreign(world, endpoint, body) if endpoint.role else _read_claim(body)
    except msgspec.DecodeError as error:
        raise ArmError(400, "BadRequest", str(error)) from error
    regions = world.regions_of(endpoint)
    if not ask.region:
        return msgspec.structs.replace(ask, region=regions[0])
    if ask.region not in regions:
        raise ArmError(400, "BadRequest", f"no such region: {ask.region}")
    return ask


def _read_claim(body: bytes) -> Ask:
    claim = msgspec.json.decode(body, type=ScoreRequest)
    return Ask(claim=claim, region=claim.region, tenant=claim.tenant, probe=claim.probe)


def _read_foreign(world: World, endpoint: Endpoint, body: bytes) -> Ask:
    """A request of somebody else's service: a region that is none of its own is left to it."""
    request = foreign.read_request(body)
    region, tenant = request.get("region"), request.get("tenant")
    return Ask(
        case=foreign.golden_case(endpoint, request),
        region=region if region in world.regions_of(endpoint) else "",
        tenant=tenant if isinstance(tenant, str) else "",
    )


def _choose(world: World, endpoint: Endpoint, pinned: str | None) -> Deployment:
    if pinned is not None:
        return _ready(world.deployment(endpoint.name, pinned))
    split = endpoint.split_at(world.clock() - world.propagation_s)
    if not split:
        raise ArmError(404, "NotFound", "no deployment has a positive weight")
    name = world.rng.choices(list(split), list(split.values()))[0]
    return _ready(world.deployment(endpoint.name, name))


def _ready(deployment: Deployment) -> Deployment:
    if deployment.state == "Failed" or deployment.document["sku"]["capacity"] == 0:
        raise ArmError(503, "ServiceUnavailable", "no healthy replica")
    return deployment


def _serve(
    world: World, endpoint: Endpoint, deployment: Deployment, ask: Ask, probe: bool
) -> telemetry.Served:
    now = world.clock()
    behaviour = deployment.behaviour_at(now)
    return telemetry.served_by(
        deployment,
        at=now,
        service=endpoint.service,
        region=ask.region,
        tenant=ask.tenant,
        operation_id=UUID(int=world.rng.getrandbits(128)).hex,
        probe=ask.probe or probe,
        behaviour=behaviour,
        happening=happen(behaviour, ask.region, world.troubles, world.rng),
    )


def _answer(ask: Ask, served: telemetry.Served) -> Response:
    happening = served.happening
    headers = {DEPLOYMENT_HEADER: served.deployment}
    if not happening.good:
        headers["ms-azureml-model-error-statuscode"] = str(happening.model_status or 500)
        return _json({"error": {"code": happening.cause}}, happening.status, headers)
    said = _claim_answer(ask.claim, served) if ask.claim else _foreign_answer(ask.case, happening)
    return _json({"deployment": served.deployment, **said}, 200, headers)


def _claim_answer(claim: ScoreRequest, served: telemetry.Served) -> dict[str, object]:
    summary = f"First notice of loss {claim.claim_id}: {claim.text[:80]}"
    return {
        "claim_id": claim.claim_id,
        "summary": _WITHHELD if served.happening.blocked else summary,
        "region": served.region,
        "prompt_version": served.prompt_version,
    }


def _foreign_answer(case: GoldenCase | None, happening: Happening) -> dict[str, object]:
    if happening.blocked:
        return {foreign.SAID_IN: _WITHHELD}
    return foreign.right_answer(case) if case else {foreign.SAID_IN: "served"}


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ArmError)
    return _json({"error": {"code": error.code, "message": error.message}}, error.status, {})


def _json(body: object, status: int, headers: dict[str, str]) -> Response:
    content = msgspec.json.encode(body)
    return Response(content, status, headers, media_type="application/json")
