"""How a rule's answer is read: series by dimensions, aggregated, compared with the threshold."""

import msgspec
import pytest

from infra.local.logs.engine import Result
from infra.local.simulation.evaluation import Reading, read
from shared.domain.detection.rule import AlertRule, RuleKind, Split

RULE = AlertRule(
    name="slow",
    kind=RuleKind.BURN,
    display_name="Slow",
    description="",
    severity=2,
    service="quotes",
    query="",
    window="PT5M",
    measure_column="Burn",
    resource_id_column="Target",
    threshold=10,
    dimensions=(Split(name="Region"),),
)


def answer(*rows: tuple[str, float, str]) -> Result:
    columns = [("Region", "string"), ("Burn", "real"), ("Target", "string")]
    return Result(columns=columns, rows=list(rows))


def test_each_region_is_a_series_of_its_own() -> None:
    found = read(RULE, answer(("north", 12.5, "/e"), ("south", 9.5, "/e")))

    assert found == [
        Reading(series=(("Region", "north"),), target="/e", measured=12.5, fires=True),
        Reading(series=(("Region", "south"),), target="/e", measured=9.5, fires=False),
    ]


def test_no_rows_are_no_series() -> None:
    assert read(RULE, answer()) == []


@pytest.mark.parametrize(
    ("aggregation", "measured"),
    [("Maximum", 12), ("Minimum", 6), ("Average", 9), ("Total", 18), ("Count", 2)],
)
def test_the_rows_of_a_series_are_aggregated(aggregation: str, measured: float) -> None:
    rule = msgspec.structs.replace(RULE, aggregation=aggregation)

    (found,) = read(rule, answer(("north", 12, "/e"), ("north", 6, "/e")))

    assert found.measured == measured


@pytest.mark.parametrize(
    ("comparison", "fires"),
    [
        ("GreaterThan", (False, False, True)),
        ("GreaterThanOrEqual", (False, True, True)),
        ("LessThan", (True, False, False)),
        ("LessThanOrEqual", (True, True, False)),
        ("Equal", (False, True, False)),
    ],
)
def test_below_at_and_above_the_threshold(comparison: str, fires: tuple[bool, ...]) -> None:
    rule = msgspec.structs.replace(RULE, operator=comparison)
    found = read(rule, answer(("a", 9, "/e"), ("b", 10, "/e"), ("c", 11, "/e")))

    assert tuple(one.fires for one in found) == fires
