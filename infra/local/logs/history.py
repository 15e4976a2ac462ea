"""A healthy past for a service: what baselines, burn windows and charts have behind them.

Turns what `drawing` draws into rows of the telemetry vocabulary and writes them into a store.
Business outcomes reach back over the weeks that the outcome query compares with.
"""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from infra.local.logs.drawing import History, Requests, draw_outcomes, draw_requests
from infra.local.logs.store import Row, TelemetryStore
from shared.telemetry.answers import Answers

__all__ = ["History", "seed_history"]

_HOUR = timedelta(hours=1)
_MODEL_SHARE = 0.8  # of a request's time is spent in the model
_TOOL_MS = 60.0


def seed_history(store: TelemetryStore, history: History) -> int:
    """Write the history and return how many rows it took."""
    random = np.random.default_rng(history.seed)
    requests = draw_requests(random, history)
    outcomes = draw_outcomes(random, history)
    tables = {
        "AppRequests": _request_rows(history, requests),
        "AppDependencies": _model_rows(history, requests) + _tool_rows(history, requests),
        "AppTraces": _safety_rows(history, requests),
        "AppEvents": _watermark_rows(history) + _answered_rows(history, requests),
    }
    for table, rows in tables.items():
        store.append(table, rows)
    store.flush()
    for outcome, times in outcomes.items():
        store.repeat("AppEvents", _outcome_row(history, outcome), times)
    written: list[list[Any]] = [*tables.values(), *outcomes.values()]
    return sum(len(rows) for rows in written)


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


def _request_rows(history: History, drawn: Requests) -> list[Row]:
    columns = zip(
        drawn.times, drawn.ids, _places(drawn), drawn.succeeded, drawn.durations_ms, strict=True
    )
    return [
        _common(history, time, operation, place)
        | {"Name": "POST /score"}
        | _call(succeeded=succeeded, duration_ms=duration)
        for time, operation, place, succeeded, duration in columns
    ]


def _places(drawn: Requests) -> list[dict[str, str]]:
    """Where each request was served, and for whom."""
    return [
        {"backstop.region": region, "backstop.tenant": tenant}
        for region, tenant in zip(drawn.regions, drawn.tenants, strict=True)
    ]


def _model_rows(history: History, drawn: Requests) -> list[Row]:
    columns = zip(
        drawn.times, drawn.ids, _places(drawn), drawn.succeeded, drawn.durations_ms, strict=True
    )
    return [
        _common(history, time, operation, place | _chat(duration))
        | {
            "Name": f"chat {history.model_version}",
            "DependencyType": "HTTP",
            "Target": f"{place['backstop.region']}.openai",
        }
        | _call(succeeded=succeeded, duration_ms=duration * _MODEL_SHARE)
        for time, operation, place, succeeded, duration in columns
    ]


def _chat(duration_ms: float) -> dict[str, str]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": str(900 + int(duration_ms)),
        "gen_ai.usage.output_tokens": str(80 + int(duration_ms / 5)),
    }


def _tool_rows(history: History, drawn: Requests) -> list[Row]:
    columns = zip(drawn.times, drawn.ids, _places(drawn), drawn.tools, strict=True)
    return [
        _common(history, time, operation, place | _tool(tool))
        | {"Name": f"execute_tool {tool}", "DependencyType": "HTTP", "Target": tool}
        | _call(succeeded=True, duration_ms=_TOOL_MS)
        for time, operation, place, tool in columns
    ]


def _tool(name: str) -> dict[str, str]:
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}


def _safety_rows(history: History, drawn: Requests) -> list[Row]:
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


def _outcome_row(history: History, outcome: str) -> Row:
    named = {"Name": "backstop.outcome"}
    return _common(history, history.until, "outcome", {"backstop.outcome": outcome}) | named


def _watermark_rows(history: History) -> list[Row]:
    hours = (history.until - _HOUR * back for back in range(24 * history.days, 0, -1))
    return [
        _common(history, hour, f"index-{hour:%Y%m%d%H}", _watermark(history.index, hour))
        | {"Name": "backstop.index_watermark"}
        for hour in hours
    ]


def _answered_rows(history: History, drawn: Requests) -> list[Row]:
    """How many requests the one process of the past had answered, told as the helper tells it."""
    answers = Answers()
    columns = zip(drawn.times, drawn.ids, drawn.succeeded, strict=True)
    well = ((time, operation) for time, operation, succeeded in columns if succeeded)
    told = ((time, operation, answers.add(time.timestamp())) for time, operation in well)
    return [
        _common(history, time, operation, {"backstop.answered": str(count)})
        | {"Name": "backstop.answered"}
        for time, operation, count in told
        if count
    ]


def _watermark(index: str, reported_at: datetime) -> dict[str, str]:
    newest = reported_at - timedelta(minutes=20)
    return {"backstop.index": index, "backstop.watermark": newest.isoformat()}
