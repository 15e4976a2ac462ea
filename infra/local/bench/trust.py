"""The trust that v1 of every service has: releases and known good, as if earned yesterday.

In the demo v1 earns it by serving; a bench writes it down, because it measures what comes after.
"""

from datetime import UTC, datetime, timedelta

from infra.local.bench.cast import CastWorld, service_name, target_of
from infra.local.bench.telling import SERVES_S
from shared.adapters.tables import TableAccount
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import KnownGood, Release
from shared.domain.keys import digest, shard_of
from shared.domain.row import Put
from shared.protocol.records import release_row


async def trust_v1(world: CastWorld, services: int) -> None:
    """Let v1 of every service be its known good, and v2 the release that followed."""
    account = TableAccount(world.addresses.table_account)
    state, now = account.table("state"), datetime.now(UTC)
    try:
        for name in map(service_name, range(services)):
            record = trusting(name, now)
            shipped = now - timedelta(seconds=SERVES_S)
            releases = (
                release_of(name, "v1", now - timedelta(days=2)),
                release_of(name, "v2", shipped),
            )
            puts = [Put(row=release_row(release), value=release) for release in releases]
            puts.append(Put(row=f"endpoint|{digest(record.target)}", value=record))
            await state.write(shard_of(name), puts)
    finally:
        await account.close()


def release_of(service: str, deployment: str, at: datetime) -> Release:
    """A release of which nothing but its deployment is said."""
    return Release(
        service=service,
        version=deployment,
        deployment=deployment,
        who="release-pipeline",
        why="as planned",
        registered_at=at,
    )


def trusting(name: str, now: datetime) -> EndpointRecord:
    """What is durable about the endpoint of a service whose v1 is trusted and whose v2 serves."""
    good = KnownGood(
        deployment="v1",
        version="v1",
        earned_at=now - timedelta(days=1),
        soaked_s=86_400,
        requests=50_000,
        instances=2,
    )
    return EndpointRecord(
        target=target_of(name),
        service=name,
        known_good=good,
        serving="v2",
        serving_since=now - timedelta(seconds=SERVES_S),
    )
