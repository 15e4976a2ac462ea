"""The kill soak: processes of the local world are killed (SIGKILL) again and again.

Real tables, the real SDKs, the AMQP emulator; incidents flow all the while. Each kill strikes at a
moment that the seed chooses; the process is started again at once, as the platform does.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec

from infra.local.bench.alerts import alert
from infra.local.bench.cast import REGIONS, CastWorld, bench_world, service_name
from infra.local.bench.driving import Driver, open_driver
from infra.local.bench.telling import SERVES_S
from infra.local.bench.trust import release_of, trusting
from infra.local.issuer.wallet import signing
from infra.local.processes import Child
from infra.local.world import Pace
from shared.adapters.tables import TableAccount
from shared.domain.keys import digest, shard_of
from shared.domain.row import Put
from shared.protocol.records import release_row
from tests.soak.aftermath import Aftermath, look

KILLS_AN_INCIDENT = 4
PACE = Pace(tick="*/2 * * * * *", lease_s=5.0, operation_s=1.0, lock_s=5, patience_s=2.0)
POLICY = "    verify_after: 2s\n"  # for 60 s: nobody is there to be served well or badly
CALM_WITHIN_S = 420.0
LOOK_S = 1.0
POSTS_WITHIN_S = 75.0  # an action group gives up then
LONGEST_WAIT_S = 1.5  # between two kills

type Say = Callable[[str], Any]


class Killer:
    """One soak: posts alerts and kills processes, in an order that the seed decides."""

    def __init__(self, world: CastWorld, driver: Driver, seed: int) -> None:
        self.promised: list[str] = []
        self.unheard = 0
        self.killed = {"responder": 0, "executor": 0}
        self._world = world
        self._driver = driver
        self._chance = Random(seed)  # noqa: S311 - repeatable
        self._posting: list[asyncio.Task[None]] = []

    async def run(self, kills: int, say: Say) -> None:
        """Kill so often, and begin a new incident every few kills."""
        began = time.monotonic()
        while self.total < kills:
            if self.total % KILLS_AN_INCIDENT == 0:
                await self._break(self.total // KILLS_AN_INCIDENT)
            await asyncio.sleep(self._chance.uniform(0.0, LONGEST_WAIT_S))
            await self._kill()
            if self.total % 10 == 0:
                say(f"{time.monotonic() - began:5.0f} s  {self.total} of {kills} killed")
        await asyncio.gather(*self._posting)

    @property
    def total(self) -> int:
        """How many processes were killed."""
        return sum(self.killed.values())

    async def _kill(self) -> None:
        """Kill one app, and start it again."""
        role = self._chance.choice(("responder", "executor"))
        child: Child = getattr(self._world, role)
        child.kill()
        self.killed[role] += 1
        child.start()
        await asyncio.to_thread(child.wait_ready)

    async def _break(self, number: int) -> None:
        """Let the next service break, and its alert fire, twice."""
        name = service_name(number)
        await _trust(self._world, name)
        await self._driver.control("POST", f"/break/{name}")
        body = alert(f"kills-{number}", number, slice_=REGIONS[-1], fired_at=datetime.now(UTC))
        self._posting += [asyncio.create_task(self._post(body)) for _ in range(2)]

    async def _post(self, body: bytes) -> None:
        """Post until it is answered, as an action group does."""
        deadline = time.monotonic() + POSTS_WITHIN_S
        where = self._world.addresses
        url, signed = f"{where.api}/api/alerts", signing(where.api, where.issuer)
        headers = {"content-type": "application/json"}
        while time.monotonic() < deadline:
            try:
                timeout = aiohttp.ClientTimeout(total=10)
                async with (
                    aiohttp.ClientSession(timeout=timeout, middlewares=[signed]) as session,
                    session.post(url, data=body, headers=headers) as answer,
                ):
                    if answer.status == 202:
                        found = await answer.json(content_type=None)
                        self.promised.append(str(found["delivery"]))
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass  # it was killed meanwhile
            await asyncio.sleep(2.0)
        self.unheard += 1


def soak_kills(folder: Path, *, kills: int, say: Say, seed: int = 1) -> dict[str, Any]:
    """Play it all, and answer what was found. Raises ChildFailed."""
    began = time.monotonic()
    where = folder / f"{datetime.now(UTC):%H%M%S}"
    services = max(1, -(-kills // KILLS_AN_INCIDENT))
    with bench_world(where, services=services, pace=PACE, policy=POLICY) as world:
        ready_s = time.monotonic() - began
        say(f"{ready_s:5.0f} s  a world of {services} services is ready")
        killer, aftermath, calm_s = asyncio.run(_soak(world, where, kills, say, seed))
    return {
        "kills": killer.killed,
        "alerts_posted": len(killer.promised) + killer.unheard,
        "unheard": killer.unheard,
        "killing_and_calm_s": round(time.monotonic() - began - ready_s),
        "last_kill_to_calm_s": round(calm_s),
        "broken": aftermath.broken,
        **msgspec.to_builtins(aftermath),
    }


async def _soak(
    world: CastWorld, folder: Path, kills: int, say: Say, seed: int
) -> tuple[Killer, Aftermath, float]:
    async with open_driver(world) as driver:
        killer = Killer(world, driver, seed)
        await killer.run(kills, say)
        ended = time.monotonic()
        aftermath = await _calm(world, driver, killer, folder / "inbox.jsonl", say)
    return killer, aftermath, time.monotonic() - ended


async def _calm(
    world: CastWorld, driver: Driver, killer: Killer, inbox: Path, say: Say
) -> Aftermath:
    """Wait until nobody has anything left to do, or for so long that it never will be so."""
    deadline = time.monotonic() + CALM_WITHIN_S
    account, said = TableAccount(world.addresses.table_account), ""
    try:
        while True:
            seen = await driver.control("GET", "/seen")
            found = await look(account, killer.promised, seen, inbox)
            if found.is_calm or time.monotonic() > deadline:
                return found
            left = ", ".join(found.broken)
            if left != said:
                say(f"waiting for {left}")
            said = left
            await asyncio.sleep(LOOK_S)
    finally:
        await account.close()


async def _trust(world: CastWorld, name: str) -> None:
    """Let v1 of a service be its known good, and v2 the release that followed just now."""
    account, now = TableAccount(world.addresses.table_account), datetime.now(UTC)
    record, shipped = trusting(name, now), now - timedelta(seconds=SERVES_S)
    releases = (
        release_of(name, "v1", now - timedelta(days=2)),
        release_of(name, "v2", shipped),
    )
    puts = [Put(row=release_row(release), value=release) for release in releases]
    puts.append(Put(row=f"endpoint|{digest(record.target)}", value=record))
    try:
        await account.table("state").write(shard_of(name), puts)
    finally:
        await account.close()
