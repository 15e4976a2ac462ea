"""The stage: turns are given, not taken; time is made up; a dead worker does nothing more."""

import asyncio

from shared.errors import Unavailable
from tests.simulation.writing.stage import Call, Stage, Worker


async def call(heard: list[str], name: str) -> None:
    try:
        await Call(f"{name}.write")
        heard.append(f"{name} wrote")
        await Call(f"{name}.written")
        heard.append(f"{name} heard")
    except Unavailable:
        heard.append(f"{name} heard nothing")


def begin(stage: Stage, heard: list[str], *names: str) -> list[Worker]:
    workers = [Worker(name) for name in names]
    for worker in workers:
        stage.start(worker, call(heard, worker.name))
    return workers


def test_nothing_happens_before_a_turn_is_given_and_then_up_to_the_next_call() -> None:
    stage, heard = Stage(), list[str]()
    with stage.running():
        one, two = begin(stage, heard, "one", "two")
        assert heard == []
        stage.give(two)
        stage.give(one)
        stage.give(two)

    assert heard == ["two wrote", "one wrote", "two heard"]
    assert (one.has_ended, two.has_ended) == (False, True)


def test_who_had_the_last_turn_comes_first_among_those_that_are_ready() -> None:
    stage = Stage()
    with stage.running():
        one, two = begin(stage, [], "one", "two")
        stage.give(two)

        assert stage.ready() == [two, one]
        two.held_until = 1.0
        assert stage.ready() == [one]


def test_trouble_is_raised_in_the_call_and_a_dead_worker_says_nothing_more() -> None:
    stage, heard = Stage(), list[str]()
    with stage.running():
        one, two = begin(stage, heard, "one", "two")
        stage.give(one, Unavailable("tables", "out"))
        stage.kill(two)

        assert stage.ready() == []
    assert heard == ["one heard nothing"]


def test_time_passes_to_the_next_that_sleeps_or_is_held() -> None:
    stage, woke = Stage(), list[float]()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woke.append(asyncio.get_running_loop().time())

    with stage.running():
        for seconds in (7.0, 3.0):
            stage.start(Worker(f"for {seconds}"), sleep(seconds))
        held = begin(stage, [], "held")[0]
        held.held_until = 5.0
        times = [stage.clock for _ in range(2) if stage.pass_time()]

    assert (times, woke) == ([3.0, 5.0], [3.0])
    assert stage.ready() == [held]


def test_what_a_worker_raises_fails_the_run_in_words() -> None:
    stage = Stage()

    async def stumble() -> None:
        await Call("state.read")
        raise KeyError("plan")

    with stage.running():
        stage.start(Worker("clumsy"), stumble())
        stage.give(stage.ready()[0])

    assert stage.failed == "clumsy raised what nobody foresaw: KeyError('plan')"
