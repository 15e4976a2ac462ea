"""Somebody else's service is played by its own file: its questions, its regions, its indexes."""

from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.foundry.behaviour import Behaviour
from infra.local.foundry.foreign import right_answer
from infra.local.foundry.scoring import tell_watermark
from infra.local.foundry.seed import seed, seed_further
from infra.local.foundry.world import World
from shared.domain.catalog import Dependency
from shared.domain.health.golden import KINDS, GoldenCase, GoldenCases, Reply, judge
from tests.infra.local.foundry.quotes import QUOTES
from tests.infra.local.foundry.serving import QUICK, scoring_served
from tests.shared.domain.decisions.worked_case import alter

PRICE = GoldenCase(
    name="price",
    request={"days": 14, "region": "norwayeast"},
    contains=("14 days",),
    lacks=("served",),
    schema={"price": "number", "said": "text"},
)
NO_DAYS = GoldenCase(name="no-days", request={"country": "NO"}, refused=True)
CLAIM = GoldenCase(name="claim", request={"claim_id": "R-1", "text": "Hail."}, contains=("desk 7",))
GOLDEN = GoldenCases(service="quotes", cases=(PRICE, NO_DAYS, CLAIM))


def play(golden: GoldenCases | None = GOLDEN, behaviour: Behaviour = QUICK) -> World:
    world = World(latency_scale=0.0)
    seed(world)
    for deployment in seed_further(world, QUOTES, golden).deployments.values():
        deployment.behaviour = behaviour
    return world


async def ask(world: World, request: object) -> Reply:
    body = request if isinstance(request, str) else msgspec.json.encode(request)
    async with (
        scoring_served(world) as url,
        aiohttp.ClientSession() as customer,
        customer.post(f"{url}/endpoints/quotes-live/score", data=body) as response,
    ):
        return Reply(status=response.status, body=await response.read())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"days": 14}', 200),
        ('{"days": 14, "region": 7}', 200),
        ('{"days": 14, "region": ["norwayeast"]}', 200),
        ("[14]", 400),
        ("days", 400),
    ],
)
async def test_any_object_is_answered_and_nothing_else(body: str, status: int) -> None:
    assert (await ask(play(golden=None), body)).status == status


class TestGoldenCases:
    @pytest.mark.parametrize("case", GOLDEN.cases, ids=lambda case: case.name)
    async def test_a_good_version_answers_as_they_ask(self, case: GoldenCase) -> None:
        assert judge(case, await ask(play(), case.request)) == ""

    async def test_a_probe_may_ask_in_another_region(self) -> None:
        asked = {**PRICE.request, "region": "norwaywest"}
        assert judge(PRICE, await ask(play(), asked)) == ""

    @pytest.mark.parametrize("case", GOLDEN.cases, ids=lambda case: case.name)
    async def test_a_version_that_fails_does_not(self, case: GoldenCase) -> None:
        world = play(behaviour=Behaviour(error_rate={"*": 1.0}))
        assert judge(case, await ask(world, case.request)).startswith("HTTP 424")

    async def test_a_version_that_withholds_its_answers_does_not(self) -> None:
        world = play(behaviour=msgspec.structs.replace(QUICK, safety_block_rate=1.0))
        assert judge(PRICE, await ask(world, PRICE.request)) == "does not say '14 days'"

    async def test_what_is_none_of_them_gets_none_of_their_answers(self) -> None:
        assert judge(PRICE, await ask(play(), {"days": 15})) == "does not say '14 days'"


@given(
    contains=st.lists(st.text('aé"\\ü-9 ', min_size=1), min_size=1).map(tuple),
    schema=st.dictionaries(st.text("abc", min_size=1), st.sampled_from(KINDS)),
)
def test_the_right_answer_is_one_that_is_judged_right(
    contains: tuple[str, ...], schema: dict[str, str]
) -> None:
    case = alter(PRICE, contains=contains, lacks=(), schema=schema)
    body = msgspec.json.encode(right_answer(case))
    assert judge(case, Reply(status=200, body=body)) == ""


@pytest.mark.parametrize(
    ("asked", "served_by"),
    [("norwaywest", "norwaywest"), ("westeurope", "norwayeast"), (7, "norwayeast")],
)
async def test_its_own_regions_serve_and_the_first_of_them_what_names_none(
    asked: object, served_by: str
) -> None:
    world, told = play(), []
    world.sink = lambda table, row: told.append((table, row))
    await ask(world, {"days": 15, "region": asked})
    (request,) = [row for table, row in told if table == "AppRequests"]
    assert request["Properties"]["backstop.region"] == served_by


class TestIndexes:
    def watermarks(self, *dependencies: Dependency) -> list[str]:
        told: list[dict[str, Any]] = []
        world = World(sink=lambda _, row: told.append(row))
        seed_further(world, alter(QUOTES, dependencies=dependencies))
        tell_watermark(world)
        return [row["Properties"]["backstop.index"] for row in told]

    def test_there_is_none_but_those_that_the_file_names(self) -> None:
        assert self.watermarks() == []
        assert self.watermarks(Dependency(name="tariff", kind="tool")) == []
        assert self.watermarks(Dependency(name="tariffs", kind="index")) == ["tariffs"]
