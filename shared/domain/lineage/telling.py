"""Telling: the incident of changes that nobody declared, and the event of each.

Customers may be served well, so no alert tells of it; who is paged finds out who did it, and
registers it or undoes it. All that one look found is one incident.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.catalog import Service
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell, tell_opening
from shared.domain.incidents.report_duty import ReportDuty
from shared.domain.incidents.steps import AUTOMATION
from shared.domain.keys import digest
from shared.domain.lineage.sighting import ChangeKind, Sighting, Standing

_REASON = "what is served is not what was declared"


def open_unattributed(
    service: Service, sighting: Sighting, due: Sequence[Standing], shard: str
) -> Step:
    """Open the incident of what is due; the same id for the same changes seen at the same time."""
    now = sighting.seen_at
    incident = _incident(service, sighting.target, due, shard, now)
    step = tell_opening(incident, incident.title, happened_at=min(one.since for one in due))
    for one in due:
        assert step.incident is not None
        step = step.then(_tell(step.incident, sighting, one, now))
    return step


def _tell(incident: Incident, sighting: Sighting, one: Standing, now: datetime) -> Step:
    finding = one.finding
    configured = finding.kind is ChangeKind.CONFIGURATION
    return tell(
        incident,
        EventKind.CHANGE_UNATTRIBUTED,
        actor=AUTOMATION,
        what=f"unattributed change: {finding.kind.replace('-', ' ')}",
        why=finding.sentence,
        now=now,
        happened_at=one.noticed_at,
        before={"declared": finding.declared, "release": finding.release},
        after={"served": finding.served, "deployment": finding.deployment},
        evidence=_evidence(sighting, one),
        configuration_digest=finding.served if configured else "",
    )


def _evidence(sighting: Sighting, one: Standing) -> dict[str, Any]:
    return {
        "finding": one.finding.id,
        "kind": one.finding.kind.value,
        "target": sighting.target,
        "not_so_at": one.since.isoformat(),
        "noticed_at": one.noticed_at.isoformat(),
        "traffic": sighting.traffic,
    }


def _incident(
    service: Service, target: str, due: Sequence[Standing], shard: str, now: datetime
) -> Incident:
    names = sorted(one.finding.id for one in due)
    first = min(one.noticed_at for one in due)
    unique = digest(target, first.isoformat(), *names)[:8].upper()
    sentences = " ".join(one.finding.sentence for one in due)
    return msgspec.structs.replace(
        Incident(
            id=f"INC-{shard}-{first:%y%m%d}-{unique}",
            service=service.name,
            target=target,
            title=f"{service.title}: unattributed change",
            severity=Severity.SEV2,
            severity_reasons=(_REASON,),
            state=State.ESCALATED,
            opened_at=now,
            changed_at=now,
            duty=ReportDuty(within_s=service.policy.report_major_within_s),
        ),
        sentence=f"{sentences} Seen since {first:%Y-%m-%d %H:%M} UTC.",
    )
