"""`python -m infra.local.bench [name ...] [--quick]`: run benchmarks, show and keep their figures.

Without names all of them run. `--document` measures nothing and writes docs/figures.md from what
was measured last.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from infra.local.bench import (
    catalog,
    imports,
    intake,
    latency,
    ledger,
    package,
    pure,
    reads,
    report,
    rules,
    simulator,
    storm,
)
from infra.local.bench.figure import NotMeasured, Result, Run
from infra.local.processes import ChildFailed
from infra.local.world import LOCAL, ROOT

KEPT = LOCAL / "bench.json"
DOCUMENT = ROOT / "docs" / "figures.md"
BENCHMARKS: dict[str, Callable[[Run], Result]] = {
    "import": imports.measure,
    "package": package.measure,
    "intake": intake.measure,
    "latency": latency.measure,
    "storm": storm.measure,
    "reads": reads.measure,
    "pure": pure.measure,
    "ledger": ledger.measure,
    "catalog": catalog.measure,
    "simulator": simulator.measure,
    "rules": rules.measure,
}


def main() -> int:
    """Run what the command line names; 1 where something could not be measured."""
    arguments = _arguments()
    if arguments.document:
        DOCUMENT.write_text(report.document(report.read_report(KEPT)))
        return 0
    console = Console(highlight=False)
    results: dict[str, Result] = {}
    failed = False
    for name in arguments.names or BENCHMARKS:
        try:
            results[name] = run(name, arguments.folder, console, quick=arguments.quick)
        except (NotMeasured, ChildFailed) as failure:
            console.print(f"[red]{name} was not measured:[/] {failure}", soft_wrap=True)
            failed = True
    report.keep(arguments.out, results)
    report.show(results, console)
    return 1 if failed else 0


def run(name: str, folder: Path, console: Console, *, quick: bool) -> Result:
    """Run one benchmark. Raises NotMeasured and ChildFailed."""
    began = time.monotonic()
    where = folder / f"{name}-{datetime.now(UTC):%H%M%S}"
    with console.status(f"{name}: starting") as status:

        def say(text: str) -> None:
            status.update(f"{name}: {text}")
            if not console.is_terminal:
                console.print(f"{time.monotonic() - began:6.1f} s  {name}: {text}")

        measured = BENCHMARKS[name](Run(folder=where, say=say, quick=quick))
    return msgspec.structs.replace(
        measured,
        at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        took_s=round(time.monotonic() - began, 1),
        load=round(os.getloadavg()[0], 1),
        quick=quick,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", choices=[*BENCHMARKS, []])
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    parser.add_argument("--document", action="store_true", help="only write docs/figures.md")
    parser.add_argument("--folder", type=Path, default=LOCAL / "bench", help="for logs and data")
    parser.add_argument("--out", type=Path, default=KEPT, help="where the figures are kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
