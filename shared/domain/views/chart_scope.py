"""What an incident's chart is about: the stretch of time, the moments, the versions to compare."""

from datetime import datetime, timedelta

from shared.domain.decisions.intent import Intent
from shared.domain.incidents.incident import Incident
from shared.domain.views.chart import Focus, Mark, Tone, Window
from shared.domain.views.incident_page import Dossier

BEFORE_BINS = 30
AFTER_BINS = 20
LONGEST = timedelta(hours=6)


def window_of(incident: Incident, bin_s: float, now: datetime) -> Window | None:
    """From some bins before the onset to some after the end; None where that is too long ago."""
    began = incident.onset_at or incident.opened_at
    ended = incident.recovered_at or incident.resolved_at or now
    step = timedelta(seconds=bin_s)
    start = began - BEFORE_BINS * step
    end = min(ended + AFTER_BINS * step, now, start + LONGEST)
    return None if now - start > LONGEST or end <= start else Window(start=start, end=end)


def marks_of(incident: Incident, intent: Intent | None) -> tuple[Mark, ...]:
    """The moments that explain what is seen, oldest first."""
    marks = []
    if incident.onset_at is not None:
        marks.append(Mark(at=incident.onset_at, text="breach began", tone=Tone.BAD))
    marks.append(Mark(at=incident.opened_at, text="incident opened"))
    if intent is not None and intent.ended_at is not None and incident.after:
        text = f"traffic back on {intent.plan.good}"
        marks.append(Mark(at=intent.ended_at, text=text, tone=Tone.GOOD))
    if incident.recovered_at is not None:
        marks.append(Mark(at=incident.recovered_at, text="recovered", tone=Tone.GOOD))
    return tuple(sorted(marks, key=lambda mark: mark.at))


def focus_of(dossier: Dossier) -> Focus:
    """The bad and the good version, the region where it is hurt if it is one, and the limit."""
    found, intent, service = dossier.diagnosis, dossier.intent, dossier.service
    hit = found.regions_hit if found else ()
    blamed = found.attribution.version if found else ""
    limits = [slo.latency_ms for slo in service.slos if slo.latency_ms] if service else []
    return Focus(
        bad=intent.plan.bad if intent else blamed,
        good=intent.plan.good if intent else "",
        region=hit[0] if len(hit) == 1 else "",
        limit_ms=min(limits, default=None),
    )
