"""Escalation: who is to be paged now, if anybody.

Every tick asks `next_page` and stores the page with its `page_reason` in the incident before it is
sent, so that no step is paged twice. Contacts are paged in the order of the service's file, each
given the policy's time to acknowledge, for two rounds; after that all of them at once. A page that
the pager refused woke nobody, so the next contact does not wait for its answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.catalog import Contact, Service
from shared.domain.incidents.incident import Incident, State
from shared.domain.noise.quiet import Quiet, holding_pages

OPENED = "opened"
ESCALATED = "escalated"
UNACKNOWLEDGED = "unacknowledged"
EVERYBODY = "everybody"
ROUNDS = 2

_QUIET = frozenset({State.MITIGATED, State.RESOLVED})


def next_page(
    incident: Incident, service: Service, now: datetime, quiets: Sequence[Quiet] = ()
) -> Contact | None:
    """The contact who is to be paged now; None where nobody is, or not yet.

    `quiets` are the rules that hold the incident back now. Ask again after each page: when all are
    to be paged at once, they are answered one by one.
    """
    reason = page_reason(incident, service)
    if not reason or holding_pages(quiets) or not _due(incident, service, reason, now):
        return None
    return service.contacts[len(incident.pages) % len(service.contacts)]


def page_reason(incident: Incident, service: Service) -> str:
    """Why the next page would be sent, to be kept in it; "" where none is to be sent any more."""
    if _is_seen(incident) or incident.state in _QUIET or not wakes(incident):
        return ""
    number = len(incident.pages)
    everybody = ROUNDS * len(service.contacts)
    if number >= everybody + len(service.contacts):
        return ""
    if _newly_escalated(incident):
        return ESCALATED
    if number >= everybody:
        return EVERYBODY
    return UNACKNOWLEDGED if number else OPENED


def wakes(incident: Incident) -> bool:
    """Whether it is grave enough for a person to be woken."""
    return incident.severity.pages() or incident.state is State.ESCALATED


def _is_seen(incident: Incident) -> bool:
    """Whether a person has it in hand."""
    paged = any(page.acknowledged_at is not None for page in incident.pages)
    return incident.acknowledged_at is not None or paged


def _newly_escalated(incident: Incident) -> bool:
    told = any(page.reason == ESCALATED for page in incident.pages)
    return incident.state is State.ESCALATED and not told


def _due(incident: Incident, service: Service, reason: str, now: datetime) -> bool:
    """A first page and an escalation wait for nobody; others wait for the last one's answer."""
    if reason in {OPENED, ESCALATED} or not incident.pages:
        return True
    last = incident.pages[-1]
    if last.refused:
        return True
    if reason == EVERYBODY and last.reason == EVERYBODY:
        return True
    return now >= last.at + timedelta(seconds=service.policy.acknowledge_within_s)
