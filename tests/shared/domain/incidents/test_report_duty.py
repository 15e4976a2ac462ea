"""The duty to report: from when it is owed, by when, and what ends it."""

from datetime import timedelta

import pytest

from shared.domain.incidents.handling import report
from shared.domain.incidents.incident import Severity, SeverityChoice, tell_opening
from shared.domain.incidents.report_duty import Report, ReportDuty
from shared.domain.incidents.steps import change_severity
from shared.domain.ledger.completeness import complete
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, alter

HOUR = timedelta(hours=1)
POLICY = ReportDuty(within_s=4 * 3600)
MAJOR = POLICY.classified("SEV1", NOW)
MADE = Report(reference="AFM-1", at=NOW, by="t/dana")


@pytest.mark.parametrize(("severity", "owed"), [("SEV0", True), ("SEV1", True), ("SEV2", False)])
def test_it_is_owed_from_the_classification_as_major(severity: str, *, owed: bool) -> None:
    duty = POLICY.classified(severity, NOW)
    assert duty.is_owed is owed
    assert duty.due_at == (NOW + 4 * HOUR if owed else None)


def test_without_a_deadline_in_policy_nothing_is_owed() -> None:
    assert ReportDuty().classified("SEV0", NOW) == ReportDuty()
    assert ReportDuty().told == {}


def test_graver_it_is_not_owed_later() -> None:
    assert MAJOR.classified("SEV0", NOW + HOUR) == MAJOR


def test_whoever_finds_it_minor_in_time_owes_nothing_and_afterwards_still_does() -> None:
    assert MAJOR.classified("SEV2", NOW + 3 * HOUR).due_at is None
    assert MAJOR.classified("SEV2", NOW + 4 * HOUR).is_owed
    assert MAJOR.classified("SEV2", NOW + 3 * HOUR).classified("SEV1", NOW + 5 * HOUR).due_at == (
        NOW + 9 * HOUR
    )


def test_a_report_meets_it_and_stays_whatever_the_severity_becomes() -> None:
    met = MAJOR.reported(MADE)
    assert not met.is_owed
    assert met.classified("SEV3", NOW + HOUR) == met


def test_opening_and_every_new_severity_tell_the_deadline() -> None:
    opened = tell_opening(alter(INCIDENT, duty=POLICY), "down", happened_at=NOW)
    assert opened.incident is not None
    due = {"report_due_at": (INCIDENT.opened_at + 4 * HOUR).isoformat()}
    assert opened.events[0].evidence == due

    minor = SeverityChoice(severity=Severity.SEV3, reasons=("one tenant",))
    lowered = change_severity(opened.incident, minor, who="t/dana", now=NOW + HOUR)
    assert lowered.events[0].evidence == {"report_due_at": ""}


def test_a_report_is_fit_for_the_ledger() -> None:
    step = report(INCIDENT, "AFM-1", at=NOW - HOUR, who="t/dana", role="Commander", now=NOW)
    (event,) = step.events
    assert complete(event) == ()
    assert (event.happened_at, event.recorded_at) == (NOW - HOUR, NOW)
    assert (event.before, event.after["reports"]) == ({"reports": 0}, 1)
