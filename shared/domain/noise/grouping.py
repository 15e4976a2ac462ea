"""Grouping: whose an alert is, and which alerts are one incident: those about one target.

The group's row names the incident that is open. It is written in the transaction that opens one, so
that two workers with two rules can open only one. It also remembers how often the group opened and
when it paged last, by which `shared.domain.noise.noise` sees that it flaps.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import Catalog, Service
from shared.domain.incidents.incident import Incident
from shared.domain.keys import digest

KEPT = 50  # openings; more than so many are told as so many
PAGES_A_WINDOW = 2


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The stored row of one target. `incident` was opened last; resolved, it takes no more alerts.

    `paged` are the last first pages of its incidents, as many as a window may have.
    """

    service: str
    target: str
    incident: str = ""
    openings: tuple[datetime, ...] = ()
    paged: tuple[datetime, ...] = ()

    @property
    def row(self) -> str:
        """Its row in the shard of its service, or of a target that no service owns."""
        return f"{rows_of(self.service)}{digest(self.target)}"

    def opened(self, incident: Incident) -> "Group":
        """The group with one more incident."""
        openings = (*self.openings, incident.opened_at)[-KEPT:]
        return msgspec.structs.replace(self, incident=incident.id, openings=openings)

    def woke(self, now: datetime) -> "Group":
        """The group with one more first page."""
        return msgspec.structs.replace(self, paged=(*self.paged, now)[-PAGES_A_WINDOW:])

    def opened_since(self, since: datetime) -> int:
        """How often it opened since then."""
        return sum(at > since for at in self.openings)

    def pages_again_at(self, window: timedelta) -> datetime | None:
        """When a further incident may page; None where fewer pages were sent than a window has."""
        return self.paged[0] + window if len(self.paged) == PAGES_A_WINDOW else None


def find_service(alert: Alert, catalog: Catalog) -> Service | None:
    """The service that owns what the alert is about.

    The alert's own hint decides only between services that own one of its targets. Several owners
    and no hint is None: which one is meant would be a guess.
    """
    owners = owners_of(alert, catalog)
    hinted = [service for service in owners if service.name == alert.service_hint]
    candidates = hinted or owners
    return candidates[0] if len(candidates) == 1 else None


def owners_of(alert: Alert, catalog: Catalog) -> list[Service]:
    """Every service that owns one of the alert's targets."""
    return [
        service
        for service in catalog.services.values()
        if any(service.owns(target) for target in alert.targets)
    ]


def rows_of(service: str) -> str:
    """What the rows of all groups of a service begin with."""
    return f"group|{service}|"


def group_of(alert: Alert, service: Service | None) -> Group | None:
    """The alert's group, as if it were its first; None where it names no target at all."""
    target = target_of(alert, service)
    return Group(service=service.name if service else "", target=target) if target else None


def target_of(alert: Alert, service: Service | None) -> str:
    """What would be rolled back: the service's own target that the alert names, or its first.

    An alert names a target as well where it names something under it, such as a deployment. Without
    a service it is what the alert names first; "" where it names nothing.
    """
    own = [target.id for target in service.targets] if service else []
    named = [one for one in own if any(f"{said}/".startswith(f"{one}/") for said in alert.targets)]
    return next(iter((*named, *own, *alert.targets)), "")
