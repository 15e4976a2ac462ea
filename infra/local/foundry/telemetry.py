"""What the world tells: one function a row of the telemetry vocabulary, nothing sent from here.

Every row of an answer names the deployment that really served it, not the one that should have.
"""

from datetime import datetime
from typing import Any

import msgspec

from infra.local.foundry.behaviour import TOOLS, Behaviour, Happening
from infra.local.foundry.resources import Deployment, Operation, Resource, moment

Row = dict[str, Any]
Rows = list[tuple[str, Row]]

_EXPLANATIONS = {
    "region_unavailable": "The model's region does not answer",
    "tool_failed": "A tool refused the call",
    "too_many_requests": "The model's rate limit is exhausted",
    "context_length_exceeded": "The prompt and the policy wordings exceed the model's context",
}


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was answered: where, by which version, and what happened."""

    at: float
    service: str
    region: str
    tenant: str = ""
    operation_id: str
    deployment: str
    model: str
    prompt_version: str
    configuration_digest: str
    probe: bool
    behaviour: Behaviour
    happening: Happening


def served_by(deployment: Deployment, **facts: Any) -> Served:
    """Note which version served; `facts` are the other fields of `Served`."""
    return Served(
        deployment=deployment.name,
        model=deployment.model,
        prompt_version=deployment.prompt_version,
        configuration_digest=deployment.configuration_digest,
        **facts,
    )


def answer_rows(served: Served) -> Rows:
    """All rows of one answer, as (table, row)."""
    rows: Rows = [("AppRequests", _request(served))]
    rows += [("AppDependencies", row) for row in _tool_calls(served)]
    if served.happening.model_status is not None:
        rows.append(("AppDependencies", _model_call(served)))
        rows.append(("AppTraces", _safety_trace(served)))
    if served.happening.outcome:
        rows.append(("AppEvents", _outcome_event(served)))
    if served.happening.cause:
        rows.append(("AppExceptions", _exception(served)))
    return rows


def answered_row(served: Served, count: int) -> Row:
    """The event that says how many requests a process has answered well since the last one."""
    process = msgspec.structs.replace(served, tenant="")
    row = _row(process, Name="backstop.answered")
    row["Properties"]["backstop.answered"] = str(count)
    return row


def watermark_row(service: str, index: str, watermark: datetime, at: float) -> Row:
    """The event that says how fresh the search index is."""
    properties = {"backstop.index": index, "backstop.watermark": watermark.isoformat()}
    return {
        **_columns(service, "", at),
        "Name": "backstop.index_watermark",
        "Properties": properties,
    }


def activity_row(resource: Resource, operation: Operation, at: float) -> Row:
    """The control plane's line about a write: Start, then Success or Failure."""
    statuses = {"InProgress": "Start", "Succeeded": "Success", "Failed": "Failure"}
    return {
        "TimeGenerated": moment(at),
        "OperationNameValue": f"{resource.document['type']}/write".upper(),
        "ActivityStatusValue": statuses[operation.status],
        "Caller": operation.caller,
        "ResourceId": resource.id.lower(),
        "CorrelationId": operation.id,
    }


def _request(served: Served) -> Row:
    happening = served.happening
    return _row(
        served,
        Name="POST /score",
        Success=happening.good,
        ResultCode=str(happening.status),
        DurationMs=happening.latency_ms,
    )


def _tool_calls(served: Served) -> list[Row]:
    if served.happening.cause == "region_unavailable":
        return []
    return [_tool_call(served, tool) for tool in TOOLS]


def _tool_call(served: Served, tool: str) -> Row:
    failed = served.happening.failed_tool == tool
    row = _row(
        served,
        DependencyType="HTTP",
        Name=f"execute_tool {tool}",
        Target=tool,
        Success=not failed,
        ResultCode="500" if failed else "200",
        DurationMs=served.happening.latency_ms * 0.1,
    )
    row["Properties"] |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
    return row


def _model_call(served: Served) -> Row:
    status = served.happening.model_status
    row = _row(
        served,
        DependencyType="HTTP",
        Name=f"chat {served.model}",
        Target=f"{served.region}.openai",
        Success=status == 200,
        ResultCode=str(status),
        DurationMs=served.happening.latency_ms * 0.75,
    )
    row["Properties"]["gen_ai.operation.name"] = "chat"
    row["Properties"]["gen_ai.usage.input_tokens"] = str(served.behaviour.input_tokens)
    row["Properties"]["gen_ai.usage.output_tokens"] = "180" if status == 200 else "0"
    return row


def _safety_trace(served: Served) -> Row:
    blocked = served.happening.blocked
    row = _row(served, Message="content safety", SeverityLevel=2 if blocked else 1)
    row["Properties"]["backstop.content_safety"] = "blocked" if blocked else "allowed"
    if blocked:
        row["Properties"]["backstop.content_safety_category"] = "violence"
    return row


def _outcome_event(served: Served) -> Row:
    row = _row(served, Name="backstop.outcome")
    row["Properties"]["backstop.outcome"] = served.happening.outcome
    return row


def _exception(served: Served) -> Row:
    cause = served.happening.cause
    return _row(
        served,
        ExceptionType=cause,
        OuterMessage=_EXPLANATIONS[cause],
        ProblemId=f"{cause} at score",
        SeverityLevel=3,
    )


def _row(served: Served, **columns: Any) -> Row:
    properties = {
        "backstop.deployment": served.deployment,
        "backstop.region": served.region,
        "backstop.prompt_version": served.prompt_version,
        "gen_ai.response.model": served.model,
    }
    if served.configuration_digest:
        properties["backstop.configuration_digest"] = served.configuration_digest
    if served.tenant:
        properties["backstop.tenant"] = served.tenant
    if served.probe:
        properties["backstop.probe"] = "true"
    shared = _columns(served.service, served.region, served.at)
    return {**shared, "OperationId": served.operation_id, **columns, "Properties": properties}


def _columns(service: str, region: str, at: float) -> Row:
    return {
        "TimeGenerated": moment(at),
        "AppRoleName": service,
        "AppRoleInstance": f"{service}-{region or 'indexer'}",
        "OperationId": "",
        "ItemCount": 1,
    }
