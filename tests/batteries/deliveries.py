"""Deliveries: Azure Monitor posts the same alerts to eight workers, again and again.

Half of the rounds are clean; in the others workers die, are started again with an empty memory, and
answers of the tables get lost. Triage runs beside, in workers of its own, at least once a message.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec

from responders.alert.ingest import ingest
from responders.alert.triage import triage
from responders.repair.relay import relay
from shared.domain.catalog import Target, TargetKind
from shared.domain.message import WORK
from shared.domain.views.http import Answer, Request
from shared.errors import Unavailable
from shared.protocol.intake import Delivery, relay_deliveries
from shared.protocol.leftovers import find_leftovers
from tests.batteries.playing import Broken, Crew, Subscription, play, process, stored
from tests.fakes.services import Outside
from tests.shared.domain.decisions import worked_case as case
from tests.simulation.scheduler import Scheduler

EVENTS = Path(__file__).parents[1] / "events"
BODIES = {
    path.stem: path.read_bytes()
    for path in sorted(EVENTS.glob("*.json"))
    if not path.stem.startswith("legacy")  # not the common schema: refused
}
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
OWNED = json.loads(BODIES["metric_static_fired"])["data"]["essentials"]["alertTargetIDs"][0]
SERVICE = case.alter(
    case.SERVICE,
    targets=(Target(kind=TargetKind.ONLINE_ENDPOINT, id=OWNED, capabilities=("split",)),),
)
WORKERS = 8
TRIAGERS = 3
REPEATS = 25  # of one alert at one worker, in one round
LONGEST_S = 3_600.0
DEATHS = 8  # of a round that has faults, among its first turns
FIRST_TURNS = 3_000
LOST_ANSWERS = 6


def spellings(body: bytes) -> tuple[bytes, ...]:
    """The same alert in other bytes."""
    turned = json.dumps(json.loads(body), sort_keys=True).encode()
    return (body, body + b"\r\n", b"\xef\xbb\xbf" + body, turned)


class Round:
    """One round: every alert REPEATS times to each of the workers, in an order of its own."""

    def __init__(self, seed: int, *, clean: bool) -> None:
        self.chance = Random(seed)  # noqa: S311 - the same seed must give the same round
        self.scheduler = Scheduler(seed)
        self.outside = Outside(
            now=NOW, snapshot=case.SNAPSHOT, services=[SERVICE], turns=self.scheduler
        )
        self.clean = clean
        self.answers: Counter[tuple[str, str]] = Counter()
        self._crew = Crew(self.scheduler)
        self._queues = [self._posts() for _ in range(WORKERS)]
        self._triage = Subscription(self.outside, WORK, "responder", "triage")
        self._starters: dict[str, Callable[[], None]] = {}
        self._born = 0
        if not clean:
            self.scheduler.kill_at = set(self.chance.sample(range(1, FIRST_TURNS), DEATHS))

    async def run(self) -> None:
        """Play until everything was answered and triaged. Raises Broken."""
        for queue in self._queues:
            self._start_sender(queue)
        for _ in range(TRIAGERS):
            self._start_triager()
        self._crew.start("outside", self._tick())
        self._crew.start("outside", self._revive())
        if not self.clean:
            self._crew.start("outside", self._lose_answers())
        while not self._is_at_rest():
            if asyncio.get_running_loop().time() > LONGEST_S:
                raise Broken("something was never answered or never triaged")
            await asyncio.sleep(5.0)
            if self._crew.unforeseen:
                raise Broken(f"a worker raised what nobody foresaw: {self._crew.unforeseen[0]}")

    def _posts(self) -> deque[bytes]:
        every = [one for body in BODIES.values() for one in (spellings(body) * REPEATS)[:REPEATS]]
        self.chance.shuffle(every)
        return deque(every)

    def _named(self, role: str, starter: Callable[[], None]) -> str:
        self._born += 1
        name = f"{role}-{self._born}"
        self._starters[name] = starter
        return name

    def _start_sender(self, queue: deque[bytes]) -> None:
        name = self._named("intake", lambda: self._start_sender(queue))
        self._crew.start(name, self._post_all(name, queue))

    def _start_triager(self) -> None:
        name = self._named("triage", self._start_triager)
        self._crew.start(name, self._triage.consume(process(self.outside, name), triage))

    async def _post_all(self, name: str, queue: deque[bytes]) -> None:
        """Post what is in the queue; what was not answered 202 stays its first."""
        services = process(self.outside, name)
        while queue:
            if self.chance.random() < 0.02:
                services = process(self.outside, name)  # started again: it remembers nothing
            try:
                answer = await ingest(services, Request(method="POST", body=queue[0]))
            except Unavailable:
                await asyncio.sleep(5.0)
                continue
            self._hear(answer)
            queue.popleft()
            if self.chance.random() < 0.1:
                await asyncio.sleep(self.chance.uniform(0, 2))

    def _hear(self, answer: Answer) -> None:
        """A 202 was heard: now, and not later, the alert must be stored."""
        said = msgspec.json.decode(answer.body, type=dict[str, str])
        key = said["delivery"]
        if answer.status != 202 or key not in self.outside.deliveries.rows(key[:8]):
            raise Broken(f"{key} was answered {answer.status} before it was stored")
        self.answers[key, said["status"]] += 1

    async def _tick(self) -> None:
        services = process(self.outside, "tick")
        while True:
            await asyncio.sleep(10.0)
            try:
                leftovers = await find_leftovers(services)
                await relay(services, leftovers)
                await relay_deliveries(services, leftovers)
            except Unavailable:
                continue

    async def _revive(self) -> None:
        """The platform starts a dead worker again; Azure Monitor repeats what nobody answered."""
        while True:
            await asyncio.sleep(3.0)
            for name in [name for name in self._starters if self._crew.is_dead(name)]:
                self._starters.pop(name)()

    async def _lose_answers(self) -> None:
        for _ in range(LOST_ANSWERS):
            table = self.chance.choice((self.outside.deliveries, self.outside.state))
            table.lost_answers += 1
            await asyncio.sleep(self.chance.uniform(0, 10))

    def _is_at_rest(self) -> bool:
        posted = not any(self._queues) and self._triage.is_empty
        deliveries = stored(self.outside.deliveries, "", Delivery)
        return posted and not any(delivery.pending for delivery in deliveries)


def play_round(seed: int, *, clean: bool, check: Callable[[Round], None]) -> str:
    """Play one round and check it; what broke, or ""."""
    played = Round(seed, clean=clean)
    try:
        play(played.scheduler, played.run)
        check(played)
    except Broken as error:
        return f"seed {seed}: {error}"
    return ""
