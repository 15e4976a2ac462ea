"""How figures are shown and kept: a table, `.local/bench.json`, and from that docs/figures.md."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from infra.local.bench.figure import Figure, Result

WORDS = {True: "met", False: "missed", None: ""}
STYLES = {True: "green", False: "red", None: "dim"}
INTRODUCTION = """# Figures

Measured by `make bench` on one machine; each target is a ratio within one run, because absolute
times depend on the machine and on what else it does. Made from `.local/bench.json` by
`python -m infra.local.bench --document`.
"""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All results by the benchmark's name, and the machine that they were measured on."""

    machine: str
    results: dict[str, Result] = {}


def this_machine() -> str:
    """What the figures depend on."""
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{where}, Python {platform.python_version()}"


def read_report(path: Path) -> Report:
    """What was measured before; an empty report where there is none."""
    if not path.exists():
        return Report(machine="")
    return msgspec.json.decode(path.read_bytes(), type=Report)


def keep(path: Path, results: Mapping[str, Result]) -> Report:
    """Write new results beside those of other benchmarks; answer the whole."""
    before = read_report(path).results
    report = Report(machine=this_machine(), results=before | dict(results))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    return report


def show(results: Mapping[str, Result], console: Console) -> None:
    """Print one table."""
    table = Table(title="Figures", title_justify="left")
    for column in ("benchmark", "figure", "measured", "target", ""):
        table.add_column(column, justify="right" if column == "measured" else "left")
    for name, result in results.items():
        for number, figure in enumerate(result.figures):
            word = f"[{STYLES[figure.met]}]{WORDS[figure.met]}[/]"
            first = name if number == 0 else ""
            table.add_row(first, figure.name, measured(figure), figure.target, word)
        table.add_section()
    console.print(table)


def measured(figure: Figure) -> str:
    """The value with its unit, in as many digits as it deserves."""
    value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.3g}"
    return f"{value} {figure.unit}".rstrip()


def document(report: Report) -> str:
    """The figures as a page of the documentation."""
    sections = [_section(name, result) for name, result in report.results.items()]
    return "\n".join([INTRODUCTION, f"Machine: {report.machine}.\n", *sections])


def _section(name: str, result: Result) -> str:
    how = ", quick: too few repetitions to rely on" if result.quick else ""
    load = f" at load {result.load:g}" if result.load is not None else ""
    took = f"in {result.took_s:.0f} s{load}{how}"
    lines = [
        f"## {result.title}",
        "",
        f"`make bench` runs it as `{name}`; measured {result.at}, {took}.",
        "",
        "| figure | measured | target | | |",
        "|---|---:|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(figure) for figure in result.figures), ""])


def _line(figure: Figure) -> str:
    cells = (figure.name, measured(figure), figure.target, WORDS[figure.met], figure.note)
    return f"| {' | '.join(cells)} |"
