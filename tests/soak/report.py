"""What a soak found: kept in `.local/soak.json` after every battery, and shown as one table."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.soak.tally import Done


class Battery(msgspec.Struct, frozen=True, kw_only=True):
    """One battery: its tests by outcome, what they counted, and the seconds that they took.

    `seconds` is the sum over the tests, `wall_s` the time that passed meanwhile.
    """

    name: str
    times: int
    wanted: int
    passed: int
    failed: int
    seconds: float
    wall_s: float
    counted: dict[str, float] = {}
    failures: tuple[str, ...] = ()
    trouble: str = ""  # why it could not be played at all, or not to its end

    @property
    def complete(self) -> bool:
        """Whether all of it was played."""
        return self.passed + self.failed >= self.wanted > 0 and not self.trouble

    @property
    def per_s(self) -> str:
        """How much was played a second of one core, in the tests' own unit."""
        if not self.seconds:
            return ""
        named = {f"{name}/s": value / self.seconds for name, value in self.counted.items()}
        return ", ".join(f"{value:,.1f} {name}" for name, value in named.items())


class Soak(msgspec.Struct, frozen=True, kw_only=True):
    """All of a soak."""

    machine: str
    at: str
    batteries: dict[str, Battery] = {}
    kills: dict[str, Any] = {}


def battery_of(name: str, times: int, wanted: int, done: Sequence[Done], wall_s: float) -> Battery:
    """Sum up what a battery has done so far."""
    counted: Counter[str] = Counter()
    for one in done:
        counted.update(one.counted)
    failed = [one for one in done if not one.passed]
    return Battery(
        name=name,
        times=times,
        wanted=wanted,
        passed=len(done) - len(failed),
        failed=len(failed),
        seconds=round(sum(one.seconds for one in done), 1),
        wall_s=round(wall_s, 1),
        counted=dict(counted),
        failures=tuple(f"{one.test}: {one.why}" for one in failed[:5]),
    )


def read_soak(path: Path) -> Soak:
    """What was found before; nothing where there is none."""
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Soak)
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return Soak(machine=f"{where}, Python {platform.python_version()}", at="")


def keep(path: Path, soak: Soak) -> None:
    """Write it down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    stamped = msgspec.structs.replace(soak, at=now)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(stamped), indent=2))


def show(soak: Soak, console: Console) -> None:
    """Print one table, and the first failures below it."""
    table = Table(title="Soak", title_justify="left")
    for column in ("battery", "times", "tests", "failed", "counted", "seconds", "a second"):
        table.add_column(column)
    for one in soak.batteries.values():
        tests = f"{one.passed + one.failed:,} of {one.wanted:,}"
        counted = ", ".join(f"{value:,.0f} {name}" for name, value in one.counted.items())
        row = (one.name, str(one.times), tests, str(one.failed), counted, f"{one.seconds:,.0f}")
        table.add_row(*row, one.per_s)
    console.print(table)
    for name, value in soak.kills.items():
        console.print(f"kill -9: {name}: {value}", markup=False)
    for one in soak.batteries.values():
        for failure in (*one.failures, *filter(None, [one.trouble])):
            console.print(failure, style="red", markup=False)
