"""Telemetry with a known content, and plain Python to count it: the oracle of the query tests."""

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.infra.local.logs.workspace import NOW

type Row = dict[str, Any]

SERVICE = "fnol-summary"
LAG = timedelta(seconds=90)
BIN = timedelta(minutes=1)
END = NOW.replace(second=0) - timedelta(minutes=1)  # bin(NOW - LAG, BIN)
SINCE = END - timedelta(hours=2)
LATENCY_MS = 800.0

_REGIONS = ["westeurope", "swedencentral"]
_DEPLOYMENTS = ["v1", "v2"]
_TOOLS = ["policy_lookup", "coverage_check"]


def requests(count: int = 600, seed: int = 1) -> list[Row]:
    """Requests of two services over four days, denser lately, some sampled, some probes."""
    draw = random.Random(seed)  # noqa: S311
    rows = [_request(draw, number) for number in range(count)]
    # The very edges of the windows: the first instant is in, the end is out.
    edges = [END, END - timedelta(minutes=5), END - timedelta(hours=1), SINCE]
    return rows + [_at(_request(draw, count + n), edge) for n, edge in enumerate(edges)]


def tool_calls(seed: int = 2) -> list[Row]:
    """Return tool and model calls of the same shape as the requests."""
    draw = random.Random(seed)  # noqa: S311
    return [_dependency(draw, row) for row in requests(300, seed)]


def safety_traces(seed: int = 3) -> list[Row]:
    """Return content safety verdicts, and other traces."""
    draw = random.Random(seed)  # noqa: S311
    return [_trace(draw, row) for row in requests(300, seed)]


def event(at: datetime, name: str, properties: dict[str, str], count: int = 1) -> Row:
    """Return an event of the service, which stands for `count` of them."""
    return {
        "TimeGenerated": at,
        "AppRoleName": SERVICE,
        "Name": name,
        "ItemCount": count,
        "Properties": properties,
    }


def counted(
    rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[Row]]:
    """Group the rows that a query may count: the service's own, without probes."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["AppRoleName"] == SERVICE and "backstop.probe" not in row["Properties"]:
            groups.setdefault(key(row), []).append(row)
    return groups


def within(rows: Iterable[Row], start: datetime, end: datetime = END) -> list[Row]:
    """Return the rows of [start, end)."""
    return [row for row in rows if start <= row["TimeGenerated"] < end]


def weigh(rows: Iterable[Row], is_counted: Callable[[Row], bool] = lambda _: True) -> int:
    """Return the requests that the rows stand for."""
    return sum(row["ItemCount"] for row in rows if is_counted(row))


def is_failed(row: Row) -> bool:
    return not row["Success"]


def is_slow(row: Row) -> bool:
    return bool(row["DurationMs"] > LATENCY_MS)


def prop(name: str) -> Callable[[Row], str]:
    """Return a reader of one of a row's properties."""
    return lambda row: row["Properties"].get(name, "")


def _request(draw: random.Random, number: int) -> Row:
    age = draw.choice([timedelta(minutes=10), timedelta(hours=2), timedelta(days=4)])
    failed = draw.random() < 0.3
    deployment = draw.choice(_DEPLOYMENTS)
    properties = {
        "backstop.region": draw.choice(_REGIONS),
        "backstop.deployment": deployment,
        "backstop.prompt_version": draw.choice(["p12", "p13"]),
        "gen_ai.response.model": "gpt-4.1",
    }
    if draw.random() < 0.15:
        properties["backstop.probe"] = "true"
    if number % 7:  # not every request names one
        properties["backstop.tenant"] = f"org-{number % 3}"
    return {
        "TimeGenerated": NOW - age * draw.random(),
        "AppRoleName": SERVICE if draw.random() < 0.8 else "another-service",
        "OperationId": f"operation-{number:04}",
        "ItemCount": draw.choice([1, 1, 5]),
        "Name": "POST /score",
        "Success": not failed,
        "ResultCode": draw.choice(["429", "500"]) if failed else "200",
        "DurationMs": round(draw.uniform(100, 1200), 1),
        "Properties": properties,
    }


def _at(row: Row, time: datetime) -> Row:
    properties = {k: v for k, v in row["Properties"].items() if k != "backstop.probe"}
    return row | {"TimeGenerated": time, "AppRoleName": SERVICE, "Properties": properties}


def _dependency(draw: random.Random, row: Row) -> Row:
    if draw.random() < 0.5:
        target = f"{row['Properties']['backstop.region']}.openai"
        chat = row["Properties"] | {"gen_ai.operation.name": "chat"}
        called = {"Name": "chat", "DependencyType": "HTTP", "Target": target}
        return row | called | {"Properties": chat}
    tool = draw.choice(_TOOLS)
    named = row["Properties"] | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
    }
    return row | {
        "Name": f"execute_tool {tool}",
        "DependencyType": "HTTP",
        "Target": tool,
        "Properties": named,
    }


def _trace(draw: random.Random, row: Row) -> Row:
    verdict = {"backstop.content_safety": draw.choice(["allowed", "allowed", "blocked"])}
    kept = ("TimeGenerated", "AppRoleName", "OperationId", "ItemCount")
    return {key: row[key] for key in kept} | {
        "Message": draw.choice(["content safety", "content safety", "step finished"]),
        "SeverityLevel": 1,
        "Properties": row["Properties"] | verdict,
    }
