"""The chart as SVG: well formed, without inline styles, and with every foreign name escaped."""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.views.chart import Chart, Focus, Mark, Tone, plot
from shared.domain.views.chart_drawing import draw
from tests.shared.domain.views.test_chart import START, WINDOW, row


def chart_of(*rows: OnsetRow, marks: tuple[Mark, ...] = ()) -> Chart:
    focus = Focus(bad="v2", good="v1", limit_ms=2000.0)
    chart = plot(rows, WINDOW, focus=focus, marks=marks)
    assert chart is not None
    return chart


def lines_of(svg: str) -> list[str]:
    return re.findall(r'class="line [^"]*" [^>]* d="([^"]*)"', svg)


def test_it_is_well_formed_and_described_in_words() -> None:
    root = ET.fromstring(draw(chart_of(row(1)), "Europe/Stockholm"))  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert "10 requests" in str(root.get("aria-label"))


def test_it_needs_no_style_that_the_page_s_policy_forbids() -> None:
    assert "style" not in draw(chart_of(row(1)), "UTC")


def test_a_name_from_telemetry_cannot_become_markup() -> None:
    evil = '<script>alert("x")</script>'
    mark = Mark(at=START + timedelta(minutes=3), text=evil, tone=Tone.BAD)
    svg = draw(chart_of(row(1, evil), marks=(mark,)), "UTC")
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


def test_each_version_is_drawn_in_both_panels() -> None:
    svg = draw(chart_of(row(1, "v1"), row(1, "v2")), "UTC")
    assert len(lines_of(svg)) == 4


def test_a_line_is_broken_where_there_was_no_traffic() -> None:
    svg = draw(chart_of(row(1), row(2), row(20), row(21)), "UTC")
    assert len(lines_of(svg)) == 4


def test_a_lone_point_can_be_seen() -> None:
    assert all(path.endswith("h1") for path in lines_of(draw(chart_of(row(5)), "UTC")))


def test_no_failure_lies_on_the_ground_and_all_failures_at_the_top() -> None:
    svg = draw(chart_of(row(0), row(1, failed=10)), "UTC")
    heights = [int(step.split(",")[1]) for step in lines_of(svg)[0].removeprefix("M").split()]
    assert heights == [1000, 0]


def test_the_time_axis_is_in_the_service_s_zone() -> None:
    svg = draw(chart_of(row(1)), "Europe/Stockholm")
    assert "14:00:00" in svg
    assert "14:30:00 CET" in svg


def test_an_unknown_zone_is_utc() -> None:
    assert "13:30:00 UTC" in draw(chart_of(row(1)), "Middle/Earth")


def test_a_late_moment_is_written_to_its_left() -> None:
    late = Mark(at=START + timedelta(minutes=29), text="recovered", tone=Tone.GOOD)
    assert re.search(r'text-anchor="end">recovered<', draw(chart_of(row(1), marks=(late,)), "UTC"))
