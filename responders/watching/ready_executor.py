"""Ready: the executor looks at its own rights: on each endpoint, each index, ledger and seals.

Beside the flow, by the timer: see `shared.protocol.readiness.report`. What it may do with an
endpoint it asks Azure Resource Manager for; no traffic is moved to try it.
"""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime

from shared.domain.catalog import Dependency, Service
from shared.domain.ledger.chain import start_of
from shared.domain.message import CHANGES, WORK
from shared.domain.readiness.check import Area
from shared.domain.readiness.judging import judge_executor
from shared.domain.readiness.observed import Observed, Sealing, targets_of
from shared.domain.readiness.rights import Rights
from shared.domain.readiness.sight import Saw, Sight
from shared.errors import Misconfigured, Refused, Unavailable
from shared.protocol.evidence.ledger import read_marks, read_records
from shared.protocol.evidence.seals import newest_seal
from shared.protocol.intake import accept
from shared.protocol.leftovers import Leftovers
from shared.protocol.readiness.knocking import (
    NOWHERE,
    knock,
    knock_everywhere,
    knock_for_the_app,
    knock_to_write,
)
from shared.protocol.readiness.report import Look, keep_ready, look_over, looking_since, unkept
from shared.services import CONTAINERS, Services

APP, OTHER = "executor", "responder"
LANES = 8  # endpoints that are asked for side by side
TRIED = b"backstop-readiness/1"  # what is signed to try the key: nothing that a seal could be


log = logging.getLogger("backstop.readiness")


async def ready_executor(services: Services, _: Leftovers) -> None:
    """Look when it is time; tell the responder where what is found may not be kept.

    Raises Unavailable.
    """
    try:
        await keep_ready(services, APP, look_at_executor)
    except Refused as error:
        alert = unkept(services, APP, error)
        if alert is not None:
            await accept(services, services.redactor.struct(alert))
        raise


async def look_at_executor(services: Services, *, by_the_app: bool = True) -> Look:
    """Everything that the executor can check. Raises nothing for a part that is out."""
    sights = [*await knock_everywhere(services), *await _own_sights(services)]
    sights += await _indexes(services)
    if by_the_app:
        sights += await knock_for_the_app(services, APP)
    rights, refused = await _rights(services)
    seen = Observed(
        now=services.now(),
        catalog=services.catalog,
        by_the_app=by_the_app,
        since=await looking_since(services, APP) if by_the_app else None,
        sights=(*sights, *refused),
        rights=rights,
        sealing=await _sealing(services),
        other=await look_over(services, OTHER),
    )
    return Look(checks=judge_executor(seen))


async def _own_sights(services: Services) -> list[Sight]:
    """Its own subscriptions, the containers that it may read, and the key."""
    knocks = (
        knock(
            Area.BUS,
            f"subscription {WORK}/executor",
            lambda: services.bus.dead_letters(WORK, "executor", 1),
        ),
        knock(
            Area.BUS,
            f"subscription {CHANGES}/record",
            lambda: services.bus.dead_letters(CHANGES, "record", 1),
        ),
        knock(Area.CONTAINERS, "seals", lambda: services.blobs.names("seals", f"{NOWHERE}/")),
        knock(Area.CONTAINERS, "evidence", lambda: services.blobs.names("evidence", f"{NOWHERE}/")),
        knock(Area.SIGNING, "the signing key", lambda: services.signer.sign(TRIED)),
    )
    return [*await asyncio.gather(*knocks), *await _to_write(services)]


async def _to_write(services: Services) -> list[Sight]:
    """What it alone may write: the ledger, and each container of what is written once."""

    def blobs(container: str) -> Awaitable[Sight]:
        ask = lambda: services.blobs.try_writing(container, f"{NOWHERE}/none")  # noqa: E731
        return knock_to_write(Area.CONTAINERS, container, ask)

    ledger = knock_to_write(Area.TABLES, "ledger", lambda: services.ledger.try_writing(NOWHERE))
    return list(await asyncio.gather(ledger, *map(blobs, CONTAINERS)))


async def _indexes(services: Services) -> list[Sight]:
    """The indexes whose documents a health check of some service counts."""
    every = services.catalog.services.values()
    asked = (
        _index(services, service, one)
        for service in every
        for one in service.dependencies
        if one.endpoint
    )
    return list(await asyncio.gather(*asked))


async def _index(services: Services, service: Service, one: Dependency) -> Sight:
    async def ask() -> None:
        await services.search.watermark(one.endpoint, one.name, one.watermark)

    return await knock(Area.SEARCH, f"index {one.name}", ask, service.name)


async def _rights(services: Services) -> tuple[dict[str, Rights], list[Sight]]:
    """What may be done with each endpoint; of those that do not tell, what came instead."""
    rights, lanes = dict[str, Rights](), asyncio.Semaphore(LANES)

    async def ask(target: str, service: str) -> Sight:
        async def look() -> None:
            rights[target] = await services.control_plane.rights(target)

        async with lanes:
            return await knock(Area.ENDPOINTS, target.rpartition("/")[2], look, service)

    every = services.catalog.services.values()
    asked = [ask(target, service.name) for service in every for target in targets_of(service)]
    sights = await asyncio.gather(*asked)
    return rights, [sight for sight in sights if sight.saw is not Saw.THERE]


async def _sealing(services: Services) -> Sealing | None:
    """When was last sealed, and since when the oldest record waits; None where nobody can tell."""
    try:
        last = await newest_seal(services)
        known = {head.partition: head for head in last.heads} if last else {}
        waiting = list[datetime]()
        for mark in await read_marks(services):
            sealed = known.get(mark.row) or start_of(mark.row)
            first = await read_records(services, mark.row, after=sealed.sequence, limit=1)
            waiting += [datetime.fromisoformat(row.value.recorded_at) for row in first]
    except (Unavailable, Misconfigured) as error:
        log.warning("how far the ledger is sealed is not known now: %s", error)
        return None
    return Sealing(
        every_s=services.settings.seal_every_s,
        sealed_at=_moment(last.statement.at) if last else None,
        waiting_since=min(waiting, default=None),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
