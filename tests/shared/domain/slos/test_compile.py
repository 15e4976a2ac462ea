"""The query of an alert rule, counted against plain Python over the same rows."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.slos.compile import window_query
from shared.domain.slos.kql import DIMENSIONS
from shared.domain.slos.slo import ANSWERED_AT, BurnAlert, Indicator, Slo
from tests.infra.local.logs.workspace import NOW, make_store
from tests.shared.queries.telemetry import SERVICE, Row, counted, prop, requests, weigh, within

ROWS = requests()
ALERT = BurnAlert(burn_rate=1.4, short_window="5m", long_window="1h", minimum_requests=20)
ANSWERED = Slo(name="answered", sli="availability", objective=0.9)
UNTHROTTLED = Slo(
    name="unthrottled",
    sli="availability",
    objective=0.95,
    indicator=Indicator(
        table="AppRequests",
        where='Name == "POST /score" and DurationMs > 200',
        good='Success == true or ResultCode == "429"',
    ),
)
QUICK = Slo(
    name="quick",
    sli="latency",
    objective=0.8,
    indicator=Indicator(table="AppRequests", good="DurationMs <= 800"),
)
JUDGED = Slo(
    name="judged",
    sli="quality",
    objective=0.9,
    indicator=Indicator(
        table="AppEvents",
        where='Name == "backstop.label"',
        good='tostring(Properties["backstop.label"]) == "good"',
        label_source="judge",
    ),
)


def anything(_: Row) -> bool:
    return True


def succeeded(row: Row) -> bool:
    return bool(row["Success"])


type Test = Callable[[Row], bool]
ORACLES: dict[str, tuple[Test, Test]] = {
    "answered": (anything, succeeded),
    "unthrottled": (
        lambda row: row["DurationMs"] > 200,
        lambda row: row["Success"] or row["ResultCode"] == "429",
    ),
    "quick": (anything, lambda row: row["DurationMs"] <= 800),
}


def asked(text: str, tables: dict[str, list[Row]]) -> list[dict[str, Any]]:
    with make_store() as store:
        for table, rows in tables.items():
            store.append(table, rows)
        result = store.query(text)
    names = [name for name, _ in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def expected(slo: Slo, rows: Iterable[Row], alert: BurnAlert = ALERT) -> dict[str, Any] | None:
    """What plain Python counts in one slice; None where it does not fire."""
    is_counted, is_good = ORACLES[slo.name]
    own = [row for row in rows if is_counted(row)]
    short = within(own, NOW - timedelta(minutes=5), NOW)
    long = within(own, NOW - timedelta(hours=1), NOW)
    totals = weigh(short), weigh(long)
    if totals[0] < alert.minimum_requests:
        return None
    bad = [weigh(part, lambda row: not is_good(row)) for part in (short, long)]
    burn = min(b / t / slo.budget for b, t in zip(bad, totals, strict=True))
    counts = (totals[0], bad[0], totals[1], bad[1])
    columns = ("ShortTotal", "ShortBad", "LongTotal", "LongBad")
    return (
        {**dict(zip(columns, counts, strict=True)), "Burn": pytest.approx(burn)}
        if burn >= alert.burn_rate
        else None
    )


@pytest.mark.parametrize("slo", [ANSWERED, UNTHROTTLED, QUICK], ids=lambda slo: slo.name)
@pytest.mark.parametrize("dimension", ["", *DIMENSIONS])
def test_a_rule_counts_what_plain_python_counts(slo: Slo, dimension: str) -> None:
    slices = [dimension] if dimension else []
    found = asked(window_query(SERVICE, slo, ALERT, slices), {"AppRequests": ROWS})

    key = prop(DIMENSIONS[dimension].key) if dimension else (lambda _: "")
    groups = counted(ROWS, lambda row: (key(row),))
    column = DIMENSIONS[dimension].column if dimension else ""
    hoped = [
        ({column: value} if column else {}) | row
        for (value,), rows in sorted(groups.items())
        if (row := expected(slo, rows))
    ]
    assert hoped, "the rows must make at least one slice fire"
    assert sorted(found, key=lambda row: row.get(column, "")) == hoped


def test_too_few_requests_in_the_short_window_never_fire() -> None:
    quiet = [row for row in ROWS if row["TimeGenerated"] < NOW - timedelta(minutes=5)]
    bad = quiet[0] | {"TimeGenerated": NOW, "AppRoleName": SERVICE, "Success": False}
    few = [*quiet, bad | {"Properties": {}, "ItemCount": 19}]

    assert asked(window_query(SERVICE, ANSWERED, ALERT), {"AppRequests": few}) == []
    assert asked(window_query(SERVICE, ANSWERED, ALERT), {"AppRequests": [*few, few[-1]]}), (
        "twice as many are enough"
    )


def label(at: timedelta, said: str, answered: timedelta | None = None) -> Row:
    properties = {"backstop.label": said}
    if answered is not None:
        properties[ANSWERED_AT] = (NOW - answered).isoformat()
    return {
        "TimeGenerated": NOW - at,
        "AppRoleName": SERVICE,
        "Name": "backstop.label",
        "Properties": properties,
    }


def test_a_late_label_counts_in_the_window_of_the_request_that_it_judges() -> None:
    minute, hours = timedelta(minutes=1), timedelta(hours=3)
    fresh = [label(minute, "bad") for _ in range(20)]
    late = [label(minute, "good", answered=hours) for _ in range(500)]
    (row,) = asked(window_query(SERVICE, JUDGED, ALERT), {"AppEvents": [*fresh, *late]})

    assert (row["ShortTotal"], row["ShortBad"], row["LongTotal"]) == (20, 20, 20)


def test_a_rule_reads_one_table_without_what_minutely_rules_forbid() -> None:
    text = window_query(SERVICE, UNTHROTTLED, ALERT, ["region", "deployment"])

    assert text.count("AppRequests") == 1
    for word in ("union", "search", "take", "limit", "ingestion_time", "let ", "materialize"):
        assert word not in text


@pytest.mark.parametrize(("short", "long"), [("6h", "3d"), ("1h", "1h"), ("1h", "5m")])
def test_windows_that_no_rule_can_look_back_over_are_refused(short: str, long: str) -> None:
    alert = BurnAlert(burn_rate=1.0, short_window=short, long_window=long)

    with pytest.raises(ValueError, match=f"no rule looks back over {long}"):
        window_query(SERVICE, ANSWERED, alert)


def test_a_service_s_name_stays_a_name() -> None:
    name = 'x" or true or "'

    assert asked(window_query(name, ANSWERED, ALERT), {"AppRequests": ROWS}) == []
