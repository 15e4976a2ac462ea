"""An index is asked for its newest document, over the search service's own route."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from infra.local.foundry.resources import moment
from infra.local.foundry.search import BEGUN_WITH, BEHIND_S, UPDATED
from infra.local.foundry.seed import seed
from infra.local.foundry.world import World
from shared.adapters.search_index import SearchIndexes
from shared.errors import RejectedInput, Unavailable
from tests.infra.local.foundry.serving import HandClock, scoring_served

INDEX = "policy-wordings"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world(clock: HandClock) -> World:
    world = World(clock=clock)
    seed(world)
    return world


@pytest.fixture
async def indexes(world: World) -> AsyncIterator[SearchIndexes]:
    async with scoring_served(world) as url:
        made = SearchIndexes("local", url)
        yield made
        await made.close()


async def test_an_index_whose_indexer_runs_is_a_few_seconds_old(
    indexes: SearchIndexes, clock: HandClock
) -> None:
    clock.now += 60
    found = await indexes.watermark("https://unused.example", INDEX, UPDATED)
    assert found.newest == moment(clock.now - BEHIND_S)
    assert found.documents > BEGUN_WITH


async def test_one_whose_indexer_has_stopped_grows_old_and_still_answers(
    indexes: SearchIndexes, world: World, clock: HandClock
) -> None:
    world.stop_index()
    stopped = moment(clock.now)
    clock.now += 7_200
    found = await indexes.watermark("https://unused.example", INDEX, UPDATED)
    assert found.newest == stopped - timedelta(seconds=BEHIND_S)
    assert found.documents == BEGUN_WITH


@pytest.mark.parametrize(("index", "field"), [("other", UPDATED), (INDEX, "colour")])
async def test_what_the_service_refuses_is_not_known(
    indexes: SearchIndexes, index: str, field: str
) -> None:
    with pytest.raises(Unavailable, match="search"):
        await indexes.watermark("https://unused.example", index, field)


async def test_nobody_there_is_not_known() -> None:
    nowhere = SearchIndexes("local", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="search"):
        await nowhere.watermark("https://unused.example", INDEX, UPDATED)
    await nowhere.close()


@pytest.mark.parametrize("endpoint", ["http://search.example", "ftp://127.0.0.1", ""])
async def test_a_token_is_never_sent_in_the_open(endpoint: str) -> None:
    with pytest.raises(RejectedInput):
        await SearchIndexes("secret").watermark(endpoint, INDEX, UPDATED)
