"""What the alert rules see in the workspace, and what of it fires."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.foundry import telemetry
from infra.local.foundry.behaviour import HEALTHY, Happening
from infra.local.foundry.seed import SERVICE, seed
from infra.local.foundry.world import World
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.readings import Reading, read_rules

SECOND = timedelta(seconds=1)
INDEX = "policy-wordings"


@pytest.fixture
def store() -> TelemetryStore:
    return TelemetryStore()


def serve(store: TelemetryStore, region: str, *, good: int, bad: int) -> None:
    """So many answers of v1, a few seconds ago."""
    deployment = seed(World(), fuse_s=60.0).deployments["v1"]
    refused = Happening(status=424, latency_ms=9.0, cause="context_length_exceeded")
    answered = Happening(status=200, latency_ms=9.0)
    for number in range(good + bad):
        served = telemetry.served_by(
            deployment,
            at=datetime.now(UTC).timestamp() - 5,
            service=SERVICE,
            region=region,
            operation_id=f"{region}-{number}",
            probe=False,
            behaviour=HEALTHY,
            happening=refused if number < bad else answered,
        )
        for table, row in telemetry.answer_rows(served):
            store.append(table, [row])


def tell_index(store: TelemetryStore, *, age: timedelta, reported: timedelta) -> None:
    """The index's newest document is so old, as was reported so long ago."""
    now = datetime.now(UTC)
    at = (now - reported).timestamp()
    store.append("AppEvents", [telemetry.watermark_row(SERVICE, INDEX, now - age, at)])


def look(store: TelemetryStore) -> dict[str, Reading]:
    found = read_rules(store, service=SERVICE, lag=SECOND, width=SECOND)
    return {reading.value: reading for reading in found}


def test_a_region_whose_budget_burns_fires_and_the_others_do_not(store: TelemetryStore) -> None:
    serve(store, "swedencentral", good=30, bad=10)
    serve(store, "westeurope", good=40, bad=0)

    found = look(store)

    assert found["swedencentral"].fires
    assert found["swedencentral"].measured == 25.0
    assert found["swedencentral"].description == "25 % of requests in swedencentral fail"
    assert not found["westeurope"].fires


def test_a_few_bad_answers_are_no_alert(store: TelemetryStore) -> None:
    serve(store, "swedencentral", good=1, bad=18)

    assert not look(store)["swedencentral"].fires


@pytest.mark.parametrize(("hours", "fires"), [(0, False), (2, True)])
def test_an_index_that_stands_still_fires(store: TelemetryStore, hours: int, fires: bool) -> None:
    tell_index(store, age=timedelta(hours=hours, seconds=5), reported=timedelta(seconds=5))

    found = look(store)[INDEX]

    assert (found.rule, found.severity, found.fires) == ("index-old", "Sev2", fires)


def test_an_index_of_which_nobody_tells_any_more_is_left_alone(store: TelemetryStore) -> None:
    tell_index(store, age=timedelta(hours=2), reported=timedelta(minutes=5))

    assert INDEX not in look(store)
