"""Readings: what the alert rules measure in the workspace, and whether that fires.

One rule looks at the burn rate of every region, the other at the age of every search index; both
ask the shipped queries.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from infra.local.logs.store import TelemetryStore
from shared.adapters import queries

FAST_BURN = 14.4
MINIMUM_REQUESTS = 20
BUDGET = 0.01  # of the availability objective, 99 %
OLD_INDEX = timedelta(hours=1)  # as the demo service's file allows
REPORTED = timedelta(minutes=1)  # an index that was last told of longer ago is nobody's

type Row = Mapping[str, Any]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One slice that a rule has looked at: what it measured against its threshold."""

    rule: str
    dimension: str
    value: str
    fires: bool
    measured: float
    threshold: float
    severity: str
    description: str


def read_rules(
    store: TelemetryStore, *, service: str, lag: timedelta, width: timedelta
) -> list[Reading]:
    """Everything that the rules of a service see now, in bins of `width`."""

    def ask(name: str, **parameters: float) -> list[Row]:
        text = queries.render(name, Service=service, Lag=lag, Bin=width, **parameters)
        result = store.query(text)
        names = [name for name, _ in result.columns]
        return [dict(zip(names, row, strict=True)) for row in result.rows]

    now = datetime.now(UTC).replace(tzinfo=None)  # the store's times have no zone
    return [
        *_regions(ask("burn_rates", LatencyThresholdMs=2000.0)),
        *_indexes(ask("index_freshness"), now),
    ]


def _regions(rows: Iterable[Row]) -> list[Reading]:
    chosen = [row for row in rows if (row["Sli"], row["Dimension"]) == ("availability", "region")]
    return [_region(row["Value"], row["T5m"] or 0, row["B5m"] or 0) for row in chosen]


def _region(name: str, total: int, bad: int) -> Reading:
    share = bad / total if total else 0.0
    return Reading(
        rule="availability-fast-burn",
        dimension="region",
        value=name,
        fires=total >= MINIMUM_REQUESTS and share / BUDGET >= FAST_BURN,
        measured=round(share / BUDGET, 1),
        threshold=FAST_BURN,
        severity="Sev1",
        description=f"{100 * share:.0f} % of requests in {name} fail",
    )


def _indexes(rows: Iterable[Row], now: datetime) -> list[Reading]:
    return [
        _index(row["Index"], now - row["Watermark"])
        for row in rows
        if now - row["ReportedAt"] < REPORTED
    ]


def _index(name: str, age: timedelta) -> Reading:
    return Reading(
        rule="index-old",
        dimension="index",
        value=name,
        fires=age > OLD_INDEX,
        measured=round(age.total_seconds()),
        threshold=OLD_INDEX.total_seconds(),
        severity="Sev2",
        description=f"the newest document of {name} is {age.total_seconds() / 3600:.1f} h old",
    )
