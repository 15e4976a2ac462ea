"""Telling of a health check: the signals of what broke or is well again, and the telemetry of all.

Last step of the check. A signal takes the road of every other signal; by itself it moves nothing.
"""

from datetime import datetime

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import Service
from shared.domain.health.report import Finding, HealthReport, Part
from shared.domain.incidents.incident import Severity
from shared.domain.signals.reading import Judged, Reading, Source
from shared.domain.signals.signal import make_alert

EVENT = "backstop.health_check"
_SEVERITY = {
    Part.ANSWERS: Severity.SEV1,
    Part.DEPLOYMENT: Severity.SEV1,
    Part.DEPENDENCY: Severity.SEV2,
}

type Properties = dict[str, str]
type Measurements = dict[str, float]


def signal_of(service: Service, finding: Finding, at: datetime) -> Alert:
    """The signal of one finding as an alert, which begins with what customers feel, or ends it.

    Told again before it is known to be told, it is the very same signal.
    """
    reading = Reading(
        about=finding.about,
        source=Source.HEALTH_CHECK,
        judged=Judged.BREACH if finding.breaks else Judged.KEPT,
        good=finding.good,
        total=finding.total,
        window_s=0,
        ended_at=finding.since or at,
    )
    return make_alert(
        service,
        reading,
        unique=f"{finding.about} {finding.signals}",
        severity=_SEVERITY[finding.part],
        said=finding.sentence if finding.matters else f"{finding.sentence}; no customer feels it",
    )


def rows_of(report: HealthReport) -> list[tuple[Properties, Measurements]]:
    """One custom event a finding: what it says in properties, what it counted in measurements."""
    return [(_properties(one), _measurements(one)) for one in report.findings]


def _properties(finding: Finding) -> Properties:
    return {
        "backstop.probe": "true",  # never a customer's
        "backstop.check": finding.part.value,
        "backstop.checked": finding.name,
        "backstop.verdict": finding.verdict.value,
        "backstop.sentence": finding.sentence,
    }


def _measurements(finding: Finding) -> Measurements:
    bounds = {"low": finding.low, "high": finding.high}
    known = {name: value for name, value in bounds.items() if value is not None}
    return {"good": float(finding.good), "total": float(finding.total), **known}
