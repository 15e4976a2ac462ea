"""A healthy past for a service: what baselines, burn windows and charts have behind them.

Seeded and reproducible: the same plan writes the same rows. Traffic follows office hours; business
outcomes reach back over the weeks that the outcome query compares with.
"""

from datetime import datetime, timedelta

import msgspec
import numpy as np
import numpy.typing as npt

from infra.local.logs.store import Row, TelemetryStore

type Floats = npt.NDArray[np.float64]
type Labels = list[str]

_HOUR = timedelta(hours=1)
_WEEKEND_SHARE = 0.3
_NIGHT_SHARE = 0.25
_MEDIAN_MS = 650.0
_SPREAD = 0.35
_MODEL_SHARE = 0.8  # of a request's time is spent in the model
_TOOL_MS = 60.0


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


class _Requests(msgspec.Struct, frozen=True, kw_only=True):
    """Drawn requests, one position a request in every list."""

    times: list[datetime]
    ids: Labels
    regions: Labels
    tools: Labels
    durations_ms: list[float]
    succeeded: list[bool]
    blocked: list[bool]


def seed_history(store: TelemetryStore, history: History) -> int:
    """Write the history and return how many rows it took."""
    random = np.random.default_rng(history.seed)
    requests = _draw(random, history)
    tables = {
        "AppRequests": _request_rows(history, requests),
        "AppDependencies": _model_rows(history, requests) + _tool_rows(history, requests),
        "AppTraces": _safety_rows(history, requests),
        "AppEvents": _outcome_rows(random, history) + _watermark_rows(history),
    }
    for table, rows in tables.items():
        store.append(table, rows)
    store.flush()
    return sum(len(rows) for rows in tables.values())


def _times(
    random: np.random.Generator, until: datetime, days: int, hourly: float
) -> list[datetime]:
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


def _draw(random: np.random.Generator, history: History) -> _Requests:
    times = _times(random, history.until, history.days, history.requests_per_hour)
    count = len(times)
    durations: Floats = np.exp(random.normal(np.log(_MEDIAN_MS), _SPREAD, count))
    return _Requests(
        times=times,
        ids=[f"{history.seed:08x}{number:024x}" for number in range(count)],
        regions=random.choice(history.regions, count).tolist(),
        tools=random.choice(history.tools, count).tolist(),
        durations_ms=durations.round(3).tolist(),
        succeeded=(random.uniform(size=count) >= history.failure_share).tolist(),
        blocked=(random.uniform(size=count) < history.blocked_share).tolist(),
    )


def _common(history: History, time: datetime, operation: str, properties: dict[str, str]) -> Row:
    served = {
        "backstop.deployment": history.deployment,
        "backstop.prompt_version": history.prompt_version,
        "gen_ai.response.model": history.model_version,
    }
    return {
        "TimeGenerated": time,
        "AppRoleName": history.service,
        "AppRoleInstance": f"{history.service}-0",
        "OperationId": operation,
        "Properties": served | properties,
    }


def _call(*, succeeded: bool, duration_ms: float) -> Row:
    return {
        "Success": succeeded,
        "ResultCode": "200" if succeeded else "500",
        "DurationMs": duration_ms,
    }


def _request_rows(history: History, drawn: _Requests) -> list[Row]:
    columns = zip(
        drawn.times, drawn.ids, drawn.regions, drawn.succeeded, drawn.durations_ms, strict=True
    )
    return [
        _common(history, time, operation, {"backstop.region": region})
        | {"Name": "POST /score"}
        | _call(succeeded=succeeded, duration_ms=duration)
        for time, operation, region, succeeded, duration in columns
    ]


def _model_rows(history: History, drawn: _Requests) -> list[Row]:
    columns = zip(
        drawn.times, drawn.ids, drawn.regions, drawn.succeeded, drawn.durations_ms, strict=True
    )
    return [
        _common(history, time, operation, {"backstop.region": region} | _tokens(duration))
        | {
            "Name": f"chat {history.model_version}",
            "DependencyType": "GenAI | chat",
            "Target": f"{region}.openai",
        }
        | _call(succeeded=succeeded, duration_ms=duration * _MODEL_SHARE)
        for time, operation, region, succeeded, duration in columns
    ]


def _tokens(duration_ms: float) -> dict[str, str]:
    return {
        "gen_ai.usage.input_tokens": str(900 + int(duration_ms)),
        "gen_ai.usage.output_tokens": str(80 + int(duration_ms / 5)),
    }


def _tool_rows(history: History, drawn: _Requests) -> list[Row]:
    columns = zip(drawn.times, drawn.ids, drawn.regions, drawn.tools, strict=True)
    return [
        _common(history, time, operation, {"backstop.region": region, "gen_ai.tool.name": tool})
        | {"Name": f"execute_tool {tool}", "DependencyType": "GenAI | tool", "Target": tool}
        | _call(succeeded=True, duration_ms=_TOOL_MS)
        for time, operation, region, tool in columns
    ]


def _safety_rows(history: History, drawn: _Requests) -> list[Row]:
    columns = zip(drawn.times, drawn.ids, drawn.regions, drawn.blocked, strict=True)
    return [
        _common(history, time, operation, {"backstop.region": region} | _verdict(blocked=blocked))
        | {"Message": "content safety", "SeverityLevel": 2 if blocked else 1}
        for time, operation, region, blocked in columns
    ]


def _verdict(*, blocked: bool) -> dict[str, str]:
    if not blocked:
        return {"backstop.content_safety": "allowed"}
    return {
        "backstop.content_safety": "blocked",
        "backstop.content_safety_category": "violence",
    }


def _outcome_rows(random: np.random.Generator, history: History) -> list[Row]:
    weeks = history.outcome_weeks * 7
    times = _times(random, history.until, weeks, history.outcomes_per_hour)
    names, shares = zip(*history.outcomes, strict=True)
    drawn: Labels = random.choice(names, len(times), p=shares).tolist()
    return [
        _common(history, time, f"outcome-{number:024x}", {"backstop.outcome": outcome})
        | {"Name": "backstop.outcome"}
        for number, (time, outcome) in enumerate(zip(times, drawn, strict=True))
    ]


def _watermark_rows(history: History) -> list[Row]:
    hours = (history.until - _HOUR * back for back in range(24 * history.days, 0, -1))
    return [
        _common(history, hour, f"index-{hour:%Y%m%d%H}", _watermark(history.index, hour))
        | {"Name": "backstop.index_watermark"}
        for hour in hours
    ]


def _watermark(index: str, reported_at: datetime) -> dict[str, str]:
    newest = reported_at - timedelta(minutes=20)
    return {"backstop.index": index, "backstop.watermark": newest.isoformat()}
