"""What is measured is kept beside what was measured before, and can be made a document of."""

import io
from pathlib import Path

from rich.console import Console

from infra.local.bench import report
from infra.local.bench.figure import Figure, Result

FAST = Result(
    title="Speed",
    figures=(
        Figure(name="ratio", value=0.825, at_least=0.7, note="1,000 rounds"),
        Figure(name="time", value=12345.6, unit="ms"),
    ),
    at="2026-11-23 07:00 UTC",
    took_s=12.0,
)
SLOW = Result(title="Size", figures=(Figure(name="growth", value=2, at_most=1),), quick=True)


def test_a_new_result_replaces_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "bench.json"
    report.keep(kept, {"speed": SLOW, "size": SLOW})
    whole = report.keep(kept, {"speed": FAST})
    assert whole.results == {"speed": FAST, "size": SLOW}
    assert report.read_report(kept) == whole


def test_without_a_file_nothing_was_measured(tmp_path: Path) -> None:
    assert report.read_report(tmp_path / "bench.json").results == {}


def test_the_table_names_what_is_met_and_what_is_missed() -> None:
    console = Console(file=io.StringIO(), width=120, record=True)
    report.show({"speed": FAST, "size": SLOW}, console)
    lines = console.export_text().splitlines()
    assert any("ratio" in line and "at least 0.7" in line and "met" in line for line in lines)
    assert any("growth" in line and "at most 1" in line and "missed" in line for line in lines)
    assert any("12,346 ms" in line for line in lines)


def test_the_document_has_the_machine_the_date_and_every_figure() -> None:
    page = report.document(
        report.Report(machine="Linux, 2 cores", results={"speed": FAST, "size": SLOW})
    )
    assert "Machine: Linux, 2 cores." in page
    assert "measured 2026-11-23 07:00 UTC, in 12 s." in page
    assert "| ratio | 0.825 | at least 0.7 | met | 1,000 rounds |" in page
    assert "too few repetitions to rely on" in page
