"""Show: what people and programs may read. GET changes nothing, and reads cost O(answer)."""

import re
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.incidents.incident import Incident
from shared.domain.incidents.objectives import rto
from shared.domain.keys import shard_of, shard_of_incident
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.noise.quiet import Quiet
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import NotFound, RejectedInput, Unavailable
from shared.protocol.commit import read_incident
from shared.protocol.evidence.dossier import read_dossier
from shared.protocol.intake import read_delivery
from shared.protocol.listing import list_incidents, open_incidents
from shared.services import Services


async def show_delivery(services: Services, request: Request) -> Answer:
    """Where did my alert go, and what holds its incident back now? Raises NotFound."""
    delivery = (await read_delivery(services, request.path["key"])).value
    quiet: tuple[Quiet, ...] = ()
    if delivery.incident:
        quiet = (await read_incident(services, delivery.incident)).value.quiet
    return json_answer(
        {
            "delivery": delivery.key,
            "state": delivery.state,
            "incident": delivery.incident,
            "rule": delivery.rule,
            "quiet": quiet,
            "source": delivery.source,
            "accepted_at": delivery.accepted_at,
            "alert": delivery.alert.summary,
        }
    )


async def show_incidents(services: Services, request: Request) -> Answer:
    """Incidents, newest first; `state=open` for those that are not resolved. Paged by `after`."""
    limit = request.limit()
    if request.query.get("state") == "open":
        found = await open_incidents(services)
        return json_answer({"incidents": found[:limit], "next": ""})
    after = request.query.get("after", "")
    incidents, following = await list_incidents(services, after=after, limit=limit)
    return json_answer({"incidents": incidents, "next": following})


async def show_incident(services: Services, request: Request) -> Answer:
    """One incident with timeline, findings, the decision with every rule, before and after."""
    dossier = await read_dossier(services, request.path["id"])
    incident, service = dossier.incident, dossier.service
    return json_answer(
        {
            "incident": incident,
            "rto": rto(incident, service, services.now()) if service else None,
            "rpo": dossier.losses,
            "diagnosis": dossier.diagnosis,
            "decision": dossier.decision,
            "intent": dossier.intent,
            "timeline": dossier.timeline,
        }
    )


async def show_affected(services: Services, request: Request) -> Answer:
    """Operation ids that the bad version served since the onset, for rework; paged by `after`."""
    incident = (await read_incident(services, request.path["id"])).value
    version, since, until = await _window(services, incident)
    after_time, after_id = _operation_key(request.query.get("after", ""), since)
    limit = request.limit(default=500, most=1000)
    answer = await services.logs.query(
        "affected",
        Service=incident.service,
        Deployment=version,
        Since=since,
        Until=until,
        AfterTime=after_time,
        AfterId=after_id,
        Limit=limit,
    )
    if answer.status not in (AnswerStatus.COMPLETE, AnswerStatus.EMPTY):
        raise Unavailable("logs", answer.detail, 30.0)
    rows = answer.rows
    full = len(rows) == limit
    following = f"{_iso(rows[-1]['TimeGenerated'])}|{rows[-1]['OperationId']}" if full else ""
    operations = [_operation(row) for row in rows]
    return json_answer({"version": version, "operations": operations, "next": following})


async def _window(services: Services, incident: Incident) -> tuple[str, datetime, datetime]:
    shard = shard_of_incident(incident.id)
    found = await services.state.read(shard, f"diagnosis|{incident.id}", Diagnosis)
    onset = incident.onset_at or incident.opened_at
    if found is None or not found.value.served_version:
        raise NotFound(f"incident {incident.id} has no diagnosis that names a version")
    until = incident.recovered_at or incident.resolved_at or services.now()
    return found.value.served_version, onset, until


def _operation_key(after: str, since: datetime) -> tuple[datetime, str]:
    if not after:
        return since, ""
    at, _, operation = after.partition("|")
    try:
        return datetime.fromisoformat(at), operation
    except ValueError:
        raise RejectedInput("wrong-after", "after must be a `next` of an earlier page") from None


def _operation(row: dict[str, object]) -> dict[str, object]:
    return {
        "operation": row["OperationId"],
        "at": row["TimeGenerated"],
        "success": row["Success"],
        "region": row["Region"],
    }


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def show_changes(services: Services, request: Request) -> Answer:
    """The ledger's records of a service's shard in a month, newest first; paged by `before`."""
    service = request.query.get("service", "")
    if not service:
        raise RejectedInput("no-service", "say which service: ?service=NAME")
    limit = request.limit()
    partition = f"{shard_of(service)}-{_month(request, services.now())}"
    head = await services.ledger.read(partition, "head", Head)
    before = _sequence(request.query.get("before", ""), head.value if head else None)
    first = max(before - limit, 1)
    rows = await services.ledger.scan(
        partition, "seq|", LedgerRow, after=f"seq|{first - 1:012d}", limit=before - first
    )
    found = (_change(row.value) for row in reversed(rows) if row.value.body)  # but for the purged
    mine = [change for change in found if change["event"]["service"] == service]
    following = str(first) if first > 1 else ""
    return json_answer({"changes": mine, "next": following})


def _month(request: Request, now: datetime) -> str:
    month = request.query.get("month") or f"{now:%Y%m}"
    if re.fullmatch("[0-9]{6}", month) is None:  # it becomes a table key
        raise RejectedInput("wrong-month", "month must be six digits, such as 202603")
    return month


def _sequence(before: str, head: Head | None) -> int:
    end = (head.sequence if head else 0) + 1
    if not before:
        return end
    if not before.isdecimal():
        raise RejectedInput("wrong-before", "before must be a `next` of an earlier page")
    return min(int(before[:15]), end)


def _change(row: LedgerRow) -> dict[str, Any]:
    return {
        "sequence": row.sequence,
        "hash": row.hash,
        "previous_hash": row.previous_hash,
        "event": msgspec.json.decode(row.body),
    }
