"""The chart of an incident: errors and latency of each version, around the moment it was decided.

Asked for by the incident's page, the last step of the flow for people. This room says *what* is
drawn, with positions from 0 to 1; `shared.domain.views.chart_drawing` turns it into SVG. A version
without requests leaves a gap, never a zero: no traffic is not no errors.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from math import ceil

import msgspec

from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.onset import Scope, arrivals, bin_width
from shared.domain.wording import share

COLUMNS = 48
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


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """What the chart is about: the versions compared, the region ("" for all), the limit."""

    bad: str = ""
    good: str = ""
    region: str = ""
    limit_ms: float | None = None


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
    focus: Focus


def plot(
    rows: Iterable[OnsetRow],
    window: Window,
    *,
    focus: Focus | None = None,
    marks: Sequence[Mark] = (),
) -> Chart | None:
    """Fold the rows of the query `onset` into a chart; None where nothing was measured.

    With a region in focus only its requests are drawn: a partial outage hides in the total.
    """
    focus = focus or Focus()
    scope = Scope(region=focus.region)
    inside = (row for row in rows if row.total and scope.covers(row) and window.covers(row.at))
    drawn = sorted(inside, key=lambda row: row.deployment)
    if not drawn:
        return None
    tones = {focus.bad: Tone.BAD, focus.good: Tone.GOOD, "": Tone.PLAIN}
    width = max(window.span / COLUMNS, bin_width(drawn))
    lines = tuple(
        VersionLine(name=name, tone=tones.get(name, Tone.PLAIN), points=_points(own, window, width))
        for name, own in groupby(drawn, key=lambda row: row.deployment)
    )
    points = [point for line in lines for point in line.points]
    moments = sorted([*marks, *_arrival(focus.bad, drawn)], key=lambda mark: mark.at)
    slowest = max((point.p95_ms or 0.0 for point in points), default=0.0)
    return Chart(
        window=window,
        columns=ceil(window.span / width),
        lines=lines,
        marks=tuple(mark for mark in moments if window.covers(mark.at)),
        error_scale=_error_scale(max(point.failed_share for point in points)),
        latency_scale_ms=_round_up(max(slowest, 1.1 * (focus.limit_ms or 1.0))),
        focus=focus,
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


def _arrival(version: str, rows: Sequence[OnsetRow]) -> list[Mark]:
    arrival = arrivals(rows).get(version)
    at = arrival.at if arrival else None
    return [Mark(at=at, text=f"{version} took traffic")] if at else []


def _error_scale(worst: float) -> float:
    return next((scale for scale in _ERROR_SCALES if worst <= scale), 1.0)


def _round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15 ..."""
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(power * step for step in _STEPS if value <= power * step)
