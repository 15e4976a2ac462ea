"""Sweep: ask Azure which alerts were fired, and take in those that never arrived.

An action group that cannot deliver gives up after 75 s and calls nobody for 15 minutes; it sends
nothing again. The responder's tick asks Alerts Management about the subscriptions of the catalog's
targets, as many pages as the service allows and a tick has time for, and goes on at the next tick.
What is missing takes the webhook's own way: `accept`, then triage. The last look that ended is
stored, so that a process which is started after an outage asks for all of it, a day at most.
"""

import asyncio
import logging
from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.alerts.fired_alert import (
    SETTLED,
    FiredAlert,
    FiredPage,
    Sweep,
    next_sweep,
    subscription_of,
    tell_swept,
)
from shared.domain.catalog import Catalog
from shared.domain.event import ITSELF
from shared.domain.keys import shard_of
from shared.domain.noise.grouping import find_service, owners_of
from shared.domain.row import Put
from shared.errors import BackstopError
from shared.protocol.commit import commit
from shared.protocol.intake import SWEEP, accept, delivery_id, find_delivery, recall, remember
from shared.protocol.leftovers import Leftovers
from shared.services import Services

log = logging.getLogger("backstop.sweep")

SHARD = shard_of(ITSELF)
LANES = 8  # alerts of a page
SUBSCRIPTIONS = 4  # that are looked at side by side
PAGE_WITHIN_S = 10.0  # to ask for a page and take in what is missing of it
TICK_S = 10.0  # no page is begun after that: other jobs of the tick wait


async def sweep(services: Services, _: Leftovers) -> None:
    """Look at every subscription of the catalog, when it is time again or a look is unfinished."""
    if not services.settings.sweep_every_s:
        return
    lanes, until = asyncio.Semaphore(SUBSCRIPTIONS), _monotonic() + TICK_S

    async def one(subscription: str) -> None:
        async with lanes:
            await _look_quietly(services, subscription, until)

    await asyncio.gather(*map(one, _subscriptions(services.catalog)))


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _subscriptions(catalog: Catalog) -> list[str]:
    """Where the catalog's targets are, those of broken files among them."""
    targets = [target.id for service in catalog.services.values() for target in service.targets]
    found = {subscription_of(target) for target in (*targets, *catalog.broken_targets)}
    return sorted(found - {""})


async def _look_quietly(services: Services, subscription: str, until: float) -> None:
    """One subscription's trouble is not another's, and the same place is tried again."""
    try:
        await _look(services, subscription, until)
    except (BackstopError, TimeoutError) as error:
        if subscription in services.memory.sweeps:
            services.memory.sweeps[subscription] = services.memory.sweeps[subscription].failed()
        why = error if isinstance(error, BackstopError) else f"no end in {PAGE_WITHIN_S:.0f} s"
        log.warning("%s: not swept now: %s", subscription, why)


async def _look(services: Services, subscription: str, until: float) -> None:
    """Go on with the look at one subscription, or begin the next."""
    at = await _due(services, subscription)
    if at.done:
        return
    while _may_go_on(services, subscription, at, until):
        services.memory.sweeps[subscription] = at
        at = await _read_on(services, subscription, at)
    if at.done:  # first: whoever is started next goes on from here
        await services.state.write(SHARD, [Put(row=_row(subscription), value=at)])
    services.memory.sweeps[subscription] = at
    if at.done and at.found:
        log.warning("%s: %d alert(s) had never arrived", subscription, at.found)


def _may_go_on(services: Services, subscription: str, at: Sweep, until: float) -> bool:
    in_time = not at.done and _monotonic() < until
    return in_time and services.fired_alerts.may_ask(subscription)


async def _read_on(services: Services, subscription: str, at: Sweep) -> Sweep:
    """Take in one page more. Raises Unavailable and TimeoutError."""
    async with asyncio.timeout(PAGE_WITHIN_S):
        page = await services.fired_alerts.page(subscription, at.after, services.now())
        return await _take(services, page, at)


async def _due(services: Services, subscription: str) -> Sweep:
    now = services.now()
    last = services.memory.sweeps.get(subscription) or await _last(services, subscription)
    pause = timedelta(seconds=services.settings.sweep_every_s)
    if last is None or (last.done and now - last.began_at >= pause):
        return next_sweep(last, now)
    return last


async def _last(services: Services, subscription: str) -> Sweep | None:
    """The last look that a process ended, however long ago: nobody may have lived since."""
    found = await services.state.read(SHARD, _row(subscription), Sweep)
    return found.value if found else None


def _row(subscription: str) -> str:
    return f"swept|{subscription}"


async def _take(services: Services, page: FiredPage, at: Sweep) -> Sweep:
    """Take in what is missing of a page. Raises Unavailable: then the page is asked for again."""
    _tell_broken(services, page)
    lanes = asyncio.Semaphore(LANES)

    async def one(fired: FiredAlert) -> int:
        async with lanes:
            return await _take_in(services, fired, at.since)

    found = await asyncio.gather(*(one(fired) for fired in page.fired if not fired.suppressed))
    oldest = min((fired.changed_at for fired in page.fired), default=services.now())
    return msgspec.structs.replace(
        at,
        after=page.after,
        done=not page.after or oldest < at.since,
        found=at.found + sum(found),
        failures=0,
    )


def _tell_broken(services: Services, page: FiredPage) -> None:
    """Say once of every entry that is no alert; it may be anybody's, so it is kept nowhere."""
    for entry in page.broken:
        if not recall(services, entry.body):
            remember(services, entry.body, "no alert")
            log.warning("an entry of Alerts Management is no alert: %s", entry.why)


async def _take_in(services: Services, fired: FiredAlert, since: datetime) -> int:
    """Accept what of one alert never arrived; answer how many notices that were."""
    pause = timedelta(seconds=services.settings.sweep_every_s)
    until = services.now() - min(SETTLED, pause)  # what is younger may still be on its way
    due = [notice for notice in fired.notices if since <= notice.at <= until]
    missing = [notice for notice in due if await _is_missing(services, notice)]
    for notice in missing:
        await _accept(services, notice)
    return len(missing)


async def _is_missing(services: Services, alert: Alert) -> bool:
    """Whether it is about something of ours, and no delivery is that of this alert."""
    catalog = services.catalog
    ours = owners_of(alert, catalog) or catalog.mistakes_about(alert.targets)
    return bool(ours) and not await find_delivery(services, alert)


async def _accept(services: Services, alert: Alert) -> None:
    """Say first that it was found, then take it in: found again, it is the same event."""
    now, service = services.now(), find_service(alert, services.catalog)
    event = tell_swept(alert, delivery_id(alert, now), service, now)
    await commit(services, shard_of(event.service), [], events=[event])
    key, _ = await accept(services, alert, source=SWEEP)
    log.warning("found by the sweep: %s, delivery %s", alert.summary, key)
