"""Orders: what one trouble's alerts come to, in any order, told by the set of them alone."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import msgspec

from responders.alert.triage import triage
from responders.repair.relay import relay
from shared.domain.alerts.alert import Alert, Condition
from shared.domain.incidents.escalation import page_reason
from shared.domain.incidents.incident import Claim, Incident
from shared.domain.keys import digest
from shared.domain.message import WORK
from shared.errors import Unavailable
from shared.protocol.intake import Delivery, accept, relay_deliveries
from shared.protocol.leftovers import find_leftovers
from tests.batteries.playing import Broken, Crew, Subscription, process, stored
from tests.fakes import Outside
from tests.fakes.scene import NOW, SERVICE, SNAPSHOT, fired
from tests.simulation.scheduler import Scheduler

WORKERS = 3
LONGEST_S = 1_800.0
FIRST_TURNS = 120


def _began(minutes_ago: int) -> Alert:
    at = NOW - timedelta(minutes=minutes_ago)
    key = digest("began", str(minutes_ago))
    return msgspec.structs.replace(fired(), delivery_key=key, fired_at=at)


def _ended(alert: Alert, minutes_ago: int) -> Alert:
    return msgspec.structs.replace(
        alert,
        delivery_key=digest(alert.delivery_key, "ended"),
        condition=Condition.RESOLVED,
        resolved_at=NOW - timedelta(minutes=minutes_ago),
    )


FIRED_1, FIRED_2 = _began(40), _began(20)
EVENTS = {
    "Fired1": FIRED_1,
    "Resolved1": _ended(FIRED_1, 30),
    "Fired2": FIRED_2,
    "Resolved2": _ended(FIRED_2, 10),
}


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run ended: what the claim says, how many incidents are open, and who is woken."""

    fires: bool
    fired_at: datetime | None
    resolved_at: datetime | None
    open_incidents: int
    firing: tuple[str, ...]
    wakes: bool


def expected(names: Sequence[str]) -> Ending:
    """The ending by the set of events alone: the trouble is on while its last firing is later."""
    came = [EVENTS[name] for name in names]
    fired_at = max((e.fired_at for e in came if e.condition is Condition.FIRED), default=None)
    resolved_at = max((e.at for e in came if e.condition is Condition.RESOLVED), default=None)
    fires = fired_at is not None and (resolved_at is None or resolved_at < fired_at)
    return Ending(
        fires=fires,
        fired_at=fired_at,
        resolved_at=resolved_at,
        open_incidents=int(fires),
        firing=(FIRED_1.correlation_key,) if fires else (),
        wakes=fires,
    )


def ending(outside: Outside) -> Ending:
    """The ending as it is stored."""
    (claim,) = stored(outside.state, f"claim|{FIRED_1.correlation_key}", Claim)
    incidents = stored(outside.state, "incident|", Incident)
    opened = [incident for incident in incidents if incident.state.is_open()]
    return Ending(
        fires=claim.is_firing,
        fired_at=claim.fired_at,
        resolved_at=claim.resolved_at,
        open_incidents=len(opened),
        firing=tuple(key for incident in opened for key in incident.firing),
        wakes=any(page_reason(incident, SERVICE) for incident in incidents),
    )


class Race:
    """The events of a sequence come at once, and three workers take them; by a seed some die."""

    def __init__(self, seed: int) -> None:
        self.scheduler = Scheduler(seed)
        self.outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE], turns=self.scheduler)
        self._chance = Random(seed)  # noqa: S311 - the same seed must give the same race
        self.names = self._chance.choices(sorted(EVENTS), k=6)
        self._crew = Crew(self.scheduler)
        self._triage = Subscription(self.outside, WORK, "responder", "triage")
        self._workers: list[str] = []
        self._posted = 0
        deaths = self._chance.choice((0, 0, 1, 2))
        self.scheduler.kill_at = set(self._chance.sample(range(1, FIRST_TURNS), deaths))
        self.outside.state.lost_answers = self._chance.choice((0, 0, 1))

    async def run(self) -> Ending:
        """Play until every event is taken. Raises Broken."""
        for _ in range(WORKERS):
            self._start_worker()
        for name in self.names:
            self._crew.start("outside", self._post(EVENTS[name], self._chance.uniform(0, 3)))
        self._crew.start("outside", self._tick())
        while not self._is_at_rest():
            await asyncio.sleep(5.0)
            if asyncio.get_running_loop().time() > LONGEST_S or self._crew.unforeseen:
                raise Broken(f"the race does not end: {self._crew.unforeseen}")
        return ending(self.outside)

    def _start_worker(self) -> None:
        name = f"triage-{len(self._workers)}"
        self._workers.append(name)
        self._crew.start(name, self._triage.consume(process(self.outside, name), triage))

    async def _post(self, alert: Alert, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await accept(process(self.outside, "intake"), alert)
        self._posted += 1

    async def _tick(self) -> None:
        services = process(self.outside, "tick")
        while True:
            await asyncio.sleep(10.0)
            for name in [name for name in self._workers if self._crew.is_dead(name)]:
                self._workers[self._workers.index(name)] += " is dead"
                self._start_worker()
            try:
                leftovers = await find_leftovers(services)
                await relay(services, leftovers)
                await relay_deliveries(services, leftovers)
            except Unavailable:
                continue

    def _is_at_rest(self) -> bool:
        taken = self._posted == len(self.names) and self._triage.is_empty
        deliveries = stored(self.outside.deliveries, "", Delivery)
        return taken and not any(delivery.pending for delivery in deliveries)
