"""The stage: one running world as the tests drive it, by HTTP from outside and by its drills.

Every wait is for a condition with a generous limit; what never came says what was there instead.
"""

import time
from asyncio import sleep
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from infra.local.issuer.wallet import Wallet, signing
from infra.local.world import Pace, World, running_world
from tests.world.alerts import FNOL, alert

NEVER_S = 3600.0
QUICK = Pace(
    soak_s=2,
    soak_minimum_requests=80,
    minimum_requests=12,
    verify_after_s=2,
    lease_s=5.0,
    lock_s=5,
    operation_s=0.5,
    log_lag_s=0.5,
    log_bin_s=0.5,
    rule_every_s=NEVER_S,
    fuse_s=0.5,
    grace_s=0,
)
"""Everything as in the demo, with less waiting; but the story posts the alerts, no rule looks."""

WATCHED = msgspec.structs.replace(QUICK, rule_every_s=1.0)
"""The alert rules look, too, which costs more than all the rest of a world."""

RATE_PER_S = 75.0  # more customers than in the demo, so that it is sooner known what they suffer

LIMIT_S = 60.0  # for what takes a few seconds on an idle machine
POLL_S = 0.15
SERVICE = "fnol-summary"
ENDED = ("mitigated", "escalated", "resolved")

type Json = dict[str, Any]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer; `body` is None where it was no JSON."""

    status: int
    headers: dict[str, str]
    body: Any
    seconds: float

    @property
    def is_problem(self) -> bool:
        """Whether it says what is wrong, as RFC 9457 wants it said."""
        typed = self.headers.get("content-type", "").startswith("application/problem+json")
        return typed and bool(self.body["title"]) and bool(self.body["detail"])


class Stage:
    """A client of one world."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world = world
        self.at = world.addresses
        self._session = session
        self.wallet = Wallet(self.at.issuer)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        who: str = "",
    ) -> Reply:
        """Ask the API, or another part by its whole URL; never raises for a status.

        `who` asks: one of the local identities, without it the usual one for this request.
        """
        url = path if path.startswith("http") else self.at.api + path
        data = msgspec.json.encode(body) if raw is None and body is not None else raw
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if who:
            headers["Authorization"] = await self.wallet.bearer(who)
        began = time.monotonic()
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            content = await answer.read()
            return Reply(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.headers.items()},
                body=_json(content),
                seconds=time.monotonic() - began,
            )

    async def get(self, path: str) -> Any:
        """What is read, which must be there."""
        return self._taken(await self.ask("GET", path), path)

    async def post(self, path: str, body: object = None, *, who: str = "") -> Any:
        """Post what must be taken."""
        return self._taken(await self.ask("POST", path, body, who=who), path)

    def _taken(self, reply: Reply, path: str) -> Any:
        assert reply.status in (200, 201, 202), f"{path}: {reply.status} {reply.body}"
        return reply.body

    async def send(self, body: Json) -> str:
        """Post an alert that must be accepted; answer its delivery key."""
        answer = await self.post("/api/alerts", body)
        return str(answer["delivery"])

    async def fire(self, number: str, *, target: str = FNOL, severity: str = "Sev1") -> str:
        """Post a new alert of a new rule; answer the incident that it opens or joins."""
        now = datetime.now(UTC)
        body = alert(number, rule=number, target=target, fired_at=now, severity=severity)
        return await self.incident_of(await self.send(body))

    async def incident_of(self, delivery: str) -> str:
        """The incident that a delivery opened or joined, once it was taken."""
        found = await self.until(
            f"delivery {delivery} to be taken",
            lambda: self.get(f"/api/deliveries/{delivery}"),
            lambda answer: answer["state"] != "accepted",
        )
        return str(found["incident"])

    async def view(self, incident: str) -> Json:
        """All that the API tells of an incident."""
        found: Json = await self.get(f"/api/incidents/{incident}")
        return found

    async def open_incidents(self) -> list[Json]:
        """The open incidents, newest first."""
        found: list[Json] = (await self.get("/api/incidents?state=open"))["incidents"]
        return found

    async def until_view(
        self, what: str, incident: str, done: Callable[[Json], object], within_s: float = LIMIT_S
    ) -> Json:
        """Wait for an incident to come so far."""
        return await self.until(what, lambda: self.view(incident), done, within_s)

    async def until_state(self, incident: str, *states: str, within_s: float = LIMIT_S) -> Json:
        """Wait for an incident to be in one of the states."""
        return await self.until_view(
            f"{incident} to be {' or '.join(states)}",
            incident,
            lambda view: view["incident"]["state"] in states,
            within_s,
        )

    async def drill(self, name: str) -> None:
        """Play something that Backstop is not told of."""
        await self.post(f"{self.at.control}/drills/{name}")

    async def status(self) -> Json:
        """What an observer of the simulated world sees."""
        found: Json = await self.get(f"{self.at.control}/status")
        return found

    async def break_inbox(self, **parts: str) -> None:
        """Let parts of the inbox fail ("outage") or work ("none"): teams, pager, webhook."""
        reply = await self.ask("PUT", f"{self.at.inbox}/api/faults", parts)
        assert reply.status == 200, reply

    async def cards(self, incident: str) -> list[Json]:
        """The cards about an incident, newest first."""
        cards = (await self.get(f"{self.at.inbox}/api/cards"))["cards"]
        return [card for card in cards if incident in msgspec.json.encode(card).decode()]

    async def pages(self, incident: str) -> list[Json]:
        """The pager's alerts about an incident, newest first."""
        alerts = (await self.get(f"{self.at.inbox}/api/pages"))["alerts"]
        return [one for one in alerts if one["dedup_key"] == incident]

    async def webhooks(self, incident: str) -> list[Json]:
        """What the pager's fallback was told about an incident, newest first."""
        told = (await self.get(f"{self.at.inbox}/api/pages"))["webhooks"]
        return [one["body"] for one in told if one["body"]["incident"] == incident]

    async def paged(self, incident: str) -> list[Json]:
        """Wait until somebody was paged about an incident."""
        return await self.until(f"a page about {incident}", lambda: self.pages(incident), bool)

    async def until[T](
        self,
        what: str,
        look: Callable[[], Awaitable[T]],
        done: Callable[[T], object],
        within_s: float = LIMIT_S,
    ) -> T:
        """Look again and again until it is done; fail with the last thing seen."""
        deadline = time.monotonic() + within_s
        while True:
            found = await look()
            if done(found):
                return found
            logs = self.world.folder / "logs"
            late = f"waited {within_s:.0f} s for {what}; see {logs}; last seen: {found}"
            assert time.monotonic() < deadline, late
            await sleep(POLL_S)


