"""Rounds: what a job of the tick does for many, so that the jobs behind it never wait for long.

Whoever is due is gone to, the longest waiting first and a few side by side; once a round has taken
its time nobody more is begun with, and the next tick goes on there. When it was gone to whom only
this process remembers: one that is started begins anew, and nothing depends on more than that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shared.services import Services

LANES = 8
ROUND_S = 10.0


def find_due(services: Services, job: str, every_s: Mapping[str, float]) -> list[str]:
    """The names to which a job is to go again, the longest waiting first.

    `every_s` says of each name how many seconds are to pass between two visits.
    """
    turns, now = services.memory.turns, services.now()
    due = [name for name, pause_s in every_s.items() if turns.is_due(job, pause_s, now, name)]
    return sorted(due, key=lambda name: turns.last(job, name))


async def go_round(
    services: Services, job: str, due: list[str], visit: Callable[[str], Awaitable[None]]
) -> None:
    """Visit who is due, as far as the time of a round lasts.

    A visit that raises keeps no other from being made; all that was raised is raised at the end, as
    an ExceptionGroup.
    """
    lanes, clock = asyncio.Semaphore(LANES), asyncio.get_running_loop().time
    until = clock() + ROUND_S

    async def one(name: str) -> None:
        async with lanes:
            if clock() < until:
                services.memory.turns.take(job, services.now(), name)
                await visit(name)

    ended = await asyncio.gather(*map(one, due), return_exceptions=True)
    mistakes = [error for error in ended if isinstance(error, Exception)]
    if mistakes:
        raise ExceptionGroup(f"not all of the round {job} could be done", mistakes)
