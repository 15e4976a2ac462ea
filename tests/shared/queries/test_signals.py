"""The queries over dependencies, traces, events and the activity log."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.logs.store import TelemetryStore
from shared.adapters.logs import Logs
from shared.domain.diagnosis.telemetry import AnswerStatus
from tests.infra.local.logs.workspace import ask, make_store
from tests.shared.queries.telemetry import (
    BIN,
    END,
    LAG,
    SERVICE,
    SINCE,
    Row,
    counted,
    event,
    is_failed,
    prop,
    safety_traces,
    tool_calls,
    weigh,
    within,
)

CALLS = tool_calls()
TRACES = safety_traces()
DEPLOYMENT = prop("backstop.deployment")
REGION = prop("backstop.region")
OPERATION = prop("gen_ai.operation.name")
PROMPT = prop("backstop.prompt_version")
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store() as made:
        yield made


@pytest.fixture
async def logs(store: TelemetryStore) -> AsyncIterator[Logs]:
    async with ask(store, lag_s=LAG.total_seconds(), bin_s=BIN.total_seconds()) as asked:
        yield asked


async def rows_of(logs: Logs, name: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = await logs.query(name, **parameters)
    assert answer.status is AnswerStatus.COMPLETE, answer.detail
    return list(answer.rows)


async def test_tool_failures_leave_model_calls_out(store: TelemetryStore, logs: Logs) -> None:
    store.append("AppDependencies", CALLS)

    found = await rows_of(logs, "tool_failures", Service=SERVICE, Since=SINCE)

    tools = [row for row in within(CALLS, SINCE) if OPERATION(row) == "execute_tool"]
    tool = prop("gen_ai.tool.name")
    groups = counted(tools, lambda row: (tool(row), DEPLOYMENT(row), REGION(row)))
    assert [tuple(row.values()) for row in found] == [
        (*key, weigh(rows), weigh(rows, is_failed)) for key, rows in sorted(groups.items())
    ]


async def test_dependencies_split_calls_by_target_and_answer(
    store: TelemetryStore, logs: Logs
) -> None:
    store.append("AppDependencies", CALLS)

    found = await rows_of(logs, "dependencies", Service=SERVICE, Since=SINCE)

    def key(row: Row) -> tuple[str, ...]:
        called = (row["Target"], OPERATION(row))
        return (*called, DEPLOYMENT(row), REGION(row), row["ResultCode"])

    groups = counted(within(CALLS, SINCE), key)
    assert [tuple(row.values()) for row in found] == [
        (*key, weigh(rows), weigh(rows, is_failed)) for key, rows in sorted(groups.items())
    ]


async def test_content_safety_counts_verdicts_only(store: TelemetryStore, logs: Logs) -> None:
    store.append("AppTraces", TRACES)

    found = await rows_of(logs, "content_safety", Service=SERVICE, Since=SINCE)

    verdicts = [row for row in within(TRACES, SINCE) if row["Message"] == "content safety"]
    groups = counted(verdicts, lambda row: (PROMPT(row), DEPLOYMENT(row)))
    verdict = prop("backstop.content_safety")
    assert [tuple(row.values()) for row in found] == [
        (*key, weigh(rows), weigh(rows, lambda row: verdict(row) == "blocked"))
        for key, rows in sorted(groups.items())
    ]


async def test_outcomes_compare_with_the_same_hours_of_the_weeks_before(
    store: TelemetryStore, logs: Logs
) -> None:
    since = END - timedelta(hours=1)

    def outcome(at: datetime, name: str, count: int = 1) -> Row:
        return event(at, "backstop.outcome", {"backstop.outcome": name}, count)

    probe = {"backstop.outcome": "accepted", "backstop.probe": "true"}

    store.append(
        "AppEvents",
        [
            outcome(since, "accepted", 5),
            outcome(END - MINUTE, "rejected", 3),
            outcome(END, "accepted", 100),  # still arriving
            outcome(since - MINUTE, "accepted", 100),  # before the window
            outcome(since - WEEK, "accepted", 7),
            outcome(END - WEEK - MINUTE, "edited", 2),
            outcome(END - WEEK, "accepted", 100),  # after the same hours
            outcome(since - 2 * WEEK - MINUTE, "accepted", 100),  # before the same hours
            outcome(since - 2 * WEEK, "rejected", 4),
            outcome(since - 3 * WEEK, "accepted", 100),  # a week too old
            event(since, "backstop.outcome", probe, 100),
            event(since, "backstop.other", {"backstop.outcome": "accepted"}, 100),
        ],
    )

    found = await rows_of(logs, "outcomes", Service=SERVICE, Since=since, BaselineWeeks=2)

    assert found == [
        {"Outcome": "accepted", "N1": 8, "X1": 5, "N0": 13, "X0": 7},
        {"Outcome": "edited", "N1": 8, "X1": 0, "N0": 13, "X0": 2},
        {"Outcome": "rejected", "N1": 8, "X1": 3, "N0": 13, "X0": 4},
    ]


async def test_index_freshness_is_the_last_report_of_each_index(
    store: TelemetryStore, logs: Logs
) -> None:
    def report(at: datetime, index: str, watermark: str) -> Row:
        told = {"backstop.index": index, "backstop.watermark": watermark}
        return event(at, "backstop.index_watermark", told)

    store.append(
        "AppEvents",
        [
            report(END - 3 * MINUTE, "policy-wordings", "2026-11-20T10:00:00+00:00"),
            report(END - 2 * MINUTE, "policy-wordings", "2026-11-20T09:00:00Z"),
            report(END - 60 * MINUTE, "rates", "2026-11-22T00:00:00+01:00"),
            report(END - 2 * WEEK - MINUTE, "retired", "2026-01-01T00:00:00Z"),
        ],
    )

    found = await rows_of(logs, "index_freshness", Service=SERVICE)

    assert [(row["Index"], row["Watermark"].isoformat(), row["ReportedAt"]) for row in found] == [
        ("policy-wordings", "2026-11-20T09:00:00+00:00", END - 2 * MINUTE),
        ("rates", "2026-11-21T23:00:00+00:00", END - 60 * MINUTE),
    ]


async def test_activity_lists_the_writes_under_a_resource(
    store: TelemetryStore, logs: Logs
) -> None:
    def entry(minute: int, operation: str, resource: str) -> Row:
        return {
            "TimeGenerated": SINCE + minute * MINUTE,
            "OperationNameValue": operation,
            "ActivityStatusValue": "Success",
            "Caller": "anna@insurer.example",
            "ResourceId": resource,
            "CorrelationId": f"c{minute}",
        }

    store.append(
        "AzureActivity",
        [
            entry(3, "MICROSOFT.ML/ENDPOINTS/WRITE", "/subscriptions/s/endpoints/fnol"),
            entry(
                1, "Microsoft.Ml/endpoints/deployments/delete", "/subscriptions/s/endpoints/fnol/v2"
            ),
            entry(2, "MICROSOFT.ML/ENDPOINTS/LISTKEYS/ACTION", "/subscriptions/s/endpoints/fnol"),
            entry(2, "MICROSOFT.ML/ENDPOINTS/WRITE", "/subscriptions/s/endpoints/other"),
            entry(-1, "MICROSOFT.ML/ENDPOINTS/WRITE", "/subscriptions/s/endpoints/fnol"),
        ],
    )

    found = await rows_of(
        logs, "activity", ResourceId="/SUBSCRIPTIONS/s/endpoints/FNOL", Since=SINCE
    )

    assert [(row["CorrelationId"], row["Caller"]) for row in found] == [
        ("c1", "[email]"),
        ("c3", "[email]"),
    ]
