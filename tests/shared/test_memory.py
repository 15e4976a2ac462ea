"""What a process remembers: whose turn it is, and what runs beside."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.memory import NEVER, Errands, Memory, Turns

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
EVERY_S = 30.0


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_never_had_its_turn_is_due() -> None:
    assert Turns().is_due("seal", EVERY_S, NOW)
    assert Turns().last("seal") == NEVER


@pytest.mark.parametrize(("seconds", "due"), [(0, False), (29.9, False), (30, True), (31, True)])
def test_it_is_due_again_once_its_pause_is_over(seconds: float, due: bool) -> None:
    turns = Turns()
    turns.take("seal", NOW)

    assert turns.is_due("seal", EVERY_S, after(seconds)) is due


def test_no_pause_is_a_turn_at_every_tick() -> None:
    turns = Turns()
    turns.take("seal", NOW)

    assert turns.is_due("seal", 0, NOW)


def test_each_job_and_each_name_has_turns_of_its_own() -> None:
    turns = Turns()
    turns.take("watch", NOW, "a")

    assert not turns.is_due("watch", EVERY_S, NOW, "a")
    assert turns.is_due("watch", EVERY_S, NOW, "b")
    assert turns.is_due("compare", EVERY_S, NOW, "a")


async def test_an_errand_runs_beside_and_once_at_a_time() -> None:
    errands, go_on, began = Errands(), asyncio.Event(), []

    async def run() -> None:
        began.append(1)
        await go_on.wait()

    assert errands.start("keep", run)
    assert not errands.start("keep", run)
    assert errands.start("other", run)
    await asyncio.sleep(0)
    assert len(began) == 2

    go_on.set()
    await asyncio.gather(*errands.running("keep"))

    assert errands.start("keep", run)
    await errands.close()


async def test_one_that_is_just_over_keeps_nobody_from_the_next() -> None:
    """Between the end of a task and what follows from it the loop serves others."""
    errands, go_on = Errands(), asyncio.Event()
    begun: list[bool] = []

    async def run() -> None:
        await go_on.wait()
        asyncio.get_running_loop().call_soon(lambda: begun.append(errands.start("keep", run)))

    errands.start("keep", run)
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert begun == [True]
    await errands.close()


async def test_what_still_runs_is_ended_with_the_process() -> None:
    errands, ended = Errands(), []

    async def run() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    for _ in range(3):
        errands.start("echo", run, most=3)
    assert not errands.start("echo", run, most=3)
    await asyncio.sleep(0)

    await errands.close()

    assert ended == [1, 1, 1]
    assert errands.running("echo") == []


def test_a_new_process_begins_with_nothing_but_a_place_of_its_own_to_begin_at() -> None:
    one, another = Memory(NOW), Memory(after(1))

    assert next(one.ticks) != next(another.ticks)
