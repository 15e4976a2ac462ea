"""The compiled query of burn rates and budgets, held against plain Python over the same rows."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.logs.store import TelemetryStore
from shared.adapters import queries
from shared.domain.diagnosis.telemetry import Query
from shared.domain.slos.burn_query import budget_query, burn_query
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.kql import DIMENSIONS
from shared.domain.slos.slo import ANSWERED_AT, WINDOWS, Slo
from tests.infra.local.logs.workspace import make_store
from tests.shared.domain.slos.services import (
    ANSWERED,
    JUDGED,
    QUICK,
    UNTHROTTLED,
    counts,
    service,
)
from tests.shared.queries.telemetry import BIN, END, LAG, Row, requests

type Tables = Mapping[str, Sequence[Row]]

ALL = (*WINDOWS, BUDGET)
EDGES = [timedelta(0), *(timedelta(minutes=n) for n in (1, 5, 30, 60, 360, 4320, 7 * 1440, 43200))]


def run(store: TelemetryStore, query: Query) -> list[dict[str, Any]]:
    result = store.query(queries.render(query, Lag=LAG, Bin=BIN))
    assert [name for name, _ in result.columns] == list(query.columns)
    return [dict(zip(query.columns, row, strict=True)) for row in result.rows]


def asked(query: Query, tables: Tables) -> list[dict[str, Any]]:
    with make_store() as store:
        for table, rows in tables.items():
            store.append(table, list(rows))
        return run(store, query)


def label(row: Row, said: str, late: timedelta) -> Row:
    at = row["TimeGenerated"]
    properties = {**row["Properties"], "backstop.label": said, ANSWERED_AT: at.isoformat()}
    kept = {key: row[key] for key in ("AppRoleName", "ItemCount")}
    return {**kept, "TimeGenerated": at + late, "Name": "backstop.label", "Properties": properties}


@st.composite
def rows_of_three(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Requests of three services around the edges of the windows, some of them judged later."""
    rng = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    made = requests(draw(st.integers(0, 120)), seed=rng.randrange(1000))
    labels = []
    for row in made:
        edge = rng.choice(EDGES) + timedelta(seconds=rng.choice([-1, 0, 0, 1, 90]))
        row["TimeGenerated"] = END - edge
        row["AppRoleName"] = rng.choice(["a", "b", "c"])
        if row["Success"] and rng.random() < 0.5:
            late = timedelta(minutes=rng.choice([0, 20, 3000]))
            labels.append(label(row, rng.choice(["good", "bad"]), late))
    return {"AppRequests": made, "AppEvents": labels}


def own(tables: Tables, name: str, dimension: str = "", value: str = "") -> dict[str, list[Row]]:
    """What may be counted of one service, or of one of its slices."""
    key = DIMENSIONS[dimension].key if dimension else ""
    return {
        table: [
            row
            for row in rows
            if row["AppRoleName"] == name
            and "backstop.probe" not in row["Properties"]
            and (not dimension or row["Properties"].get(key, "") == value)
        ]
        for table, rows in tables.items()
    }


MIXED = (
    service("a", ANSWERED, QUICK, JUDGED),
    service("b", JUDGED, UNTHROTTLED),
    service("c", UNTHROTTLED),
    service("silent", ANSWERED, JUDGED),
)


@settings(max_examples=8, deadline=None)
@given(rows_of_three())
def test_budgets_of_all_services_are_what_plain_python_counts(tables: Tables) -> None:
    found = asked(budget_query(MIXED), tables)

    said = {(row["Service"], row["Slo"]): row for row in found}
    assert len(found) == len(said) == 8, "one row an objective, with data or without"
    for each in MIXED:
        for slo in each.slos:
            row = said[each.name, slo.name]
            assert (row["Sli"], row["Dimension"], row["Value"]) == (slo.sli, "", "")
            expected = counts(slo, own(tables, each.name), ALL, END)
            assert {column: row[column] for column in expected} == expected


@settings(max_examples=5, deadline=None)
@given(rows_of_three())
def test_burn_rates_of_one_service_are_counted_for_the_total_and_each_slice(
    tables: Tables,
) -> None:
    found = asked(burn_query(MIXED[0]), tables)

    for row in found:
        mine = own(tables, "a", row["Dimension"], row["Value"])
        (slo,) = [one for one in MIXED[0].slos if one.name == row["Slo"]]
        expected = counts(slo, mine, WINDOWS, END)
        assert {column: row[column] for column in expected} == expected
    totals = {row["Slo"] for row in found if not row["Dimension"]}
    lately = own(tables, "a")["AppRequests"]
    if any(END - timedelta(days=3) <= row["TimeGenerated"] < END for row in lately):
        assert totals == {"answered", "quick", "judged"}


def test_every_slice_that_was_served_has_a_row() -> None:
    rows = [row | {"AppRoleName": "a"} for row in requests(200)]
    found = asked(burn_query(service("a", ANSWERED)), {"AppRequests": rows})

    assert [(row["Dimension"], row["Value"]) for row in found] == [
        ("", ""),
        ("deployment", "v1"),
        ("deployment", "v2"),
        ("prompt_version", "p12"),
        ("prompt_version", "p13"),
        ("region", "swedencentral"),
        ("region", "westeurope"),
    ]


def test_burn_rates_of_a_silent_service_are_empty_not_zero() -> None:
    assert asked(burn_query(service("silent", ANSWERED)), {"AppRequests": requests(50)}) == []


def test_a_budget_without_data_says_so() -> None:
    (row,) = asked(budget_query([service("silent", ANSWERED)]), {"AppRequests": requests(50)})

    assert {row[column] for column in row if column[0] in "TB"} == {0}


def test_further_windows_are_counted_beside_the_usual() -> None:
    query = budget_query([service("a", ANSWERED)], windows=["2h", "1d", "1h"])

    assert [name for name in query.columns if name.startswith("T")] == [
        "T5m", "T30m", "T1h", "T2h", "T6h", "T1d", "T3d", "TBudget",
    ]  # fmt: skip
    rows = [row | {"AppRoleName": "a"} for row in requests(200)]
    (found,) = asked(query, {"AppRequests": rows})
    expected = counts(ANSWERED, own({"AppRequests": rows}, "a"), ["2h", "1d"], END)
    assert {column: found[column] for column in ("T2h", "B2h", "T1d", "B1d")} == {
        column: count for column, count in expected.items() if column[0] != "A"
    }


@pytest.mark.parametrize("number", [1, 50, 500])
def test_one_query_reads_a_table_once_however_many_services(number: int) -> None:
    text = budget_query([service(f"s{n}", ANSWERED, QUICK) for n in range(number)]).text

    assert text.count("AppRequests") == 1
    assert text.count("sumif(") == 18, "as wide as for one service"


def test_the_text_for_the_same_services_stays_the_same() -> None:
    def text(slo: Slo) -> str:
        return burn_query(service("a", slo)).text

    assert text(ANSWERED) == text(ANSWERED)
    assert text(ANSWERED) != text(QUICK)
