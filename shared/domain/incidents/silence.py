"""Silence: a signal that nobody repeats holds no incident open in which customers are well again.

Whoever counts a breach repeats it as long as it lasts. A replica that is shut down, as those of a
version are from which traffic was taken, cannot tell of its end. While nobody has found out whether
customers are served well, silence proves nothing, and the incident stays a person's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, State, Step, tell
from shared.domain.incidents.steps import AUTOMATION, QUIET_NOW, resolve
from shared.domain.signals.reading import Reading

REPEATED_WITHIN = timedelta(minutes=5)  # beyond its window: long enough to miss a telling or two


def counts_until(reading: Reading | None) -> datetime | None:
    """Until when a signal's breach counts unrepeated; None for what surely tells its own end.

    That is Azure Monitor, and Backstop's own health check, which counts over no window.
    """
    if reading is None or not reading.window_s:
        return None
    return reading.ended_at + timedelta(seconds=reading.window_s) + REPEATED_WITHIN


def hear(heard: Mapping[str, datetime], key: str, reading: Reading | None) -> dict[str, datetime]:
    """Until when each of an incident's signals counts, with the one that has just come."""
    until = counts_until(reading)
    known = dict(heard)
    return known if until is None else {**known, key: max(known.get(key, until), until)}


def fall_silent(incident: Incident, now: datetime) -> Step:
    """End the signals that nobody repeats, and with the last of all alerts the incident."""
    silent = [key for key in incident.firing if key in incident.heard]
    silent = [key for key in silent if incident.heard[key] <= now]
    if incident.state is not State.MITIGATED or not silent:
        return Step(incident=None, reason="no signal has fallen silent")
    still = tuple(key for key in incident.firing if key not in silent)
    over = not still and not incident.crowded
    step = tell(
        incident,
        EventKind.ALERT_RESOLVED,
        actor=AUTOMATION,
        what="a signal is not repeated any more",
        why=QUIET_NOW if over else f"{len(still)} other alert(s) still fire",
        now=now,
        changes={"firing": still},
    )
    if step.incident and over:
        step = step.then(resolve(step.incident, who=AUTOMATION, why=QUIET_NOW, now=now))
    return step
