"""How many answers each simulated process tells of, and that the helper would tell the same."""

from typing import Any

import pytest

from infra.local.foundry import telemetry
from infra.local.foundry.answers import Processes
from infra.local.foundry.behaviour import HEALTHY, Happening
from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.telemetry import Served
from infra.local.foundry.world import World
from shared.telemetry import AiService, Version
from tests.shared.telemetry.exported import exporting

GOOD = Happening(status=200, latency_ms=9.0)
REFUSED = Happening(status=424, latency_ms=9.0, cause="context_length_exceeded")
V1 = seed(World(), fuse_s=60.0).deployments["v1"]


def answer(at: float, **facts: Any) -> Served:
    usual = {
        "service": SERVICE,
        "region": "westeurope",
        "tenant": "org-1",
        "operation_id": "a1",
        "probe": False,
        "behaviour": HEALTHY,
        "happening": GOOD,
    }
    return telemetry.served_by(V1, at=at, **(usual | facts))


def told(processes: Processes, *served: Served) -> list[str]:
    """What is told while these are served: the counts, in order."""
    rows = [row for one in served for _, row in processes.count(one)]
    return [row["Properties"]["backstop.answered"] for row in rows]


def test_a_minutes_answers_are_told_with_the_first_one_after_it() -> None:
    processes = Processes()
    assert told(processes, *map(answer, (0.0, 10.0, 59.9))) == []
    assert told(processes, answer(60.0), answer(61.0)) == ["4"]
    assert told(processes, answer(120.0)) == ["2"], "those since the last time, and not all"


def test_what_failed_and_what_backstop_asked_itself_is_not_counted() -> None:
    processes = Processes()
    assert (
        told(processes, answer(0.0), answer(1.0, happening=REFUSED), answer(2.0, probe=True)) == []
    )
    assert told(processes, answer(60.0)) == ["2"]


@pytest.mark.parametrize("other", [{"region": "swedencentral"}, {"service": "claim-routing"}])
def test_each_process_counts_its_own(other: dict[str, str]) -> None:
    processes = Processes()
    assert told(processes, answer(0.0), answer(0.0, **other), answer(60.0)) == ["2"]
    assert told(processes, answer(60.0, **other)) == ["2"]


def test_a_quicker_world_tells_as_much_more_often() -> None:
    processes = Processes(every_s=5.0)
    assert told(processes, answer(0.0), answer(4.9), answer(5.0)) == ["3"]


def test_the_row_is_what_the_helper_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = Processes()
    processes.count(answer(0.0))
    ((table, row),) = processes.count(answer(60.0))

    (by_helper,) = _by_helper(monkeypatch)

    assert table == "AppEvents"
    for column in ("AppRoleName", "Name", "ItemCount"):
        assert row[column] == by_helper[column]
    assert row["Properties"] == _of_ours(by_helper["Properties"])


def _of_ours(properties: dict[str, str]) -> dict[str, str]:
    """Without what the logging of OpenTelemetry adds of its own, such as the line of code."""
    ours = ("backstop.", "gen_ai.")
    return {name: value for name, value in properties.items() if name.startswith(ours)}


def _by_helper(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events of the same two answers, told by the helper through Azure's exporter."""
    clock = [0.0]
    monkeypatch.setattr("shared.telemetry.service.perf_counter", lambda: clock[0])
    served = Version(deployment=V1.name, model=V1.model, prompt_version=V1.prompt_version)
    with exporting(SERVICE) as exported:
        service = AiService(SERVICE, "westeurope", served, exported.tracers)
        for clock[0] in (0.0, 60.0):
            with service.request(tenant="org-1"):
                pass
        return exported.of("AppEvents")
