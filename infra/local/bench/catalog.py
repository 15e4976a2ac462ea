"""A catalog of 500 services: how long an app takes to read it, and a change to be linted.

Every file is the shipped service's own under another name. Processor time, because that is what a
cold start and a build wait for.
"""

import os
from collections.abc import Callable
from pathlib import Path

from infra.lint_catalog import analysed, complain
from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median
from infra.local.world import ROOT
from shared.adapters.catalog import Reading, load_catalog, read_catalog
from shared.errors import Misconfigured

SERVICES, QUICK_SERVICES = 500, 20
MODEL = ROOT / "shared" / "catalog" / "fnol-summary.yaml"
DEPENDS = "    - name: policy-search\n      kind: service\n"
MOST_S = 5.0


def write_services(folder: Path, count: int) -> None:
    """Write so many services' files, each owning an endpoint of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    text = MODEL.read_text(encoding="utf-8").replace(DEPENDS, "")
    for number in range(count):
        name = f"service-{number:03d}"
        (folder / f"{name}.yaml").write_text(text.replace(MODEL.stem, name), encoding="utf-8")


def measure(run: Run) -> Result:
    """Measure both. Raises NotMeasured where a file is not in order."""
    count = run.count(SERVICES, QUICK_SERVICES)
    run.say(f"writing {count} services")
    folder = run.folder / "catalog"
    write_services(folder, count)
    run.say("loading")
    loading = median([_seconds(lambda: load_catalog(folder)) for _ in range(run.count(3, 1))])
    run.say("linting")
    linting = _seconds(lambda: _lint(read_catalog(folder)))
    return Result(
        title="The catalog",
        figures=(
            Figure(name=f"{count} services loaded", value=loading, unit="s", at_most=MOST_S),
            Figure(
                name=f"{count} services linted",
                value=linting,
                unit="s",
                at_most=2 * MOST_S,
                note="loaded, and every distinct query analysed",
            ),
        ),
    )


def _lint(reading: Reading) -> None:
    try:
        complaints = complain(reading, analysed([reading]))
    except Misconfigured as error:
        raise NotMeasured(str(error)) from error
    if complaints:
        raise NotMeasured(f"{complaints[0].file}: {complaints[0].problem}")


def _seconds(call: Callable[[], object]) -> float:
    """Processor seconds of this process and of those it waited for."""
    began = _spent()
    call()
    return _spent() - began


def _spent() -> float:
    spent = os.times()
    return sum(spent[:4])
