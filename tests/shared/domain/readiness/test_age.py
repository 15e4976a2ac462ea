"""How long a look counts, and since when an app has looked without a gap."""

from datetime import datetime, timedelta

import msgspec
import pytest

from shared.domain.readiness.age import GRACE, aged, is_late, unbroken_since
from shared.domain.readiness.check import Area, Verdict, failed, passed, unknown
from shared.domain.readiness.report import Report
from tests.fakes.scene import NOW

DAY_S = 86_400.0
TWO_DAYS = timedelta(days=2)
CHECKS = (
    passed(Area.TABLES, "state", "state answers"),
    failed(Area.BUS, "topic work", "it refuses", "grant it"),
    unknown(Area.LOGS, "the workspace", "silent", "again"),
)
REPORT = Report(app="executor", at=NOW, checks=CHECKS)


def test_a_look_is_late_after_two_periods_and_some_grace() -> None:
    assert not is_late(NOW, DAY_S, NOW + TWO_DAYS + GRACE)
    assert is_late(NOW, DAY_S, NOW + TWO_DAYS + GRACE + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("last", "since"),
    [
        (None, NOW),
        (msgspec.structs.replace(REPORT, at=NOW - 2 * TWO_DAYS), NOW),
        (REPORT, REPORT.at),
        (msgspec.structs.replace(REPORT, since=NOW - 9 * TWO_DAYS), NOW - 9 * TWO_DAYS),
    ],
)
def test_a_gap_begins_it_anew(last: Report | None, since: datetime) -> None:
    assert unbroken_since(last, DAY_S, NOW) == since


def test_what_passed_long_ago_is_unknown_and_the_rest_as_it_was() -> None:
    assert aged(REPORT, DAY_S, NOW + TWO_DAYS) == REPORT

    old = aged(REPORT, DAY_S, NOW + 2 * TWO_DAYS)

    assert [one.verdict for one in old.checks] == [
        Verdict.UNKNOWN,
        Verdict.FAILED,
        Verdict.UNKNOWN,
    ]
    assert old.checks[1:] == REPORT.checks[1:]
    assert "nobody has looked since" in old.checks[0].sentence
    assert "executor" in old.checks[0].remedy
