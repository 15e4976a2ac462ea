"""Tick: the jobs of an app, run one after the other by its timer.

First the leftovers of all shards are found, once for all jobs. Without the tables nothing can be
begun; who wakes people is then told of it.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from shared.errors import BackstopError, Unavailable
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.services import Services

log = logging.getLogger("backstop")

type ShutOut = Callable[[Services, Unavailable], Awaitable[None]]


class Job(Protocol):
    """What a tick does, by the name that logs know it by."""

    @property
    def name(self) -> str:
        """Its name."""

    async def __call__(self, services: Services, leftovers: Leftovers, /) -> object:
        """Do what is due of it."""


async def run_tick(services: Services, jobs: Sequence[Job], shut_out: ShutOut | None) -> None:
    """Run every job, then raise what nobody expected as one ExceptionGroup.

    The only broad catch of the triggers. Behind it is the host, and a job is no part of the others:
    a mistake in one would keep all behind it from running, at every tick. Nothing is swallowed: the
    log names the job, the host counts a failed tick, and the watchdog sees that none succeeds.
    """
    try:
        leftovers = await find_leftovers(services)
    except Unavailable as error:
        log.warning("tick: %s", error)
        if shut_out is not None:
            await shut_out(services, error)
        return
    mistakes: list[Exception] = []
    for job in jobs:
        try:
            await job(services, leftovers)
        except BackstopError as error:
            log.warning("tick: %s: %s", job.name, error)
        except Exception as error:  # noqa: BLE001 - raised below, after the jobs behind it
            log.error("tick: %s: %s", job.name, type(error).__name__)  # noqa: TRY400 - raised below
            error.add_note(f"raised by the tick's job {job.name}")
            mistakes.append(error)
    if mistakes:
        raise ExceptionGroup("not all jobs of the tick could be done", mistakes)
