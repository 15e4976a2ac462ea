"""Objectives of an incident: is the RTO met, is the RPO met.

Asked by cards, pages and the review. An objective that cannot be told is unknown, never met: the
RTO runs from the onset that telemetry shows, not from the alert.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.catalog import Service
from shared.domain.incidents.incident import Incident, State


class Standing(StrEnum):
    """Where an objective stands."""

    MET = "met"
    MISSED = "missed"
    RUNNING = "running"
    UNKNOWN = "unknown"


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """One objective judged. `minutes_left` is negative where it was missed, None if unknown."""

    standing: Standing
    sentence: str
    minutes_left: float | None = None


def rto(incident: Incident, service: Service, now: datetime) -> Objective:
    """Judge the time to recovery, from the onset to the recovery that telemetry shows."""
    if incident.onset_at is None:
        return _unknown("When it began is not known.")
    if incident.recovered_at is None and not incident.state.is_open():
        return _unknown("It was resolved, but no telemetry shows when customers had recovered.")
    due = incident.onset_at + timedelta(seconds=service.rto_s)
    left = (due - (incident.recovered_at or now)).total_seconds() / 60
    if left < 0:
        return _judged(Standing.MISSED, f"Missed by {-left:.1f} min.", left)
    if incident.recovered_at is None:
        return _judged(Standing.RUNNING, f"{left:.1f} min left.", left)
    return _judged(Standing.MET, f"Recovered with {left:.1f} min left.", left)


def rpo(
    incident: Incident, service: Service, *, accepted: int | None, answered: int | None
) -> Objective:
    """Judge the requests that were accepted and never answered, counted since the onset.

    None means that a count could not be found out. More answers than requests is a count that
    cannot be right, so it tells nothing. As long as the incident is open, more may be lost.
    """
    if accepted is None or answered is None or answered > accepted:
        return _unknown("How many accepted requests were never answered is not known.")
    lost = accepted - answered
    sentence = f"{lost} of {accepted} accepted requests unanswered, {service.rpo_requests} allowed."
    if lost > service.rpo_requests:
        return Objective(standing=Standing.MISSED, sentence=sentence)
    over = incident.state in {State.MITIGATED, State.RESOLVED}
    return Objective(standing=Standing.MET if over else Standing.RUNNING, sentence=sentence)


def _unknown(sentence: str) -> Objective:
    return Objective(standing=Standing.UNKNOWN, sentence=sentence)


def _judged(standing: Standing, sentence: str, left: float) -> Objective:
    return Objective(standing=standing, sentence=sentence, minutes_left=round(left, 1))