def told(view: Json) -> str:
    """An incident's timeline, a line an event, for failures."""
    return "\n".join(f"{one['kind']}: {one['what']}: {one['why']}" for one in view["timeline"])


@asynccontextmanager
async def open_stage(world: World) -> AsyncIterator[Stage]:
    """A stage in front of a world that runs already."""
    patience = aiohttp.ClientTimeout(total=30)
    signed = signing(world.addresses.api, world.addresses.issuer)
    async with aiohttp.ClientSession(timeout=patience, middlewares=[signed]) as session:
        yield Stage(world, session)


@asynccontextmanager
async def new_stage(folder: Path, **plan: Any) -> AsyncIterator[Stage]:
    """A stage in front of a world of its own."""
    with staged_world(folder, **plan) as world:
        async with open_stage(world) as stage:
            yield stage


@contextmanager
def staged_world(folder: Path, *, pace: Pace = QUICK, **plan: Any) -> Iterator[World]:
    """A world for tests: its tables are kept in the folder, and it is killed when they are done.

    How all parts end in order is for the tests of the demo and of `make start` to show.
    """
    wanted: dict[str, Any] = {"rate_per_s": RATE_PER_S, **plan}
    with running_world(folder, pace=pace, tables=folder / "tables", **wanted) as world:
        yield world


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None
