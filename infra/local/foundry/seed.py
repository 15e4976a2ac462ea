"""The demonstration's services: first notices of loss of a regional insurer, summarised and routed.

Of the summaries `v1` is good and takes all traffic; `v2` waits with a prompt revision that will
overflow the model's context in one region, some seconds after it first takes traffic. The routing's
two versions answer equally well by every measure: what is wrong with its `v2` only people see.
"""

from infra.local.foundry.behaviour import Behaviour, overflowing
from infra.local.foundry.resources import (
    MODEL_TAG,
    PROMPT_TAG,
    PROVIDER,
    Deployment,
    Endpoint,
)
from infra.local.foundry.world import World
from infra.local.played import endpoints_of
from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import parse_target
from shared.domain.health.golden import GoldenCases

SERVICE = "fnol-summary"
SECOND = "claim-routing"
BAD_REGION = "swedencentral"
HALF = 0.5
FURTHER_PROMPTS = {"v1": "p1", "v2": "p2"}
MODEL = "gpt-4.1-2025-04-14"


def seed(world: World, *, fuse_s: float = 20.0, later: Behaviour | None = None) -> Endpoint:
    """Put the service into the world; `later` is what becomes of v2 when its fuse has burnt."""
    endpoint = world.add_endpoint(SERVICE)
    endpoint.indexes = (world.index,)
    endpoint.document["tags"] = {"owner": "claims-platform", "costCenter": "4711"}
    endpoint.properties["description"] = "Summaries of first notices of loss"
    _version(world, endpoint, "v1", "p12")
    bad = _version(world, endpoint, "v2", "p13")
    bad.later = later or overflowing(BAD_REGION)
    bad.fuse_s = fuse_s
    return _serve_v1(world, endpoint)


def seed_second(world: World) -> Endpoint:
    """Put the second service into the world, whose trouble no alert rule sees."""
    endpoint = world.add_endpoint(SECOND)
    endpoint.properties["description"] = "Routing of claims to the desk that handles them"
    _version(world, endpoint, "v1", "r4")
    _version(world, endpoint, "v2", "r5")
    return _serve_v1(world, endpoint)


def seed_further(
    world: World, service: Service, golden: GoldenCases | None = None, *, fuse_s: float = 20.0
) -> Endpoint:
    """Put a service of somebody else into the world: its v2 fails for half of its customers.

    It serves the regions of its file, answers from the indexes that it depends upon, and knows the
    answers to its golden cases.
    """
    place = parse_target(endpoints_of(service)[0])
    home = (
        f"/subscriptions/{place.subscription}/resourceGroups/{place.resource_group}"
        f"/providers/{PROVIDER}/workspaces/{place.workspace}"
    )  # as ARM writes it, which the SDK insists on
    endpoint = world.add_endpoint(place.endpoint, f"{home}/onlineEndpoints/{place.endpoint}")
    endpoint.role = service.name
    endpoint.regions = service.regions
    endpoint.indexes = tuple(one.name for one in service.dependencies if one.kind == "index")
    endpoint.golden = golden.cases if golden else ()
    _version(world, endpoint, "v1", FURTHER_PROMPTS["v1"])
    bad = _version(world, endpoint, "v2", FURTHER_PROMPTS["v2"])
    bad.later = Behaviour(error_rate={"*": HALF})
    bad.fuse_s = fuse_s
    return _serve_v1(world, endpoint)


def _serve_v1(world: World, endpoint: Endpoint) -> Endpoint:
    endpoint.properties["traffic"] = {"v1": 100, "v2": 0}
    endpoint.serve({"v1": 100}, world.clock())
    return endpoint


def _version(world: World, endpoint: Endpoint, name: str, prompt: str) -> Deployment:
    return world.add_deployment(endpoint, name, **{MODEL_TAG: MODEL, PROMPT_TAG: prompt})
