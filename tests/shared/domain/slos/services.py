"""Services whose objectives are counted in every way, and plain Python that counts the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.kql import span
from shared.domain.slos.slo import ANSWERED_AT, Indicator, Slo
from tests.shared.domain.incidents.situations import SERVICE
from tests.shared.queries.telemetry import Row

type Test = Callable[[Row], bool]

ANSWERED = Slo(name="answered", sli="availability", objective=0.99)
UNTHROTTLED = Slo(
    name="unthrottled",
    sli="availability",
    objective=0.95,
    window_days=7,
    indicator=Indicator(
        table="AppRequests",
        where='Name == "POST /score" or DurationMs > 500',
        good='Success == true or ResultCode == "429"',
    ),
)
QUICK = Slo(
    name="quick",
    sli="latency",
    objective=0.9,
    latency_ms=800.0,
    indicator=Indicator(table="AppRequests", good="DurationMs <= 800"),
)
JUDGED = Slo(
    name="judged",
    sli="quality",
    objective=0.9,
    window_days=14,
    indicator=Indicator(
        table="AppEvents",
        where='Name == "backstop.label"',
        good='tostring(Properties["backstop.label"]) == "good"',
        label_source="judge",
        least_labelled=0.2,
    ),
)

COUNTED: Mapping[str, Test] = {
    "answered": lambda _: True,
    "unthrottled": lambda row: row["Name"] == "POST /score" or row["DurationMs"] > 500,
    "quick": lambda _: True,
    "judged": lambda row: row["Name"] == "backstop.label",
}
GOOD: Mapping[str, Test] = {
    "answered": lambda row: row["Success"],
    "unthrottled": lambda row: row["Success"] or row["ResultCode"] == "429",
    "quick": lambda row: row["DurationMs"] <= 800,
    "judged": lambda row: row["Properties"]["backstop.label"] == "good",
}


def service(name: str, *slos: Slo) -> Service:
    """A service that promises this."""
    return msgspec.structs.replace(SERVICE, name=name, slos=slos)


def counts(
    slo: Slo, tables: Mapping[str, Sequence[Row]], windows: Iterable[str], end: datetime
) -> dict[str, int]:
    """What the query should tell of one service's (or slice's) rows: T, B and A of every window."""
    rows = [row for row in tables[slo.indicator.table] if COUNTED[slo.name](row)]
    answered = [row for row in tables["AppRequests"] if row["Success"]]
    found: dict[str, int] = {}
    for window in windows:
        start = end - (timedelta(days=slo.window_days) if window == BUDGET else span(window))
        mine = [row for row in rows if start <= moment(row) < end]
        total = weigh(mine)
        labelled = [row for row in answered if start <= moment(row) < end]
        found |= {
            f"T{window}": total,
            f"B{window}": total - weigh(row for row in mine if GOOD[slo.name](row)),
            f"A{window}": weigh(labelled) if slo.indicator.label_source else total,
        }
    return found


def moment(row: Row) -> datetime:
    """When a row counts."""
    said = row["Properties"].get(ANSWERED_AT)
    time: datetime = datetime.fromisoformat(said) if said else row["TimeGenerated"]
    return time


def weigh(rows: Iterable[Row]) -> int:
    """The requests that the rows stand for."""
    return sum(row["ItemCount"] for row in rows)
