"""A soak counts what it plays, goes on where it stopped, and keeps what failed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.batteries import batteries
from tests.soak.report import battery_of, keep, read_soak
from tests.soak.tally import KEPT, Done, read_done, read_wanted

PLAIN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they take seconds
BATTERY = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_something(number, record_property):
    record_property("schedules", 10)
    record_property("color", "blue")
    assert number != {bad}
"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "battery.jsonl"


def play(folder: Path, kept: Path, *, bad: int) -> str:
    """Run a small battery as the soak does."""
    (folder / "test_battery.py").write_text(BATTERY.format(bad=bad))
    (folder / "pytest.ini").write_text("[pytest]\n")
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.soak.tally", "test_battery.py"],
        cwd=folder,
        env={**os.environ, **PLAIN, KEPT: str(kept), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout


def test_every_finished_test_is_counted_with_what_it_played(tmp_path: Path, kept: Path) -> None:
    play(tmp_path, kept, bad=1)

    done = read_done(kept)
    assert read_wanted(kept) == 3
    assert [one.passed for one in done] == [True, False, True]
    assert done[0].counted == {"schedules": 10}
    assert "assert 1 != 1" in done[1].why


def test_a_resumed_soak_plays_only_what_has_not_passed(tmp_path: Path, kept: Path) -> None:
    play(tmp_path, kept, bad=1)
    told = play(tmp_path, kept, bad=7)

    assert "1 passed, 2 deselected" in told
    assert all(one.passed for one in read_done(kept))
    assert read_wanted(kept) == 3


def test_a_line_that_was_cut_off_is_not_counted(kept: Path) -> None:
    kept.write_text('{"type":"done","test":"a","passed":true,"seconds":1.0}\n{"type":"do')

    assert [one.test for one in read_done(kept)] == ["a"]


def test_figures_are_kept_battery_by_battery(tmp_path: Path) -> None:
    done = [Done(test="a", passed=True, seconds=2.0, counted={"schedules": 50})]
    spine = battery_of("spine", 100, 2, done, 2.5)
    out = tmp_path / "soak.json"
    soak = read_soak(out)
    soak.batteries["spine"] = spine
    keep(out, soak)

    found = read_soak(out).batteries["spine"]
    assert (found.passed, found.complete) == (1, False)
    assert found.per_s == "25.0 schedules/s"


def test_the_batteries_are_the_test_files_that_grow() -> None:
    assert {"spine", "duplicates", "payload-fuzz"} <= batteries().keys()
    assert "guards" not in batteries()
