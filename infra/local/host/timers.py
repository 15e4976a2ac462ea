"""The clock side of the host: timers, each on its NCRONTAB schedule in UTC, never overlapping."""

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Iterable

from croniter import croniter

from infra.local.host import protos
from infra.local.host.triggers import TimerTrigger
from infra.local.host.waiting import happens_within
from infra.local.host.worker import Call, InvocationFailed, Worker

log = logging.getLogger(__name__)

NEVER = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


def next_due(schedule: str, after: dt.datetime) -> dt.datetime:
    """Find the first instant of a schedule after another one.

    Of day-of-month and day-of-week both must match, as in NCRONTAB and unlike in cron.
    """
    seconds_first = len(schedule.split()) == 6
    times = croniter(schedule, after, second_at_beginning=seconds_first, day_or=False)
    due: dt.datetime = times.get_next(dt.datetime)
    return due


class Timers:
    """All timers of the app."""

    def __init__(self, worker: Worker, triggers: Iterable[TimerTrigger]) -> None:
        self._worker = worker
        self._triggers = list(triggers)
        self._stopping = asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to wait for the first instants; fire at once what asks to run on start-up."""
        self._running = [asyncio.create_task(self._run(trigger)) for trigger in self._triggers]

    async def stop(self) -> None:
        """Fire nothing more and let calls that run finish."""
        self._stopping.set()
        await asyncio.gather(*self._running)

    async def _run(self, trigger: TimerTrigger) -> None:
        last = NEVER
        if trigger.on_startup:
            last = dt.datetime.now(dt.UTC)
            await self._fire(trigger, NEVER, last)
        while True:
            now = dt.datetime.now(dt.UTC)
            # A sleep may end early by the wall clock; the same instant must not fire twice.
            due = next_due(trigger.schedule, max(now, last))
            if await happens_within(self._stopping, (due - now).total_seconds()):
                return
            await self._fire(trigger, last, due)
            last = due

    async def _fire(self, trigger: TimerTrigger, last: dt.datetime, due: dt.datetime) -> None:
        status = {
            "Last": last.isoformat(),
            "Next": next_due(trigger.schedule, due).isoformat(),
            "LastUpdated": last.isoformat(),
        }
        timer = {
            "Schedule": {"AdjustForDST": True},
            "IsPastDue": False,
            "ScheduleStatus": status,
        }
        call = Call(
            function=trigger.function,
            parameter=trigger.parameter,
            data=protos.TypedData(json=json.dumps(timer)),
        )
        try:
            await self._worker.invoke(call)
        except InvocationFailed as failure:
            log.error("%s failed: %s\n%s", trigger.function, failure, failure.trace)  # noqa: TRY400 - the app's trace, not ours
