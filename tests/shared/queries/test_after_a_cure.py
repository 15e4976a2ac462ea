"""Until a cure something fires, and a minute after it nothing that did not fire before.

A version takes over, fails in some pattern of regions, and is taken back after some minutes, while
the windows forget.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.logs.store import TelemetryStore
from infra.local.simulation.evaluation import read
from tests.infra.local.logs.workspace import NOW
from tests.shared.queries.test_alert_rules import BURN, PART

HALF_MINUTE = timedelta(seconds=30)
CURED = 10  # minutes after v2 took over
NEVER = 60
REQUESTS = 40  # a region and half a minute
REGIONS = ("swedencentral", "westeurope", "northeurope")
BEFORE = (4, 6, 8, 10)
AFTER = (12, 13, 14, 15, 16, 20, 40, 65)  # in the first minute the cure is being verified


class Clock:
    """Tells the minutes since v2 took over as a time."""

    def __init__(self) -> None:
        self.minute = 0.0

    def __call__(self) -> Any:
        return NOW + timedelta(minutes=self.minute)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[TelemetryStore]:
    made = TelemetryStore(now=clock)
    yield made
    made.close()


def tell(
    store: TelemetryStore,
    shares: tuple[float, ...],
    canary: float,
    well_min: int,
    cured: int = CURED,
) -> None:
    """An hour that ends with v2, then so many bad requests by region, then v1 again."""
    for number in range(-120, 140):
        failing = 0 <= number < 2 * cured
        for region, share in zip(REGIONS, shares, strict=True):
            taken = canary if -2 * well_min <= number < 2 * cured else 0.0
            bad = round(REQUESTS * taken * share * failing)
            good = round(REQUESTS * taken) - bad
            rest = REQUESTS - good - bad
            counts = (("v2", False, bad), ("v2", True, good), ("v1", True, rest))
            for version, succeeds, count in counts:
                if count:
                    row = _row(number, region, version, succeeds=succeeds, count=count)
                    store.append("AppRequests", [row])


def _row(number: int, region: str, version: str, *, succeeds: bool, count: int) -> dict[str, Any]:
    return {
        "TimeGenerated": NOW + HALF_MINUTE * number,
        "AppRoleName": "quotes",
        "Success": succeeds,
        "ItemCount": count,
        "Properties": {"backstop.region": region, "backstop.deployment": version},
    }


def fired(store: TelemetryStore, clock: Clock, minutes: tuple[int, ...]) -> set[Any]:
    found = set()
    for minute in minutes:
        clock.minute = minute - 0.1  # what comes at that minute has not come yet
        for rule in (BURN, PART):
            timespan = (clock() - timedelta(hours=1), clock())
            readings = read(rule, store.query(rule.query, timespan=timespan))
            found |= {(rule.kind.value, *one.series) for one in readings if one.fires}
    return found


@pytest.mark.parametrize(
    ("shares", "canary", "well_min"),
    [
        ((1.0, 0.05, 0.05), 1.0, 0),
        ((0.6, 0.4, 0.4), 1.0, 0),
        ((0.5, 0.5, 0.5), 1.0, 0),
        ((1.0, 0.95, 0.95), 1.0, 30),
        ((0.5, 0.0, 0.0), 1.0, 0),
        ((0.9, 0.9, 0.9), 0.1, 0),
    ],
    ids=[
        "one region out",
        "one region worse",
        "all alike",
        "all nearly alike, of a version that served well before",
        "one region alone",
        "a canary",
    ],
)
def test_what_fires_after_a_cure_fired_before_it(
    store: TelemetryStore,
    clock: Clock,
    shares: tuple[float, ...],
    canary: float,
    well_min: int,
) -> None:
    tell(store, shares, canary, well_min)

    before = fired(store, clock, BEFORE)
    after = fired(store, clock, AFTER)

    assert before, "the trouble must be seen at all"
    assert after <= before
    assert fired(store, clock, (66,)) == set()


@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("canary", [0.1, 1.0], ids=["a canary", "all traffic"])
def test_what_is_not_cured_fires_all_the_time(
    store: TelemetryStore, clock: Clock, share: float, canary: float
) -> None:
    """No incident ends by itself while customers are hurt: Azure would say that all is well."""
    tell(store, (share, share, share), canary, 0, cured=NEVER)

    quiet = [minute for minute in range(3, 50) if not fired(store, clock, (minute,))]

    assert quiet == []
