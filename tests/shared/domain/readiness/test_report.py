"""What falls is told once; what nobody could check changes nothing of what was known."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.incidents.escalation import wakes
from shared.domain.keys import shard_of
from shared.domain.readiness.check import Area, Check, failed, passed, unknown
from shared.domain.readiness.report import (
    SETTLES,
    Report,
    fallen,
    is_due,
    open_unready,
    remembering,
)
from tests.fakes.scene import NOW

DAY_S = 86_400.0
GOOD = passed(Area.TABLES, "state", "state answers")
BAD = failed(Area.TABLES, "state", "state refuses", "grant it")
DARK = unknown(Area.TABLES, "state", "silent", "again")


def after(*runs: Check) -> Report:
    """The report of runs that found these, one after the other."""
    last: Report | None = None
    for check in runs:
        last = Report(app="responder", at=NOW, checks=remembering(last, (check,)))
    assert last is not None
    return last


@pytest.mark.parametrize(
    ("before", "falls"),
    [
        ((GOOD,), True),
        ((GOOD, DARK), True),
        ((BAD,), False),
        ((GOOD, BAD), False),
        ((DARK,), False),
    ],
)
def test_only_what_passed_before_falls(before: tuple[Check, ...], falls: bool) -> None:
    last = after(*before)
    assert bool(fallen(last, (BAD,))) is falls


def test_what_failed_from_the_beginning_does_not_fall() -> None:
    assert fallen(None, (BAD,)) == ()


def test_what_is_told_elsewhere_is_not_told_here() -> None:
    good = msgspec.structs.replace(GOOD, area=Area.KNOWN_GOOD)
    bad = msgspec.structs.replace(BAD, area=Area.KNOWN_GOOD)
    assert fallen(after(good), (bad,)) == ()


def test_the_incident_wakes_somebody_and_says_what_to_do() -> None:
    step = open_unready("executor", (BAD,), shard_of("backstop"), NOW)
    assert step.incident is not None
    assert wakes(step.incident)
    assert "grant it" in step.incident.sentence


def test_one_looks_first_then_daily_and_while_roles_settle() -> None:
    last = msgspec.structs.replace(after(GOOD), roles_changed_at=NOW)
    hour = NOW + timedelta(hours=1)
    assert is_due(None, None, DAY_S, NOW)
    assert not is_due(last, None, DAY_S, hour)
    assert is_due(last, None, DAY_S, NOW + timedelta(days=1))
    assert not is_due(last, NOW, DAY_S, hour)
    assert is_due(last, NOW, DAY_S, NOW + SETTLES / 2)
    assert is_due(last, NOW + timedelta(minutes=1), DAY_S, hour)
