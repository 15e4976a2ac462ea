"""Pages: what wakes a person, as PagerDuty Events v2 bodies and as a plain webhook's.

One incident is one alert at the pager: its id is the dedup key, so a repeated trigger joins the
open alert. After a resolve the same key would open a *new* alert, hence `render_page` answers None
for a trigger that comes late. Bodies hold the routing key, which is a secret: never log them.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.decision import Decision
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.incidents.incident import Incident, Severity
from shared.domain.keys import digest
from shared.domain.views import briefing
from shared.domain.wording import clip, plain

_SUMMARY_CAP = 1024  # characters; PagerDuty refuses longer ones
_KEY_CAP = 255
_SEVERITIES = {Severity.SEV0: "critical", Severity.SEV1: "error", Severity.SEV2: "warning"}


class PageAction(StrEnum):
    """What the pager is asked to do with the incident's alert."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page is made from. `reason` says why this contact is paged now."""

    incident: Incident
    service: Service | None
    diagnosis: Diagnosis | None = None
    decision: Decision | None = None
    routing_key: str
    contact: str = ""
    reason: str = ""
    now: datetime
    incident_url: str
    runbook_url: str = ""


def render_page(action: PageAction, view: PageView) -> dict[str, Any] | None:
    """Make the body of an Events v2 request; None where the page would come too late."""
    if action is PageAction.TRIGGER and not view.incident.state.is_open():
        return None
    body = {
        "routing_key": view.routing_key,
        "event_action": action.value,
        "dedup_key": dedup_key(view.incident),
    }
    return body | _alert(view) if action is PageAction.TRIGGER else body


def dedup_key(incident: Incident) -> str:
    """The alert's name at the pager: the incident's id, or its digest were it too long."""
    return incident.id if len(incident.id) <= _KEY_CAP else digest(incident.id)


def webhook_body(page: dict[str, Any]) -> dict[str, Any]:
    """Turn the pager's body into the plain webhook's: the same facts, no routing key."""
    payload = page.get("payload", {})
    return {
        "action": page["event_action"],
        "incident": page["dedup_key"],
        "severity": payload.get("severity", ""),
        "summary": payload.get("summary", ""),
        "details": payload.get("custom_details", {}),
        "url": page.get("client_url", ""),
    }


def _alert(view: PageView) -> dict[str, Any]:
    incident = view.incident
    links = [(view.incident_url, "The incident"), (view.runbook_url, "Runbook")]
    return {
        "payload": {
            "summary": _summary(view),
            "source": incident.target.rsplit("/", 1)[-1] or incident.service or "backstop",
            "severity": _SEVERITIES.get(incident.severity, "info"),
            "timestamp": incident.opened_at.astimezone(UTC).isoformat(),
            "component": incident.service,
            "group": "backstop",
            "class": view.diagnosis.attribution.cause.value if view.diagnosis else "unknown",
            "custom_details": _details(view),
        },
        "client": "Backstop",
        "client_url": view.incident_url,
        "links": [{"href": href, "text": text} for href, text in links if href],
    }


def _summary(view: PageView) -> str:
    """Tell the worst first: many phones show the first forty characters only."""
    incident, service = view.incident, view.service
    name = plain(service.title if service else incident.service) or "No owning service"
    felt = briefing.feeling(incident, service, view.diagnosis, view.now)
    return clip(f"{incident.severity} {name}: {felt}", _SUMMARY_CAP)


def _details(view: PageView) -> dict[str, str]:
    incident = view.incident
    details = {
        "paged": plain(f"{view.contact}: {view.reason}" if view.contact else view.reason),
        "severity": briefing.gravity(incident),
        "backstop": briefing.deed(incident, view.decision),
        "found": plain(view.diagnosis.sentence) if view.diagnosis else "",
        "rto": briefing.time_left(incident, view.service, view.now),
        "command": briefing.command(incident),
    }
    return {name: clip(said, 1000) for name, said in details.items() if said}
