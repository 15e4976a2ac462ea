"""The chart of an incident: errors and latency of each version, around the moment it was decided.

Asked for by the incident's page, the last step of the flow for people. This room says *what* is
drawn, with positions from 0 to 1; `shared.domain.chart_drawing` turns it into SVG. A version
without requests leaves a gap, never a zero: no traffic is not no errors.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from math import ceil

import msgspec

from shared.domain.diagnosis import Diagnosis
from shared.domain.incident import Incident
from shared.domain.intent import Intent
from shared.domain.measurements import OnsetRow
from shared.domain.onset import bin_width
from shared.domain.wording import share

COLUMNS = 60
BEFORE_BINS = 30
AFTER_BINS = 20
LONGEST = timedelta(hours=6)
_ERROR_SCALES = (0.05, 0.1, 0.25, 0.5, 1.0)
_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0)


class Tone(StrEnum):
    """How something is to be seen."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A moment that explains the chart."""

    at: datetime
    text: str
    tone: Tone = Tone.PLAIN


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The stretch of time that is drawn."""

    start: datetime
    end: datetime

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def place(self, at: datetime) -> float:
        """Where a moment lies, from 0 to 1."""
        return (at - self.start) / self.span

    def covers(self, at: datetime) -> bool:
        """Whether a moment is drawn."""
        return self.start <= at < self.end


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One column of one version. `p95_ms` is that of the slowest region."""

    column: int
    requests: int
    failed: int
    p95_ms: float | None

    @property
    def failed_share(self) -> float:
        """The share of failed requests; a point always has requests."""
        return self.failed / self.requests


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One version: its points, oldest first, and what they add up to."""

    name: str
    tone: Tone
    points: tuple[Point, ...]

    @property
    def requests(self) -> int:
        """All requests of the window."""
        return sum(point.requests for point in self.points)

    @property
    def failed(self) -> int:
        """All failed requests of the window."""
        return sum(point.failed for point in self.points)

    @property
    def failed_share(self) -> str:
        """The share of failed requests in percent, for people."""
        return share(self.failed / self.requests)

    @property
    def slowest_ms(self) -> float | None:
        """The highest 95th percentile of any column."""
        return max(
            (point.p95_ms for point in self.points if point.p95_ms is not None), default=None
        )


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """All that is drawn. Scales are the values at the top of each panel."""

    window: Window
    columns: int
    lines: tuple[VersionLine, ...]
    marks: tuple[Mark, ...]
    error_scale: float
    latency_scale_ms: float
    limit_ms: float | None = None


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
        marks.append(Mark(at=incident.onset_at, text="it began", tone=Tone.BAD))
    marks.append(Mark(at=incident.opened_at, text="incident opened"))
    if intent is not None and intent.ended_at is not None and incident.after:
        text = f"traffic back on {intent.plan.good}"
        marks.append(Mark(at=intent.ended_at, text=text, tone=Tone.GOOD))
    if incident.recovered_at is not None:
        marks.append(Mark(at=incident.recovered_at, text="recovered", tone=Tone.GOOD))
    return tuple(sorted(marks, key=lambda mark: mark.at))


def plot(
    rows: Iterable[OnsetRow],
    window: Window,
    *,
    marks: Sequence[Mark] = (),
    bad: str = "",
    good: str = "",
    limit_ms: float | None = None,
) -> Chart | None:
    """Fold the rows of the query `onset` into a chart; None where nothing was measured."""
    drawn = sorted(
        (row for row in rows if window.covers(row.at) and row.total), key=lambda row: row.deployment
    )
    if not drawn:
        return None
    tones = {bad: Tone.BAD, good: Tone.GOOD, "": Tone.PLAIN}
    width = max(window.span / COLUMNS, bin_width(drawn))
    lines = tuple(
        VersionLine(name=name, tone=tones.get(name, Tone.PLAIN), points=_points(own, window, width))
        for name, own in groupby(drawn, key=lambda row: row.deployment)
    )
    points = [point for line in lines for point in line.points]
    slowest = max((point.p95_ms or 0.0 for point in points), default=0.0)
    return Chart(
        window=window,
        columns=ceil(window.span / width),
        lines=lines,
        marks=tuple(mark for mark in marks if window.covers(mark.at)),
        error_scale=_error_scale(max(point.failed_share for point in points)),
        latency_scale_ms=_round_up(max(slowest, 1.1 * (limit_ms or 1.0))),
        limit_ms=limit_ms,
    )


def describe(chart: Chart) -> str:
    """The chart in words, for those who do not see it."""
    versions = [
        f"{line.name or 'unnamed'}: {line.requests} requests, {line.failed_share} failed, "
        f"95th percentile at most {line.slowest_ms or 0:,.0f} ms"
        for line in chart.lines
    ]
    moments = [f"{mark.text} at {mark.at:%H:%M:%S} UTC" for mark in chart.marks]
    return ". ".join([*versions, *moments]) + "."


def marked_versions(found: Diagnosis | None, intent: Intent | None) -> tuple[str, str]:
    """Which version is drawn as the bad one and which as the good one; "" where it is not known."""
    if intent is not None:
        return intent.plan.bad, intent.plan.good
    return (found.attribution.version if found else ""), ""


def _points(rows: Iterable[OnsetRow], window: Window, width: timedelta) -> tuple[Point, ...]:
    columns: dict[int, Point] = {}
    for row in rows:
        column = int((row.at - window.start) / width)
        before = columns.get(column, Point(column=column, requests=0, failed=0, p95_ms=None))
        known = [p95 for p95 in (before.p95_ms, row.p95_ms) if p95 is not None]
        columns[column] = Point(
            column=column,
            requests=before.requests + row.total,
            failed=before.failed + row.failed,
            p95_ms=max(known, default=None),
        )
    return tuple(columns[column] for column in sorted(columns))


def _error_scale(worst: float) -> float:
    return next((scale for scale in _ERROR_SCALES if worst <= scale), 1.0)


def _round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15 ..."""
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(power * step for step in _STEPS if value <= power * step)
