"""Dossier: all that is stored about one incident, in five reads side by side."""

import asyncio

from shared.domain.decision import Decision
from shared.domain.diagnosis import Diagnosis
from shared.domain.event import ChangeEvent
from shared.domain.incident_page import Dossier
from shared.domain.intent import Intent
from shared.domain.keys import shard_of_incident
from shared.protocol.commit import read_incident
from shared.services import Services


async def read_dossier(services: Services, incident_id: str) -> Dossier:
    """Everything about the incident of that id. Raises NotFound and Unavailable."""
    incident = (await read_incident(services, incident_id)).value
    shard, state = shard_of_incident(incident_id), services.state
    diagnosis, decision, intent, timeline = await asyncio.gather(
        state.read(shard, f"diagnosis|{incident_id}", Diagnosis),
        state.read(shard, f"decision|{incident_id}", Decision),
        state.read(shard, f"intent|{incident.plan}", Intent),
        state.scan(shard, f"event|{incident_id}|", ChangeEvent),
    )
    return Dossier(
        incident=incident,
        service=services.catalog.services.get(incident.service),
        diagnosis=diagnosis.value if diagnosis else None,
        decision=decision.value if decision else None,
        intent=intent.value if intent and incident.plan else None,
        timeline=tuple(row.value for row in timeline),
    )
