"""What the chart of an incident shows: versions, gaps, scales and the moments that explain it."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.views.chart import Chart, Focus, Mark, Tone, Window, describe, plot

START = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(minutes=30))


def row(minute: int, deployment: str = "v2", *, total: int = 10, failed: int = 0) -> OnsetRow:
    return OnsetRow(
        at=START + timedelta(minutes=minute),
        deployment=deployment,
        region="westeurope",
        total=total,
        failed=failed,
        p95_ms=400.0,
    )


def plotted(*rows: OnsetRow, region: str = "") -> Chart:
    focus = Focus(bad="v2", good="v1", region=region, limit_ms=2000.0)
    chart = plot(rows, WINDOW, focus=focus)
    assert chart is not None
    return chart


def test_every_version_is_a_line_of_its_own_and_has_its_tone() -> None:
    chart = plotted(row(1, "v1"), row(1, "v2"), row(2, "v3"))
    tones = {line.name: line.tone for line in chart.lines}
    assert tones == {"v1": Tone.GOOD, "v2": Tone.BAD, "v3": Tone.PLAIN}


def test_regions_of_one_bin_are_added_up_and_the_slowest_one_counts() -> None:
    slow = replace(row(1, failed=5), region="swedencentral", p95_ms=900.0)
    (point,) = plotted(row(1), slow).lines[0].points
    assert (point.requests, point.failed, point.p95_ms) == (20, 5, 900.0)
    assert point.failed_share == 0.25


def test_a_bin_whose_latency_is_not_known_keeps_it_unknown() -> None:
    (line,) = plotted(replace(row(1), p95_ms=None)).lines
    assert line.slowest_ms is None


def test_no_request_is_a_gap_and_not_a_zero() -> None:
    (line,) = plotted(row(1), row(2, total=0), row(3)).lines
    assert len(line.points) == 2


def test_with_a_region_in_focus_the_others_do_not_hide_it() -> None:
    hurt = replace(row(1, failed=5), region="swedencentral")
    (line,) = plotted(row(1, total=1000), hurt, region="swedencentral").lines
    assert (line.requests, line.failed) == (10, 5)


def test_rows_outside_the_window_are_left_out() -> None:
    (line,) = plotted(row(-1), row(5), row(31)).lines
    assert line.requests == 10


def test_without_a_request_there_is_no_chart() -> None:
    assert plot([row(1, total=0)], WINDOW) is None


@pytest.mark.parametrize(
    ("failed", "scale"), [(0, 0.05), (1, 0.1), (2, 0.25), (3, 0.5), (5, 0.5), (6, 1.0), (10, 1.0)]
)
def test_the_error_scale_is_the_next_round_share(failed: int, scale: float) -> None:
    assert plotted(row(1, failed=failed)).error_scale == scale


@pytest.mark.parametrize(("slowest", "scale"), [(10.0, 2500.0), (2600.0, 3000.0), (9e3, 1e4)])
def test_the_latency_scale_has_room_for_the_limit_and_the_slowest(
    slowest: float, scale: float
) -> None:
    assert plotted(replace(row(1), p95_ms=slowest)).latency_scale_ms == scale


def test_the_bad_version_s_arrival_is_marked() -> None:
    before = [row(minute, "v1", total=100) for minute in range(10)]
    after = [row(minute, "v2", total=100) for minute in range(10, 20)]
    chart = plotted(*before, *after)
    assert chart.marks == (Mark(at=START + timedelta(minutes=10), text="v2 took traffic"),)


def test_moments_outside_the_window_are_not_marked() -> None:
    early = Mark(at=START - timedelta(hours=1), text="long ago")
    chart = plot([row(1)], WINDOW, marks=[early])
    assert chart is not None
    assert chart.marks == ()


def test_the_words_say_what_the_lines_show() -> None:
    said = describe(plotted(row(1, failed=2)))
    assert said == "v2: 10 requests, 20 % failed, 95th percentile at most 400 ms."
