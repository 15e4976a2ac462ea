"""Every benchmark runs, in tiny numbers, and answers the figures that it is there for.

Figures are not judged here, since a loaded machine may miss any of them; what does not depend on
the machine is: the modules that the app imports, and what a storm must not lose.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.local.bench import (
    catalog,
    imports,
    intake,
    latency,
    ledger,
    pure,
    reads,
    rules,
    simulator,
    storm,
)
from infra.local.bench.cast import CastWorld, bench_world
from infra.local.bench.figure import Figure, Result, Run

pytestmark = [pytest.mark.world, pytest.mark.timeout(180)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(folder=tmp_path, say=lambda _: None, quick=True)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CastWorld]:
    """One world for all that need none of their own, since it takes seconds to start."""
    services = intake.SERVICES + 3  # the last ones are the incidents of `latency`
    folder = tmp_path_factory.mktemp("stage")
    with bench_world(folder, services=services, pace=latency.QUICK_PACE) as world:
        yield world


@pytest.fixture
def run_on_stage(run: Run, stage: CastWorld) -> Run:
    """How a benchmark is run whose world may be the shared one, unless it wants a special one."""

    def open_world(folder: Path, **wanted: Any) -> AbstractContextManager[CastWorld]:
        is_special = wanted.get("idle") or folder.name == "warm"
        return bench_world(folder, **wanted) if is_special else nullcontext(stage)

    return msgspec.structs.replace(run, open_world=open_world)


@pytest.mark.parametrize("role", imports.ROLES)
def test_importing_the_app_loads_nothing_heavy(role: str) -> None:
    assert imports.import_freshly("function_app", role).heavy == []


def test_a_heavy_module_would_be_noticed() -> None:
    assert "azure.core" in imports.import_freshly("azure.data.tables").heavy


def test_the_import_is_compared_and_idle_processes_are_weighed(run_on_stage: Run) -> None:
    result = imports.measure(run_on_stage)
    assert len(_with_targets(result)) == 3
    weights = [figure for figure in result.figures if figure.unit == "MB"]
    assert [10 < figure.value < 1000 for figure in weights] == [True, True]


def test_intake_is_compared_alone_and_beside_the_pipeline(run_on_stage: Run) -> None:
    result = intake.measure(run_on_stage)
    assert len(_with_targets(result)) == 6
    assert all(figure.value > 0 for figure in result.figures)
    assert result.details.keys() == {"alone", "beside"}


def test_the_way_to_the_write_is_broken_down(run_on_stage: Run) -> None:
    result = latency.measure(run_on_stage)
    assert len(_with_targets(result)) == 1
    for incident in result.details["incidents"]:
        assert sum(incident["steps"].values()) == pytest.approx(incident["total"])
        assert 0 < incident["simulated"] < incident["total"]
        assert set(incident["parts"]) == {"logs", "arm", "scoring"}
        assert min(incident["steps"].values()) > 0


def test_a_storm_makes_one_incident_a_trouble_and_loses_nothing(run: Run) -> None:
    result = storm.measure(run)
    assert [figure.name for figure in _with_targets(result) if not figure.met] == []
    assert result.details["outcomes"] == {"opened": 4, "joined": 16}


def test_reads_cost_the_same_however_much_is_stored(run: Run) -> None:
    result = reads.measure(run)
    assert [figure.met for figure in result.figures] == [True] * 4
    assert all(cost["requests"] > 0 for costs in result.details.values() for cost in costs.values())


def test_pure_functions_are_measured_on_an_example_that_is_rolled_back(run: Run) -> None:
    assert all(figure.value > 0 for figure in pure.measure(run).figures)


def test_the_ledger_is_verified_by_the_product_and_by_an_auditor(run: Run) -> None:
    result = ledger.measure(run)
    assert [figure.met for figure in _with_targets(result)] == [True, True]
    assert all(figure.value > 0 for figure in result.figures)


def test_the_simulator_plays_both_kinds_of_schedules(run: Run) -> None:
    result = simulator.measure(run)
    assert [figure.unit for figure in result.figures] == ["/s", "/s"]
    assert all(figure.value > 0 for figure in result.figures)


def test_a_catalog_is_loaded_and_linted(run: Run) -> None:
    result = catalog.measure(run)
    assert len(_with_targets(result)) == 2
    assert all(figure.value > 0 for figure in result.figures)


def test_the_rules_of_a_service_are_counted_and_looked_at(run: Run) -> None:
    result = rules.measure(run)
    assert [figure.unit for figure in result.figures] == ["", "", "ms"]
    assert all(figure.value > 0 for figure in result.figures)


def _with_targets(result: Result) -> list[Figure]:
    return [figure for figure in result.figures if figure.met is not None]
