"""Check health: ask every service what it should know, and tell what is wrong before customers do.

The executor's tick runs it; each service is due as often as its golden cases say. What is newly
broken, or well again, becomes a signal by the same intake as any other; all of it becomes telemetry
and the report that people read.
"""

import asyncio
import logging

from shared.domain.app_event import AppEvent
from shared.domain.catalog import Service
from shared.domain.health.golden import GoldenCases
from shared.domain.health.news import carry_on, to_be_told, told
from shared.domain.health.report import HealthReport
from shared.domain.health.telling import EVENT, rows_of, signal_of
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.errors import Conflict, Misconfigured, Unavailable
from shared.protocol.checking import check
from shared.protocol.health import health_row, read_health
from shared.protocol.intake import HEALTH_CHECK, accept
from shared.protocol.leftovers import Leftovers
from shared.protocol.rounds import find_due, go_round
from shared.services import Services

log = logging.getLogger("backstop.health")

MOST = 5  # services a tick: the others are checked by the next ones
USUAL_S = 300  # of a service that has dependencies to be looked at, and no golden cases
WITHIN_S = 30.0


async def check_health(services: Services, _: Leftovers) -> None:
    """Check the services that are due; what cannot be told now is told by the next check."""
    asked = _asked(services)
    pauses = {name: _pause_s(services, golden) for name, (_, golden) in asked.items()}
    due = find_due(services, "check_health", pauses)[:MOST]
    await go_round(services, "check_health", due, lambda name: _check(services, *asked[name]))


def _asked(services: Services) -> dict[str, tuple[Service, GoldenCases | None]]:
    """Every service that there is something to ask of."""
    known = services.catalog.services.items()
    found = {name: (service, services.golden_of(name)) for name, service in known}
    return {
        name: (service, golden)
        for name, (service, golden) in found.items()
        if golden or any(each.endpoint for each in service.dependencies)
    }


def _pause_s(services: Services, golden: GoldenCases | None) -> float:
    return services.settings.health_every_s or (golden.every_s if golden else USUAL_S)


async def _check(services: Services, service: Service, golden: GoldenCases | None) -> None:
    try:
        async with asyncio.timeout(WITHIN_S):
            report = await _find_out(services, service, golden)
    except TimeoutError:
        log.warning("%s: its health check took more than %.0f s", service.name, WITHIN_S)
    except Unavailable as error:
        log.warning("%s: its health is not told now: %s", service.name, error)
    except Conflict:  # another worker has just checked it
        return
    else:
        await _send(services, report)


async def _find_out(
    services: Services, service: Service, golden: GoldenCases | None
) -> HealthReport:
    """Check, store what was found, tell of it, and store what was told.

    In this order: whoever dies between has found it once, and the next check tells of the same.
    """
    was = await read_health(services, service.name)
    found = await check(services, service, golden, services.now())
    report = carry_on(found, was.value if was else None)
    await _store(services, report, was.etag if was else MUST_NOT_EXIST)
    news = to_be_told(report)
    for one in news:
        alert = services.redactor.struct(signal_of(service, one, report.at))
        await accept(services, alert, source=HEALTH_CHECK)
    if news:
        stored = await read_health(services, service.name)
        await _store(services, told(report, news), stored.etag if stored else MUST_NOT_EXIST)
    return report


async def _store(services: Services, report: HealthReport, etag: str) -> None:
    put = Put(row=health_row(report.service), value=report, etag=etag)
    await services.state.write(shard_of(report.service), [put])


async def _send(services: Services, report: HealthReport) -> None:
    """The telemetry of a report; it keeps nobody waiting for it to be taken."""
    events = [
        AppEvent(
            name=EVENT,
            role=report.service,
            at=report.at,
            properties=properties,
            measurements=measurements,
        )
        for properties, measurements in rows_of(report)
    ]
    try:
        if services.app_events is not None and events:
            await services.app_events.send(events)
    except (Unavailable, Misconfigured) as error:
        log.warning("%s: no telemetry of its health: %s", report.service, error)
