"""Dossier: all that is known of one incident: five reads side by side, one count of the logs."""

import asyncio
from datetime import UTC, datetime

from shared.domain.decisions.decision import Decision
from shared.domain.decisions.intent import Intent
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shard_of_incident
from shared.domain.views.incident_page import Dossier
from shared.protocol.commit import event_row, read_incident
from shared.services import Services

NEWEST = 1_000  # events of a timeline; the ledger has all of them
KEEP_S = 10  # a count for people: many readers ask the workspace once
WITHIN_S = 3.0


async def read_dossier(services: Services, incident_id: str) -> Dossier:
    """Everything about the incident of that id. Raises NotFound and Unavailable."""
    incident = (await read_incident(services, incident_id)).value
    shard, state = shard_of_incident(incident_id), services.state
    diagnosis, decision, intent, timeline = await asyncio.gather(
        state.read(shard, f"diagnosis|{incident_id}", Diagnosis),
        state.read(shard, f"decision|{incident_id}", Decision),
        state.read(shard, f"intent|{incident.plan}", Intent),
        _timeline(services, incident),
    )
    accepted, answered = await _requests(services, incident)
    return Dossier(
        incident=incident,
        service=services.catalog.services.get(incident.service),
        diagnosis=diagnosis.value if diagnosis else None,
        decision=decision.value if decision else None,
        intent=intent.value if intent and incident.plan else None,
        timeline=timeline,
        accepted=accepted,
        answered=answered,
    )


async def _timeline(services: Services, incident: Incident) -> tuple[ChangeEvent, ...]:
    """The newest events, in order, those that came a moment ago among them."""
    prefix = f"event|{incident.id}|"
    after = event_row(incident.id, incident.sequence - NEWEST)
    rows = await services.state.scan(
        shard_of_incident(incident.id),
        prefix,
        ChangeEvent,
        after=after if incident.sequence > NEWEST else "",
        limit=2 * NEWEST,
    )
    return tuple(row.value for row in rows)


async def _requests(services: Services, incident: Incident) -> tuple[int | None, int | None]:
    """Requests that were accepted since the onset, and those among them that were answered well."""
    if incident.onset_at is None:
        return None, None
    end = incident.recovered_at or incident.resolved_at or services.now()
    answer = await services.lately.query(
        "slices",
        keep_s=KEEP_S,
        within_s=WITHIN_S,
        Service=incident.service,
        Since=incident.onset_at,
        Until=datetime.fromtimestamp(end.timestamp() // KEEP_S * KEEP_S, UTC),
    )
    if answer is None or answer.status is not AnswerStatus.COMPLETE:
        return None, None
    accepted = sum(int(str(row["Total"])) for row in answer.rows)
    failed = sum(int(str(row["Failed"])) for row in answer.rows)
    return accepted, accepted - failed
