"""The incident's chart as SVG: two panels under one time axis, and the moments across both.

It has no size of its own: positions are in percent and lines are stretched, so that its text stays
readable on a phone. Colours are classes of the page's style sheet, since the page allows no inline
style. Names come from telemetry and are escaped here.
"""

from collections.abc import Callable, Iterator
from html import escape

from shared.domain.stamp import known_zone
from shared.domain.views.chart import Chart, Mark, Point, VersionLine, describe
from shared.domain.wording import share

MARK_ROW = 18
PANEL = 112
TITLE = 24
AXIS = 22
_INNER = 1000  # units of a stretched panel, in both directions
_GAP = 2  # columns without requests that are bridged

type Values = list[tuple[float, float]]
type Measure = Callable[[Chart, Point], float | None]  # the share of the panel's height


def draw(chart: Chart, zone: str) -> str:
    """The whole SVG element; times are shown in the zone."""
    head = MARK_ROW * len(chart.marks) + 4
    errors = head + TITLE
    latency = errors + PANEL + TITLE + 8
    height = latency + PANEL + AXIS
    said = escape(describe(chart))
    parts = [
        f'<svg class="chart" role="img" aria-label="{said}" width="100%" height="{height}">',
        *(part for row, mark in enumerate(chart.marks) for part in _mark(chart, mark, row, height)),
        *_panel(chart, errors, "Failed requests", share(chart.error_scale), _failures),
        *_panel(
            chart,
            latency,
            "Latency, 95th percentile",
            f"{chart.latency_scale_ms:,.0f} ms",
            _latencies,
        ),
        *_limit(chart, latency),
        *_axis(chart, height, zone),
        "</svg>",
    ]
    return "".join(parts)


def _failures(chart: Chart, point: Point) -> float | None:
    return point.failed_share / chart.error_scale


def _latencies(chart: Chart, point: Point) -> float | None:
    return None if point.p95_ms is None else point.p95_ms / chart.latency_scale_ms


def _panel(chart: Chart, top: int, title: str, scale: str, measure: Measure) -> Iterator[str]:
    bottom = top + PANEL
    yield f'<text class="panel-title" x="0" y="{top - 8}">{title}</text>'
    yield f'<text class="scale" x="100%" y="{top - 8}" text-anchor="end">{scale}</text>'
    for y in (top, top + PANEL // 2, bottom):
        yield f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
    yield (
        f'<svg x="0" y="{top}" width="100%" height="{PANEL}" overflow="visible"'
        f' viewBox="0 0 {_INNER} {_INNER}" preserveAspectRatio="none">'
    )
    for number, line in enumerate(chart.lines):
        for stretch in _stretches(chart, line, measure):
            yield _path(number, line, stretch)
    yield "</svg>"


def _stretches(chart: Chart, line: VersionLine, measure: Measure) -> Iterator[Values]:
    """The line in pieces: it is broken where a version had no requests."""
    stretch: Values = []
    last = 0
    for point in line.points:
        value = measure(chart, point)
        if value is None:
            continue
        if stretch and point.column - last > _GAP:
            yield stretch
            stretch = []
        stretch.append(((point.column + 0.5) / chart.columns, min(value, 1.0)))
        last = point.column
    if stretch:
        yield stretch


def _path(number: int, line: VersionLine, stretch: Values) -> str:
    steps = " ".join(f"{_INNER * x:.0f},{_INNER * (1 - y):.0f}" for x, y in stretch)
    tail = " h1" if len(stretch) == 1 else ""  # a lone point would not be seen
    kind = f"line {line.tone} n{number % 3}"
    return f'<path class="{kind}" vector-effect="non-scaling-stroke" d="M{steps}{tail}"/>'


def _limit(chart: Chart, top: int) -> Iterator[str]:
    limit = chart.focus.limit_ms
    if limit is None:
        return
    y = top + PANEL * (1 - limit / chart.latency_scale_ms)
    yield f'<line class="limit" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield f'<text class="scale" x="2" y="{y - 4:.1f}">allowed {limit:,.0f} ms</text>'


def _mark(chart: Chart, mark: Mark, row: int, height: int) -> Iterator[str]:
    place = chart.window.place(mark.at)
    x = f"{100 * place:.2f}%"
    y = MARK_ROW * (row + 1) - 4
    late = place > 0.6
    anchor, shift = ("end", -5) if late else ("start", 5)
    yield f'<line class="mark {mark.tone}" x1="{x}" x2="{x}" y1="{y - 9}" y2="{height - AXIS}"/>'
    yield (
        f'<text class="mark-text {mark.tone}" x="{x}" dx="{shift}" y="{y}"'
        f' text-anchor="{anchor}">{escape(mark.text)}</text>'
    )


def _axis(chart: Chart, height: int, zone: str) -> Iterator[str]:
    local = known_zone(zone)
    ends = ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    for place, anchor in ends:
        at = (chart.window.start + place * chart.window.span).astimezone(local)
        name = f" {at.tzname()}" if place == 1.0 else ""
        yield (
            f'<text class="scale" x="{100 * place:.0f}%" y="{height - 6}"'
            f' text-anchor="{anchor}">{at:%H:%M:%S}{name}</text>'
        )
