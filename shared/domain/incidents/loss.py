"""Loss: the known good is gone, so the next bad version could not be rolled back.

Nobody's alert tells of it, because customers are served well. So the soak watch opens an incident
of its own, which is a person's from the beginning: they are paged, and say what is to be trusted.
"""

from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import KnownGood
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Severity, State, Step, tell, tell_opening
from shared.domain.incidents.report_duty import ReportDuty
from shared.domain.incidents.steps import AUTOMATION
from shared.domain.keys import digest

_REASON = "customers are served, but nothing could be rolled back to"


def open_loss(
    service: Service, record: EndpointRecord, gone: str, shard: str, now: datetime
) -> Step:
    """Open the incident of a known good that `gone` says is lost; the same id for the same one."""
    good = record.known_good
    assert good is not None, "only what was earned can be lost"
    said = f"{good.deployment} can serve no more: {gone}. No version is left to go back to."
    incident = _incident(service, record.target, good, said, shard, now)
    opening = tell_opening(incident, incident.title, happened_at=now)
    assert opening.incident is not None
    losing = tell(
        opening.incident,
        EventKind.KNOWN_GOOD_LOST,
        actor=AUTOMATION,
        what=f"{good.deployment} lost the known good",
        why=gone,
        now=now,
        before=msgspec.to_builtins(good),
        after={},
    )
    return opening.then(losing)


def _incident(
    service: Service, target: str, good: KnownGood, sentence: str, shard: str, now: datetime
) -> Incident:
    unique = digest(target, good.deployment, good.earned_at.isoformat())[:8].upper()
    return Incident(
        id=f"INC-{shard}-{good.earned_at:%y%m%d}-{unique}",
        service=service.name,
        target=target,
        title=f"{service.title}: the known good is lost",
        severity=Severity.SEV2,
        severity_reasons=(_REASON,),
        state=State.ESCALATED,
        opened_at=now,
        changed_at=now,
        sentence=sentence,
        duty=ReportDuty(within_s=service.policy.report_major_within_s),
    )
