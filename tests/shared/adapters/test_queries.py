from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.adapters import queries

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SLICES: dict[str, Any] = {
    "Service": "fnol-summary",
    "Since": NOON,
    "Until": NOON + timedelta(hours=1),
    "Lag": timedelta(minutes=2),
    "Bin": timedelta(minutes=1),
}


def test_a_query_describes_itself() -> None:
    query = queries.load("slices")

    assert query.name == "slices"
    assert query.purpose.endswith("for each region and deployment.")
    assert list(query.parameters) == ["Service", "Since", "Until", "Lag", "Bin"]
    assert query.columns["FirstFailure"] == "datetime"


def test_a_description_may_take_several_lines() -> None:
    assert list(queries.load("affected").parameters)[-3:] == ["Limit", "Lag", "Bin"]


def test_an_unknown_query_is_named() -> None:
    with pytest.raises(LookupError, match="no_such"):
        queries.load("no_such")


def test_a_name_is_no_path() -> None:
    with pytest.raises(LookupError, match="queries/slices"):
        queries.load("../queries/slices")


def test_parameters_stand_in_front_as_typed_literals() -> None:
    lines = queries.render("slices", **SLICES).splitlines()

    assert lines[:5] == [
        'let Service = "fnol-summary";',
        "let Since = datetime(2026-11-23T12:00:00.000000Z);",
        "let Until = datetime(2026-11-23T13:00:00.000000Z);",
        "let Lag = time(0.00:02:00.000000);",
        "let Bin = time(0.00:01:00.000000);",
    ]
    assert lines[5] == "// name: slices"


@pytest.mark.parametrize(
    ("value", "kusto", "literal"),
    [
        ('a"b\\c\nd', "string", r'"a\"b\\c\nd"'),
        ("é\u2028", "string", r'"\u00e9\u2028"'),
        (True, "bool", "true"),
        (7, "int", "int(7)"),
        (-7, "long", "long(-7)"),
        (7, "real", "real(7.0)"),
        (0.1, "real", "real(0.1)"),
        (timedelta(days=3, seconds=1.5), "timespan", "time(3.00:00:01.500000)"),
        (timedelta(hours=-1), "timespan", "time(-0.01:00:00.000000)"),
        (
            datetime(2026, 11, 23, 14, tzinfo=timezone(timedelta(hours=2))),
            "datetime",
            "datetime(2026-11-23T12:00:00.000000Z)",
        ),
    ],
)
def test_literals_are_kustos(value: queries.Value, kusto: str, literal: str) -> None:
    assert queries.render_literal(value, kusto) == literal


@pytest.mark.parametrize("missing", ["Service", "Since", "Bin"])
def test_a_missing_parameter_is_named(missing: str) -> None:
    given = {name: value for name, value in SLICES.items() if name != missing}

    with pytest.raises(TypeError, match=f"slices: missing parameter {missing}"):
        queries.render("slices", **given)


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(TypeError, match="slices: unknown parameter Region"):
        queries.render("slices", **SLICES, Region="westeurope")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("Service", 3),
        ("Since", "2026-11-23"),
        ("Since", NOON.replace(tzinfo=None)),
        ("Bin", 60),
        ("Bin", True),
    ],
)
def test_a_parameter_of_the_wrong_type_is_named(parameter: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"slices: {parameter} must"):
        queries.render("slices", **SLICES | {parameter: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_is_endless(value: float) -> None:
    with pytest.raises(TypeError, match="finite"):
        queries.render_literal(value, "real")


@pytest.mark.parametrize("name", queries.names())
def test_every_file_keeps_the_form(name: str) -> None:
    query = queries.load(name)

    assert query.name == name
    assert query.purpose.endswith((".", "?"))
    assert "count()" not in query.text, "telemetry is sampled: sum(ItemCount)"
    reads_telemetry = name not in {"activity", "role_changes"}
    assert ('tostring(Properties["backstop.probe"]) != "true"' in query.text) == reads_telemetry
    assert ("bin(now() - Lag, Bin)" in query.text) == reads_telemetry
