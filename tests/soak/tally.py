"""The tally: a pytest plugin that writes down each finished test, so that a soak can be resumed.

Loaded with `-p tests.soak.tally`; BACKSTOP_SOAK_KEPT names the file, a JSON line a test. Tests that
passed before are left out. What a test counts by `record_property` (schedules, deliveries, ...) is
kept with it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

KEPT = "BACKSTOP_SOAK_KEPT"


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """One finished test: `seconds` it took, what it counted, and why it failed."""

    test: str
    passed: bool
    seconds: float
    counted: dict[str, float] = {}
    why: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, tag="wanted"):
    """How many tests there are, those that passed before among them."""

    wanted: int


def read_done(path: Path) -> list[Done]:
    """What is in the file so far; the last run of a test counts."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines()
    found = [_decode(line) for line in lines]
    return list({one.test: one for one in found if isinstance(one, Done)}.values())


def read_wanted(path: Path) -> int:
    """How many tests the last collection found."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return max((one.wanted for one in map(_decode, lines) if isinstance(one, Wanted)), default=0)


def _decode(line: bytes) -> Done | Wanted | None:
    try:
        return msgspec.json.decode(line, type=Done | Wanted)
    except msgspec.DecodeError:  # cut off by a Ctrl-C
        return None


class Tally:
    """Writes to the file; in workers of xdist it only leaves out what passed."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._path = path
        self._writes = writes

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        passed = {one.test for one in read_done(self._path) if one.passed}
        if self._writes:
            self._keep(Wanted(wanted=len(items)))
        out = [item for item in items if item.nodeid in passed]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item.nodeid not in passed]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Only workers collect then; what passed before they have left out."""
        passed = sum(one.passed for one in read_done(self._path))
        self._keep(Wanted(wanted=len(ids) + passed))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        over = report.when == "call" or (report.when == "setup" and not report.passed)
        if not self._writes or not over or report.skipped:
            return
        counted = dict(_numbers(report.user_properties))
        why = "" if report.passed else str(report.longreprtext)[-2_000:]
        done = Done(
            test=report.nodeid,
            passed=report.passed,
            seconds=round(report.duration, 3),
            counted=counted,
            why=why,
        )
        self._keep(done)

    def _keep(self, line: msgspec.Struct) -> None:
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")


def _numbers(properties: Iterable[tuple[str, object]]) -> Iterator[tuple[str, float]]:
    for name, value in properties:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count, where a soak asked for it."""
    kept = os.environ.get(KEPT)
    if kept:
        is_worker = hasattr(config, "workerinput")
        config.pluginmanager.register(Tally(Path(kept), writes=not is_worker), "soak-tally")
