"""Console: the pages that people look at. GET changes nothing, so a link scanner may open them.

Beside the flow: gathers what is stored, asks the logs without waiting long for them, and lets pure
code say it. What cannot be read is shown as unknown; the buttons' POSTs are
`responders.people.press`'s.
"""

import asyncio
from datetime import datetime

from shared.domain.approvals.form_token import make_token
from shared.domain.catalog import Service
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.diagnosis.evidence import read_evidence
from shared.domain.keys import shard_of
from shared.domain.lineage.difference import Difference, compare_releases
from shared.domain.readiness.observed import targets_of
from shared.domain.readiness.report import Report
from shared.domain.reviews.review import Review
from shared.domain.views.approval_page import present_approval
from shared.domain.views.chart import Chart, plot
from shared.domain.views.chart_drawing import draw
from shared.domain.views.chart_scope import focus_of, marks_of, window_of
from shared.domain.views.evidence_page import present_evidence
from shared.domain.views.home_page import Overview, present_home
from shared.domain.views.http import Answer, Request
from shared.domain.views.incident_page import Dossier, present
from shared.domain.views.quarantine_page import COUNTED, present_quarantine
from shared.domain.views.readiness_page import present_card
from shared.domain.views.releases_page import Seen, present_releases
from shared.errors import NotFound
from shared.protocol.acting.approve import read_approval
from shared.protocol.budgets import balances_lately
from shared.protocol.door.show_page import page, show_page
from shared.protocol.evidence.dossier import read_dossier
from shared.protocol.evidence.holds import read_holds
from shared.protocol.evidence.orders import newest_orders
from shared.protocol.kept import count_waiting, list_kept
from shared.protocol.lineage import list_releases, read_release, read_sightings, share_of
from shared.protocol.listing import list_incidents, open_incidents
from shared.protocol.readiness.standing import read_reports, stages
from shared.protocol.records import read_controls, read_record
from shared.protocol.reviews import open_reviews
from shared.services import Services

EARLIER = 12
BUDGET_WITHIN_S = 1.5
CHART_KEPT_S = 5.0
CHART_WITHIN_S = 2.0


@page
async def show_home(services: Services, request: Request) -> Answer:
    """All services, open incidents and the kill switch."""
    catalog = services.catalog
    every = list(catalog.services.values())
    records, balances, open_now, newest, controls, to_do = await asyncio.gather(
        _records(services, every),
        balances_lately(services, BUDGET_WITHIN_S),
        open_incidents(services),
        list_incidents(services, limit=EARLIER),
        read_controls(services),
        _to_do(services, every),
    )
    waiting, reviews, reports = to_do
    seen = Overview(
        catalog=catalog,
        records=records,
        balances=balances,
        open=open_now,
        newest=newest[0],
        controls=controls,
        reviews=reviews,
        quarantined=waiting,
        readiness=present_card(reports, stages(services, reports), services.now()),
        drills_url=services.settings.drills_url,
    )
    return show_page(services, request, "home.html", view=present_home(seen, services.now()))


@page
async def show_incident_page(services: Services, request: Request) -> Answer:
    """One incident with everything that is known, and the buttons. Unknown ids are a 404 page."""
    dossier = await read_dossier(services, request.path["id"])
    now = services.now()
    chart = await _chart(services, dossier, now)
    zone = dossier.service.time_zone if dossier.service else "UTC"
    return show_page(
        services,
        request,
        "incident.html",
        view=present(dossier, now),
        chart=chart,
        drawing=draw(chart, zone) if chart else "",
    )


@page
async def show_approval_page(services: Services, request: Request) -> Answer:
    """One plan that waits, or waited, for people. Whoever opens the page decides nothing."""
    approval = await read_approval(services, request.path["id"])
    dossier = await read_dossier(services, approval.request.plan.incident)
    now, caller = services.now(), request.actor
    chart = await _chart(services, dossier, now)
    zone = dossier.service.time_zone if dossier.service else "UTC"
    token = make_token(approval.request, caller)
    return show_page(
        services,
        request,
        "approval.html",
        view=present_approval(approval, dossier, caller, token, now),
        chart=chart,
        drawing=draw(chart, zone) if chart else "",
    )


@page
async def show_evidence_page(services: Services, request: Request) -> Answer:
    """What evidence was ordered and what is held, with forms for more of both."""
    orders, holds = await asyncio.gather(newest_orders(services), read_holds(services))
    view = present_evidence(orders, holds, services.catalog.services, services.now())
    return show_page(services, request, "evidence.html", view=view)


@page
async def show_quarantine_page(services: Services, request: Request) -> Answer:
    """What could not be taken, with a button for each."""
    inputs, following = await list_kept(services, after=request.query.get("after", ""))
    view = present_quarantine(inputs, following)
    return show_page(services, request, "quarantine.html", view=view)


@page
async def show_releases_page(services: Services, request: Request) -> Answer:
    """A service's releases with what differs between them. Unknown services are a 404 page."""
    service = services.catalog.services.get(request.path["service"])
    if service is None:
        raise NotFound(f"no service {request.path['service']}")
    after = request.query.get("after", "")
    releases, following = await list_releases(services, service.name, after=after, limit=EARLIER)
    sightings = await read_sightings(services, service)
    records = await asyncio.gather(
        *(read_record(services, service, target) for target in targets_of(service))
    )
    seen = Seen(
        service=service,
        releases=[(one, await share_of(services, one, sightings)) for one in releases],
        sightings=sightings,
        records=[stored.value for stored in records],
        now=services.now(),
        difference=await _difference(services, service, request),
        next=following,
    )
    return show_page(services, request, "releases.html", view=present_releases(seen))


async def _difference(services: Services, service: Service, request: Request) -> Difference | None:
    a, b = request.query.get("a", ""), request.query.get("b", "")
    if not a or not b:
        return None
    first = await read_release(services, service.name, a)
    return compare_releases(first, await read_release(services, service.name, b))


@page
async def show_asset(services: Services, request: Request) -> Answer:
    """A style sheet, script or picture of the pages."""
    return services.pages.asset(request.path["name"])


async def _to_do(
    services: Services, every: list[Service]
) -> tuple[int, list[Review], list[Report]]:
    """What may wait for a person beside incidents: quarantine, mandatory reviews, readiness."""
    shards = [shard_of(service.name) for service in every]
    return await asyncio.gather(
        count_waiting(services, COUNTED + 1),
        open_reviews(services, shards),
        read_reports(services),
    )


async def _records(services: Services, every: list[Service]) -> dict[str, EndpointRecord]:
    targets = [(service, target.id) for service in every for target in service.targets]
    found = await asyncio.gather(*(read_record(services, *pair) for pair in targets))
    return {stored.value.target: stored.value for stored in found}


async def _chart(services: Services, dossier: Dossier, now: datetime) -> Chart | None:
    incident, service = dossier.incident, dossier.service
    window = window_of(incident, services.settings.log_bin_s, now)
    if window is None or service is None:
        return None
    answer = await services.lately.query(
        "onset",
        keep_s=CHART_KEPT_S,
        within_s=CHART_WITHIN_S,
        Service=service.name,
        Since=window.start,
    )
    if answer is None:
        return None
    return plot(
        read_evidence({"onset": answer}).onset,
        window,
        focus=focus_of(dossier),
        marks=marks_of(incident, dossier.intent),
    )
