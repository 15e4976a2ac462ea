"""Lately: one query for all readers, an answer that ages, and nobody who waits for long."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.adapters.lately import KEPT, Lately
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer


class Workspace:
    """Counts what it is asked; answers once `open` is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def query(self, name: str, **parameters: object) -> QueryAnswer:
        self.asked.append((name, parameters))
        await self.open.wait()
        return QueryAnswer(name=name, status=AnswerStatus.EMPTY, detail=str(len(self.asked)))


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


@pytest.fixture
async def lately(workspace: Workspace) -> AsyncIterator[Lately]:
    made = Lately(workspace.query)
    yield made
    await made.close()


async def test_an_answer_is_kept_for_the_next_reader(lately: Lately, workspace: Workspace) -> None:
    first = await lately.query("onset", keep_s=60, within_s=5, Service="a")
    second = await lately.query("onset", keep_s=60, within_s=5, Service="a")
    assert first is second
    assert workspace.asked == [("onset", {"Service": "a"})]


async def test_another_question_is_asked_by_itself(lately: Lately, workspace: Workspace) -> None:
    await lately.query("onset", keep_s=60, within_s=5, Service="a")
    await lately.query("onset", keep_s=60, within_s=5, Service="b")
    assert len(workspace.asked) == 2


async def test_an_old_answer_is_asked_for_again(lately: Lately, workspace: Workspace) -> None:
    await lately.query("onset", keep_s=0, within_s=5)
    await lately.query("onset", keep_s=0, within_s=5)
    assert len(workspace.asked) == 2


async def test_readers_at_once_share_one_query(lately: Lately, workspace: Workspace) -> None:
    asking = [lately.query("onset", keep_s=0, within_s=5) for _ in range(20)]
    answers = await asyncio.gather(*asking)
    assert len(workspace.asked) == 1
    assert len({id(answer) for answer in answers}) == 1


async def test_who_cannot_wait_gets_nothing_and_the_next_one_the_answer(
    lately: Lately, workspace: Workspace
) -> None:
    workspace.open.clear()
    assert await lately.query("onset", keep_s=60, within_s=0.01) is None
    workspace.open.set()
    assert await lately.query("onset", keep_s=60, within_s=5) is not None
    assert len(workspace.asked) == 1


async def test_what_still_waits_is_given_up_at_the_end(workspace: Workspace) -> None:
    workspace.open.clear()
    lately = Lately(workspace.query)
    await lately.query("onset", keep_s=60, within_s=0.01)
    await lately.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others


async def test_the_oldest_question_is_forgotten_first(lately: Lately, workspace: Workspace) -> None:
    for number in range(KEPT + 1):
        await lately.query("onset", keep_s=60, within_s=5, Service=str(number))
    await lately.query("onset", keep_s=60, within_s=5, Service="1")
    assert len(workspace.asked) == KEPT + 1
    await lately.query("onset", keep_s=60, within_s=5, Service="0")
    assert len(workspace.asked) == KEPT + 2
