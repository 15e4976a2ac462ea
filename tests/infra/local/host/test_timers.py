"""When timers fire: NCRONTAB's rules, which are not quite cron's."""

import datetime as dt
from pathlib import Path

import pytest

from infra.local.host.timers import next_due
from tests.infra.local.host.sample import said, served, write_app


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("*/15 * * * * *", "2026-11-23T10:00:14", "2026-11-23T10:00:15"),
        ("0 */5 * * * *", "2026-11-23T10:00:14", "2026-11-23T10:05:00"),
        ("*/5 * * * *", "2026-11-23T10:00:14", "2026-11-23T10:05:00"),
        ("0 30 9 * * MON-FRI", "2026-11-20T10:00:00", "2026-11-23T09:30:00"),
    ],
)
def test_seconds_come_first_where_there_are_six_fields(schedule: str, after: str, due: str) -> None:
    assert next_due(schedule, at(after)) == at(due)


def test_an_instant_is_not_its_own_successor() -> None:
    assert next_due("0 0 * * * *", at("2026-11-23T10:00:00")) == at("2026-11-23T11:00:00")


def test_day_of_month_and_day_of_week_must_both_match() -> None:
    # The first Monday that is the 1st; cron would take the next Monday, or the next 1st.
    assert next_due("0 0 9 1 * MON", at("2026-11-23T10:00:00")) == at("2027-02-01T09:00:00")


async def test_a_timer_fires_on_start_up_if_asked_and_goes_on_after_a_failure(
    tmp_path: Path,
) -> None:
    app = write_app(
        tmp_path,
        """
count = 0

@app.timer_trigger(schedule="* * * * * *", arg_name="timer", run_on_startup=True)
async def tick(timer: func.TimerRequest) -> None:
    global count
    count += 1
    print("tick", count, timer.past_due, flush=True)
    if count == 1:
        raise RuntimeError("first tick fails")
""",
    )
    with served(app) as host:
        ticks = await said(host, "tick ", times=3)
        failures = await said(host, "tick failed: RuntimeError: first tick fails")
    assert ticks[0].startswith("tick 1")
    assert len(failures) == 1
