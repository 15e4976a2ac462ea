"""Ready: the responder looks at its own rights, and at what every service needs to be looked after.

Beside the flow, by the timer: see `shared.protocol.readiness.report`. No page is sent to try
paging, and no traffic is moved to try that.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime

from shared.domain.alerts.fired_alert import subscription_of
from shared.domain.decisions.awaited import say_awaited
from shared.domain.message import SUBSCRIPTIONS
from shared.domain.readiness.check import Area
from shared.domain.readiness.judging import judge_responder
from shared.domain.readiness.observed import Observed, Rules, targets_of
from shared.domain.readiness.sight import Saw, Sight
from shared.errors import Refused, Unavailable
from shared.protocol.alarm.keeper import set_alarm
from shared.protocol.leftovers import Leftovers
from shared.protocol.readiness.knocking import NOWHERE, knock, knock_everywhere, knock_for_the_app
from shared.protocol.readiness.report import Look, keep_ready, look_over, looking_since, unkept
from shared.protocol.records import read_record
from shared.services import Services

APP, OTHER = "responder", "executor"
BUNDLES = "evidence"
GUARDED = "/api/readiness"  # any route that asks for a token
TAKEN = "/api/alerts"


async def ready_responder(services: Services, _: Leftovers) -> None:
    """Look when it is time; page directly where what is found may not be kept.

    Raises Unavailable.
    """
    try:
        await keep_ready(services, APP, look_at_responder)
    except Refused as error:
        alert = unkept(services, APP, error)
        if alert is not None:
            set_alarm(services, alert, why="the tables refused it", at_once=True)
        raise


async def look_at_responder(services: Services, *, by_the_app: bool = True) -> Look:
    """Everything that the responder can check. Raises nothing for a part that is out."""
    sights = [*await knock_everywhere(services), *await _own_sights(services)]
    if by_the_app:
        sights += await knock_for_the_app(services, APP)
    rules, listed = await _rules(services)
    awaited, exercised = await _records(services)
    settings = services.settings
    seen = Observed(
        now=services.now(),
        catalog=services.catalog,
        by_the_app=by_the_app,
        since=await looking_since(services, APP) if by_the_app else None,
        sights=(*sights, *listed),
        rules=rules,
        awaited=awaited,
        pagers=frozenset(settings.pager_keys) if by_the_app else None,
        has_fallback=bool(settings.pager_fallback_url),
        door=await services.doorbell.ring(f"{settings.public_url}{GUARDED}"),
        doors=frozenset({f"{settings.public_url}{TAKEN}", f"https://{settings.own_host}{TAKEN}"}),
        other=await look_over(services, OTHER),
    )
    return Look(checks=judge_responder(seen), exercised=exercised)


async def _own_sights(services: Services) -> list[Sight]:
    """The container that bundles are handed out of, and all dead letters."""

    def peek(topic: str, name: str) -> Awaitable[Sight]:
        ask = lambda: services.bus.dead_letters(topic, name, 1)  # noqa: E731
        return knock(Area.BUS, f"subscription {topic}/{name}", ask)

    knocks = [peek(topic, name) for topic, name in SUBSCRIPTIONS]
    bundles = knock(Area.CONTAINERS, BUNDLES, lambda: services.blobs.names(BUNDLES, f"{NOWHERE}/"))
    return list(await asyncio.gather(bundles, *knocks))


async def _rules(services: Services) -> tuple[Rules | None, list[Sight]]:
    """The rules that are on and where action groups post; None where nobody listed them.

    Looked for in Backstop's own subscription and in those of the catalog's targets.
    """
    targets = [one.id for known in services.catalog.services.values() for one in known.targets]
    found, posted_to, sights = set[str](), set[str](), list[Sight]()
    own = services.settings.own_subscription
    subscriptions = sorted({own, *(subscription_of(target) for target in targets)} - {""})
    for subscription in subscriptions:

        async def ask(where: str = subscription) -> None:
            found.update(await services.control_plane.alert_rules(where))
            posted_to.update(await services.control_plane.webhooks(where))

        sights.append(await knock(Area.RULES, f"subscription {subscription}", ask))
    if not sights or any(sight.saw is not Saw.THERE for sight in sights):
        return None, sights
    known = Rules(found=frozenset(found), posted_to=frozenset(posted_to), everywhere=bool(own))
    return known, sights


async def _records(services: Services) -> tuple[dict[str, str] | None, dict[str, datetime]]:
    """By target what a known good waits for; by service when its traffic was last moved back."""
    awaited, exercised = dict[str, str](), dict[str, datetime]()
    try:
        for service in services.catalog.services.values():
            for target in targets_of(service):
                record = (await read_record(services, service, target)).value
                lacks = say_awaited(record, service.policy, services.now())
                awaited[target] = "" if record.known_good else lacks
                if record.rollbacks:
                    exercised[service.name] = max(one.at for one in record.rollbacks)
    except Unavailable:
        return None, exercised
    return awaited, exercised
