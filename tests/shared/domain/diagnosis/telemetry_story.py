"""Telemetry as it would be: requests of a made-up service, folded into the answers of all queries.

A story is served request by request with a seeded chance, so that the tests of the diagnosis start
from what customers did and not from the numbers that the code under test likes. What the queries do
in KQL is done here in plain Python, by the columns that the queries promise.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import quantiles

import msgspec

from shared.domain.catalog import Dependency
from shared.domain.decisions.release import KnownGood
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.incidents.incident import Incident, Severity
from tests.shared.domain.decisions import worked_case as case

START = datetime(2026, 11, 23, 14, 0, 0, tzinfo=UTC)
REGIONS = ("westeurope", "northeurope", "francecentral", "swedencentral")
TOOLS = ("policy_lookup", "coverage_check")
ENDPOINT = case.TARGET
SERVICE = msgspec.structs.replace(
    case.SERVICE,
    dependencies=(Dependency(name="policy-wordings", kind="index"),),
    regions=REGIONS,
    index_max_age_s=3600,
)

V1_GOOD = KnownGood(
    deployment="v1",
    version="1.0",
    earned_at=START - timedelta(days=3),
    soaked_s=86_400,
    requests=9_000,
)


def seconds(count: float) -> timedelta:
    """Shorthand for offsets from START."""
    return timedelta(seconds=count)


def incident() -> Incident:
    """An open incident of the service."""
    return Incident(
        id="INC-07-261123-0A1B2C3D",
        service=SERVICE.name,
        target=ENDPOINT,
        title="Failures",
        severity=Severity.SEV1,
        severity_reasons=(),
        opened_at=START,
        changed_at=START,
    )


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a request. `code` is the model's answer; a `tool` failed before it came."""

    code: str = "200"
    tool: str = ""
    latency_ms: float = 120.0
    blocked: bool = False

    @property
    def ok(self) -> bool:
        """Whether the customer got an answer."""
        return self.code == "200" and not self.tool


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the story."""

    at: datetime
    deployment: str
    region: str
    fate: Fate = Fate()


GOOD = Fate()
OVERFLOWS = Fate(code="400")
THROTTLED = Fate(code="429")
UNREACHABLE = Fate(code="503")
TOOL_FAILS = Fate(tool="policy_lookup")
SLOW = Fate(latency_ms=2900.0)
BLOCKED = Fate(blocked=True)

type Split = Mapping[str, float]
type Trouble = Callable[[str, str, float, Random], Fate]
"""(deployment, region, seconds since START, chance) -> what becomes of the request."""


def no_trouble(_: str, __: str, ___: float, rng: Random) -> Fate:
    """Healthy: one request in 500 fails."""
    return OVERFLOWS if rng.random() < 0.002 else GOOD


def fails(
    fate: Fate,
    *,
    share: float,
    since: float = 0,
    until: float = 1e9,
    version: str = "",
    region: str = "",
) -> Trouble:
    """A share of the requests of a version and region, by default of all, meets this fate."""

    def trouble(deployment: str, where: str, at: float, rng: Random) -> Fate:
        hit = version in ("", deployment) and region in ("", where) and since <= at < until
        if hit and rng.random() < share:
            return fate
        return no_trouble(deployment, where, at, rng)

    return trouble


def serve(
    splits: Iterable[tuple[float, Split]],
    *,
    until: float,
    trouble: Trouble = no_trouble,
    per_second: float = 8,
    seed: int = 7,
) -> list[Request]:
    """Serve requests from START; each split holds from its second on, until the next one."""
    rng = Random(seed)  # noqa: S311 - seeded, so that the story is the same each time
    changes = sorted(splits, key=lambda change: change[0])
    requests = []
    for number in range(int(until * per_second)):
        at = number / per_second
        split = [shares for since, shares in changes if since <= at][-1]
        deployment = rng.choices(list(split), list(split.values()))[0]
        region = rng.choice(REGIONS)
        requests.append(
            Request(
                at=START + seconds(at),
                deployment=deployment,
                region=region,
                fate=trouble(deployment, region, at, rng),
            )
        )
    return requests


def answer(
    name: str,
    rows: Iterable[dict[str, object]],
    status: AnswerStatus = AnswerStatus.COMPLETE,
    detail: str = "",
) -> QueryAnswer:
    """An answer of the logs; complete without rows is empty, as the adapter says it."""
    found = tuple(rows)
    empty = status is AnswerStatus.COMPLETE and not found
    return QueryAnswer(
        name=name, status=AnswerStatus.EMPTY if empty else status, rows=found, detail=detail
    )


def answers_of(
    requests: list[Request], *, index_age_s: float = 12, width_s: float = 10
) -> dict[str, QueryAnswer]:
    """The answers to all queries after these requests; the index is as old as told at their end."""
    now = now_of(requests)
    rows = {
        "burn_rates": _burn_rows(requests, now),
        "onset": _onset_rows(requests, width_s),
        "slices": _slice_rows(requests),
        "versions": _version_rows(requests),
        "tool_failures": _tool_rows(requests),
        "content_safety": _safety_rows(requests),
        "outcomes": outcome_rows(
            now={"accepted": 86, "rejected": 14}, before={"accepted": 860, "rejected": 140}
        ),
        "anomalies": _anomaly_rows(requests),
        "dependencies": _dependency_rows(requests),
        "index_freshness": [
            {"Index": "policy-wordings", "Watermark": now - seconds(index_age_s), "ReportedAt": now}
        ],
    }
    return {name: answer(name, found) for name, found in rows.items()}


def now_of(requests: list[Request]) -> datetime:
    """The end of the story."""
    return max(request.at for request in requests)


def outcome_rows(*, now: Mapping[str, int], before: Mapping[str, int]) -> list[dict[str, object]]:
    """Rows of `outcomes` from counts by outcome."""
    n1, n0 = sum(now.values()), sum(before.values())
    return [
        {"Outcome": name, "N1": n1, "X1": now.get(name, 0), "N0": n0, "X0": before.get(name, 0)}
        for name in sorted({*now, *before})
    ]


def _grouped[Key](
    requests: Iterable[Request], key: Callable[[Request], Key]
) -> dict[Key, list[Request]]:
    groups: dict[Key, list[Request]] = defaultdict(list)
    for request in requests:
        groups[key(request)].append(request)
    return groups


def _counts(group: list[Request]) -> dict[str, object]:
    return {
        "Total": len(group),
        "Failed": sum(not request.fate.ok for request in group),
        "P95Ms": _p95([request.fate.latency_ms for request in group]),
    }


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _onset_rows(requests: list[Request], width_s: float) -> list[dict[str, object]]:
    groups = _grouped(
        requests,
        lambda one: (int((one.at - START).total_seconds() // width_s), one.deployment, one.region),
    )
    return [
        {
            "TimeGenerated": START + seconds(number * width_s),
            "Deployment": deployment,
            "Region": region,
            **_counts(group),
        }
        for (number, deployment, region), group in sorted(groups.items())
    ]


def _slice_rows(requests: list[Request]) -> list[dict[str, object]]:
    groups = _grouped(requests, lambda one: (one.region, one.deployment))
    return [
        {
            "Region": region,
            "Deployment": deployment,
            **_counts(group),
            "FirstFailure": min((one.at for one in group if not one.fate.ok), default=None),
        }
        for (region, deployment), group in sorted(groups.items())
    ]


def _version_rows(requests: list[Request]) -> list[dict[str, object]]:
    return [
        {
            "Deployment": deployment,
            "ModelVersion": "gpt-4o",
            "PromptVersion": f"p-{deployment}",
            **_counts(group),
            "P50Ms": 110.0,
            "FirstSeen": min(one.at for one in group),
            "LastSeen": max(one.at for one in group),
        }
        for deployment, group in sorted(_grouped(requests, lambda one: one.deployment).items())
    ]


def _tool_rows(requests: list[Request]) -> list[dict[str, object]]:
    groups = _grouped(requests, lambda one: (one.deployment, one.region))
    return [
        {
            "Tool": tool,
            "Deployment": deployment,
            "Region": region,
            "Total": len(group),
            "Failed": sum(one.fate.tool == tool for one in group),
        }
        for (deployment, region), group in sorted(groups.items())
        for tool in TOOLS
    ]


def _safety_rows(requests: list[Request]) -> list[dict[str, object]]:
    return [
        {
            "PromptVersion": f"p-{deployment}",
            "Deployment": deployment,
            "Total": len(group),
            "Blocked": sum(one.fate.blocked for one in group),
        }
        for deployment, group in sorted(_grouped(requests, lambda one: one.deployment).items())
    ]


def _dependency_rows(requests: list[Request]) -> list[dict[str, object]]:
    calls = Counter(
        (f"{one.region}.openai", one.deployment, one.region, one.fate.code)
        for one in requests
        if not one.fate.tool
    )
    return [
        {
            "Target": target,
            "Kind": "chat",
            "Deployment": deployment,
            "Region": region,
            "ResultCode": code,
            "Total": total,
            "Failed": total if code != "200" else 0,
        }
        for (target, deployment, region, code), total in sorted(calls.items())
    ]


def _anomaly_rows(requests: list[Request]) -> list[dict[str, object]]:
    return [
        {
            "TimeGenerated": now_of(requests),
            "Region": region,
            "Failed": sum(not one.fate.ok for one in group),
            "Total": len(group),
            "Flag": 0,
            "Score": 0.0,
            "Baseline": 1.0,
        }
        for region, group in sorted(_grouped(requests, lambda one: one.region).items())
    ]


_WINDOWS = {"5m": 300, "30m": 1800, "1h": 3600, "6h": 21_600, "3d": 259_200}
_DIMENSIONS: dict[str, Callable[[Request], str]] = {
    "": lambda _: "",
    "region": lambda one: one.region,
    "deployment": lambda one: one.deployment,
    "prompt_version": lambda one: f"p-{one.deployment}",
}
_BAD: dict[str, Callable[[Request], bool]] = {
    "availability": lambda one: not one.fate.ok,
    "latency": lambda one: one.fate.latency_ms > 2000,
}


def _burn_rows(requests: list[Request], now: datetime) -> list[dict[str, object]]:
    return [
        {"Slo": f"fnol-{sli}", "Sli": sli, "Dimension": dimension, "Value": value}
        | _windows(group, now, bad)
        for dimension, key in _DIMENSIONS.items()
        for value, group in sorted(_grouped(requests, key).items())
        for sli, bad in _BAD.items()
    ]


def _windows(
    group: list[Request], now: datetime, bad: Callable[[Request], bool]
) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, length in _WINDOWS.items():
        begin = now - seconds(length)
        inside = [one for one in group if one.at > begin]
        row[f"T{name}"] = len(inside)
        row[f"B{name}"] = sum(bad(one) for one in inside)
    return row
