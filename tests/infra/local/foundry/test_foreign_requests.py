"""Somebody else's service is played without knowing its requests: any JSON object is one."""

import aiohttp
import pytest

from infra.local.foundry.seed import seed, seed_further
from infra.local.foundry.world import World
from tests.infra.local.foundry.serving import QUICK, scoring_served

ARM_ID = (
    "/subscriptions/f2/resourcegroups/rg/providers/microsoft.machinelearningservices"
    "/workspaces/mlw/onlineendpoints/quotes-live"
)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"days": 14}', 200),
        ('{"days": 14, "region": 7}', 200),
        ("[14]", 400),
        ("days", 400),
    ],
)
async def test_any_object_is_answered_and_nothing_else(body: str, status: int) -> None:
    world = World()
    seed(world)
    for deployment in seed_further(world, "quotes", ARM_ID).deployments.values():
        deployment.behaviour = QUICK
    async with (
        scoring_served(world) as url,
        aiohttp.ClientSession() as customer,
        customer.post(f"{url}/endpoints/quotes-live/score", data=body) as response,
    ):
        assert response.status == status
