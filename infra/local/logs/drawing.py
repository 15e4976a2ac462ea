"""Draws a healthy past: what the plan may say, and the random numbers behind the rows.

Seeded and reproducible: the same plan draws the same past. Traffic follows office hours.
"""

from datetime import datetime, timedelta

import msgspec
import numpy as np
import numpy.typing as npt

from infra.local.tenants import tenant_of

type Floats = npt.NDArray[np.float64]
type Labels = list[str]

_HOUR = timedelta(hours=1)
_WEEKEND_SHARE = 0.3
_NIGHT_SHARE = 0.25
_MEDIAN_MS = 650.0
_SPREAD = 0.35


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: requests over `days` before `until`, outcomes over `outcome_weeks`.

    Rates are the mean over a week. `outcomes` are (outcome, share); the shares sum to 1.
    """

    service: str
    until: datetime
    days: int = 4
    requests_per_hour: float = 40.0
    outcome_weeks: int = 5
    outcomes_per_hour: float = 12.0
    failure_share: float = 0.0005
    blocked_share: float = 0.002
    deployment: str = "v1"
    model_version: str = "gpt-4.1-2025-04-14"
    prompt_version: str = "p12"
    regions: tuple[str, ...] = ("westeurope", "northeurope", "francecentral", "swedencentral")
    tools: tuple[str, ...] = ("policy_lookup", "coverage_check")
    index: str = "policy-wordings"
    outcomes: tuple[tuple[str, float], ...] = (
        ("accepted", 0.78),
        ("edited", 0.17),
        ("rejected", 0.05),
    )
    seed: int = 20261123


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """Drawn requests, one position a request in every list."""

    times: list[datetime]
    ids: Labels
    regions: Labels
    tenants: Labels
    tools: Labels
    durations_ms: list[float]
    succeeded: list[bool]
    blocked: list[bool]


def draw_times(
    random: np.random.Generator, until: datetime, days: int, hourly: float
) -> list[datetime]:
    """Draw times over the days before `until`, in order; `hourly` is their mean rate."""
    start = until - timedelta(days=days)
    hours = [start + _HOUR * hour for hour in range(days * 24)]
    weights = np.array([_weight(hour) for hour in hours])
    counts = random.poisson(hourly * weights)
    offsets = np.repeat(np.arange(len(hours)), counts) + random.uniform(size=counts.sum())
    return [start + _HOUR * float(offset) for offset in np.sort(offsets)]


def _weight(hour: datetime) -> float:
    """Weigh an hour so that the mean over a week is about 1: office hours carry the most."""
    daily = 2.0 if 7 <= hour.hour < 19 else _NIGHT_SHARE
    return daily * (_WEEKEND_SHARE if hour.weekday() >= 5 else 1.1)


def draw_requests(random: np.random.Generator, history: History) -> Requests:
    """Draw the requests of the plan, in the order of their times."""
    times = draw_times(random, history.until, history.days, history.requests_per_hour)
    count = len(times)
    durations: Floats = np.exp(random.normal(np.log(_MEDIAN_MS), _SPREAD, count))
    regions: Labels = random.choice(history.regions, count).tolist()
    return Requests(
        times=times,
        ids=[f"{history.seed:08x}{number:024x}" for number in range(count)],
        regions=regions,
        tenants=[tenant_of(region, number) for number, region in enumerate(regions)],
        tools=random.choice(history.tools, count).tolist(),
        durations_ms=durations.round(3).tolist(),
        succeeded=(random.uniform(size=count) >= history.failure_share).tolist(),
        blocked=(random.uniform(size=count) < history.blocked_share).tolist(),
    )


def draw_outcomes(random: np.random.Generator, history: History) -> dict[str, list[datetime]]:
    """Draw when each business outcome was reported."""
    days = history.outcome_weeks * 7
    times = draw_times(random, history.until, days, history.outcomes_per_hour)
    names, shares = zip(*history.outcomes, strict=True)
    drawn: dict[str, list[datetime]] = {name: [] for name in names}
    for time, name in zip(times, random.choice(names, len(times), p=shares).tolist(), strict=True):
        drawn[name].append(time)
    return drawn
