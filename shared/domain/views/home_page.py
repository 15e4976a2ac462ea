"""The console's first page as values: services, what is open, and whether automation is off.

A service's error budget and version are what was last known; what nobody could tell is said to be
unknown, never shown as good.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from shared.domain.catalog import (
    Catalog,
    CatalogMistake,
    Mode,
    RollbackPolicy,
    Service,
    Target,
    TargetKind,
)
from shared.domain.coverage import EVERYTHING, say_scope
from shared.domain.decisions.awaited import say_awaited
from shared.domain.decisions.control import Controls, KillSwitch
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.incidents.incident import Incident
from shared.domain.reviews.review import Review
from shared.domain.slos.balance import Balances
from shared.domain.stamp import Stamp, stamp
from shared.domain.views import briefing
from shared.domain.views.budget import Budget, asked_by_budgets, budget_of
from shared.domain.views.chart import Tone
from shared.domain.views.freezes import FreezeLine, present_freezes
from shared.domain.views.incident_page import STATE_TONES
from shared.domain.views.quarantine_page import tell_waiting
from shared.domain.views.readiness_page import ReadinessCard
from shared.domain.views.reviews import ReviewLine, present_reviews
from shared.domain.wording import duration, plain

MODES = {
    Mode.OBSERVE: "says what it would do",
    Mode.RECOMMEND: "recommends, a person acts",
    Mode.APPROVE: "acts once a person approves",
    Mode.AUTOMATIC: "rolls back on its own",
}


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What a target serves, which version is proven good, what the one that serves still lacks."""

    name: str
    kind: str
    serving: str
    since: str
    known_good: str
    evidence: str
    awaited: str = ""


class ServiceCard(msgspec.Struct, frozen=True, kw_only=True):
    """One service. `stopped` says why its automation is off; `asked` what spent budgets ask for."""

    name: str
    title: str
    owner: str
    tier: int
    mode: str
    mode_means: str
    stopped: str
    serving: tuple[Serving, ...]
    budgets: tuple[Budget, ...]
    asked: tuple[str, ...]
    open_incidents: int


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One incident in a list."""

    id: str
    title: str
    service: str
    severity: str
    state: str
    tone: Tone
    deed: str
    command: str
    opened: Stamp


class SwitchLine(msgspec.Struct, frozen=True, kw_only=True):
    """One kill switch that is on."""

    scope: str
    covers: str
    by: str
    reason: str
    until: str


class HomePage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the first page."""

    services: tuple[ServiceCard, ...]
    open: tuple[IncidentLine, ...]
    earlier: tuple[IncidentLine, ...]
    mistakes: tuple[CatalogMistake, ...]
    switches: tuple[SwitchLine, ...]
    controls_known: bool
    scopes: tuple[tuple[str, str], ...]
    freezes: tuple[FreezeLine, ...] = ()
    reviews: tuple[ReviewLine, ...] = ()
    quarantine: str = ""
    readiness: ReadinessCard | None = None
    drills_url: str = ""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What the shell has gathered; records are keyed by target.

    `quarantined` counts the inputs that wait in quarantine.
    """

    catalog: Catalog
    records: Mapping[str, EndpointRecord]
    balances: Balances
    open: Sequence[Incident]
    newest: Sequence[Incident]
    controls: Controls
    reviews: Sequence[Review] = ()
    quarantined: int = 0
    readiness: ReadinessCard | None = None
    drills_url: str = ""


def present_home(seen: Overview, now: datetime) -> HomePage:
    """Say what is known of all services."""
    services = seen.catalog.services
    earlier = [incident for incident in seen.newest if not incident.state.is_open()]
    return HomePage(
        services=tuple(_card(service, seen, now) for service in services.values()),
        open=tuple(_line(incident, services.get(incident.service)) for incident in seen.open),
        earlier=tuple(_line(incident, services.get(incident.service)) for incident in earlier),
        mistakes=seen.catalog.mistakes,
        switches=tuple(_switch(one, services, now) for one in _active(seen.controls, now)),
        controls_known=seen.controls.known,
        scopes=((EVERYTHING, "All services"), *((s.name, s.title) for s in services.values())),
        freezes=present_freezes(seen.catalog, seen.controls, now),
        reviews=present_reviews(seen.reviews, services, now),
        quarantine=tell_waiting(seen.quarantined),
        readiness=seen.readiness,
        drills_url=seen.drills_url,
    )


def _active(controls: Controls, now: datetime) -> list[KillSwitch]:
    return [one for one in controls.kill_switches if one.stops(one.scope, now)]


def _card(service: Service, seen: Overview, now: datetime) -> ServiceCard:
    stops = [one for one in seen.controls.kill_switches if one.stops(service.name, now)]
    stopped = f"off by {plain(stops[0].by)}" if stops else ""
    return ServiceCard(
        name=service.name,
        title=service.title,
        owner=service.owner,
        tier=service.tier,
        mode=service.mode,
        mode_means=MODES[service.mode],
        stopped=stopped if seen.controls.known else "off: the kill switches cannot be read",
        serving=tuple(_serving(target, service.policy, seen, now) for target in service.targets),
        budgets=tuple(
            budget_of(slo, seen.balances.get((service.name, slo.name))) for slo in service.slos
        ),
        asked=asked_by_budgets(service, seen.controls),
        open_incidents=sum(incident.service == service.name for incident in seen.open),
    )


def _serving(target: Target, policy: RollbackPolicy, seen: Overview, now: datetime) -> Serving:
    record = seen.records.get(target.id)
    name = target.id.rsplit("/", 1)[-1]
    if target.kind is not TargetKind.ONLINE_ENDPOINT:
        told = Serving(
            name=name, kind=target.kind, serving="", since="", known_good="", evidence=""
        )
        return msgspec.structs.replace(told, evidence="Has no traffic to move: watched and paged.")
    since, good = (record.serving_since, record.known_good) if record else (None, None)
    return Serving(
        name=name,
        kind=target.kind,
        serving=(record.serving if record else "") or "not seen yet",
        since=f"for {duration(now - since)}" if since else "",
        known_good=good.deployment if good else "none yet",
        evidence=(
            f"earned {duration(now - good.earned_at)} ago with {good.requests:,} requests"
            if good
            else "Nothing is rolled back without one."
        ),
        awaited=say_awaited(record, policy, now) if record else "",
    )


def _line(incident: Incident, service: Service | None) -> IncidentLine:
    return IncidentLine(
        id=incident.id,
        title=plain(incident.title),
        service=incident.service or "no service",
        severity=incident.severity,
        state=incident.state,
        tone=STATE_TONES.get(incident.state, Tone.PLAIN),
        deed=briefing.deed(incident, None),
        command=briefing.command(incident),
        opened=stamp(incident.opened_at, service.time_zone if service else "UTC"),
    )


def _switch(one: KillSwitch, services: Mapping[str, Service], now: datetime) -> SwitchLine:
    known = services.get(one.scope)
    covered = say_scope(one.scope, known.title if known else "")
    until = f"for {duration(one.expires_at - now)} more" if one.expires_at else "until turned on"
    return SwitchLine(
        scope=one.scope, covers=covered, by=plain(one.by), reason=plain(one.reason), until=until
    )
