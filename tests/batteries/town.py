"""A town: both apps as processes of their own, an action group that posts, and people to wake.

The responders, commands and jobs are those that function_app names. Each process may have its own
clock. Nothing but the seed and the outages decides what happens.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, override

from function_app import COMMANDS, JOBS, NOTIFY, RECORD
from shared.adapters.pager import Pager
from shared.adapters.webhook import Delivered
from shared.domain.alerts.alert import Alert
from shared.domain.diagnosis.telemetry import AnswerStatus
from shared.domain.message import CHANGES, WORK, Message
from shared.errors import BackstopError, Unavailable
from shared.protocol.alarm.keeper import take_in
from shared.protocol.leftovers import find_leftovers
from shared.protocol.settle import Handler, settle_batch
from shared.services import Services
from shared.settings import Role
from tests.batteries.playing import Crew, Process, Subscription
from tests.fakes.services import Outside, make_settings
from tests.fakes.turns import Turns
from tests.simulation.scheduler import Scheduler

TICK_S = 10.0
RETRY_S = (5, 20, 5, 40, 5)  # then an action group gives up, and calls nobody for 15 minutes
LOGS = ("burn_rates", "onset", "outcomes", "dependencies", "tool_failures", "slices", "versions")


class TimedPager(Pager):
    """The real pager over two webhooks in memory. `sent` has each page's time, contact, name.

    `ended` are the names that were resolved.
    """

    def __init__(self, turns: Turns) -> None:
        self.sent: list[tuple[float, str, str]] = []
        self.ended: set[str] = set()
        self.out = False
        self._turns = turns
        self._pager = _Hook(self, "pager")  # type: ignore[assignment] # what of it is used
        self._fallback = _Hook(self, "webhook")  # type: ignore[assignment]

    @override
    async def close(self) -> None:
        return None


class _Hook:
    """One webhook of the pager's two."""

    def __init__(self, pager: TimedPager, name: str) -> None:
        self._pager = pager
        self._name = name

    async def post(self, body: dict[str, Any]) -> Delivered:
        pager = self._pager
        await pager._turns.take(f"{self._name}.post")
        if pager.out and self._name == "pager":
            raise Unavailable("pager", "out")
        action = body.get("event_action") or body["action"]
        name = body.get("dedup_key") or body["incident"]
        if action == "resolve":
            pager.ended.add(name)
        if action == "trigger":
            details = body.get("details") or body["payload"]["custom_details"]
            contact = details["paged"].partition(":")[0]
            pager.sent.append((asyncio.get_running_loop().time(), contact, name))
        await pager._turns.take(f"{self._name}.posted")
        return Delivered(by=self._name, status=202)


class Citizen(Process):
    """A process with a clock that is off by so much."""

    def __init__(self, outside: Outside, role: Role, pager: TimedPager, off: timedelta) -> None:
        self.off = off
        keys = {c.pager: c.name for s in outside.catalog.services.values() for c in s.contacts}
        super().__init__(outside, make_settings(instance=role.value, role=role, pager_keys=keys))
        self.__dict__["pager"] = pager

    @override
    def now(self) -> datetime:
        return super().now() + self.off


class Topic(Subscription):
    """A subscription whose messages come due by the bus's own clock, which is right."""

    def __init__(self, outside: Outside, topic: str, name: str, *subjects: str) -> None:
        super().__init__(outside, topic, name, *subjects)
        self._since = outside.now

    @override
    def _receive(self, at: float, now: datetime) -> int | None:
        return super()._receive(at, self._since + timedelta(seconds=at))


class Town:
    """Two processes of the responder and two of the executor; one of each ticks."""

    def __init__(self, outside: Outside, scheduler: Scheduler, offs: tuple[float, ...]) -> None:
        self.outside = outside
        self.pager = TimedPager(scheduler)
        self.crew = Crew(scheduler)
        self._subscriptions: dict[str, Subscription] = {
            "responder": Topic(outside, WORK, "responder", *COMMANDS[Role.RESPONDER]),
            "executor": Topic(outside, WORK, "executor", *COMMANDS[Role.EXECUTOR]),
            "notify": Topic(outside, CHANGES, "notify"),
            "record": Topic(outside, CHANGES, "record"),
        }
        roles = (Role.RESPONDER, Role.RESPONDER, Role.EXECUTOR, Role.EXECUTOR)
        shifts = (timedelta(minutes=off) for off in offs)
        pairs = zip(roles, shifts, strict=True)
        self.processes = [Citizen(outside, role, self.pager, off) for role, off in pairs]
        self.doors = [one for one in self.processes if one.settings.role is Role.RESPONDER]

    def start(self) -> None:
        """Let all processes work."""
        ticking: set[Role] = set()
        for number, services in enumerate(self.processes):
            role = services.settings.role
            name = f"{role.value}-{number}"
            for consuming in self._consumers(role):
                self.crew.start(
                    name, self._subscriptions[consuming[0]].consume(services, consuming[1])
                )
            if role not in ticking:
                self.crew.start(name, _tick(services))
            ticking.add(role)

    def _consumers(self, role: Role) -> list[tuple[str, Handler]]:
        work = (role.value, _dispatcher(role))
        if role is Role.RESPONDER:
            return [work, ("notify", NOTIFY)]
        return [work, ("record", _record)]

    async def post(self, alert: Alert) -> bool:
        """Post as an action group does, to whichever process answers; whether it was taken."""
        for number, wait in enumerate((*RETRY_S, 0)):
            try:
                await take_in(self.doors[number % len(self.doors)], alert)
            except Unavailable:
                await asyncio.sleep(wait)
            else:
                return True
        return False

    async def lose(self, part: str, seconds: float) -> None:
        """Take a part away for so long."""
        self._switch(part, out=True)
        await asyncio.sleep(seconds)
        self._switch(part, out=False)

    def _switch(self, part: str, *, out: bool) -> None:
        outside = self.outside
        trouble: BackstopError | None = Unavailable(part, "out") if out else None
        switches: dict[str, Callable[[], object]] = {
            "none": lambda: None,
            "tables": lambda: outside.tables_out(out),
            "bus": lambda: setattr(outside.bus, "out", out),
            "teams": lambda: setattr(outside.teams, "trouble", trouble),
            "pager": lambda: setattr(self.pager, "out", out),
            "endpoint": lambda: setattr(outside.endpoints, "out", out),
            "logs": lambda: _spoil(outside, out=out),
        }
        switches[part]()

    def first_page(self) -> float:
        """When the first page was accepted; never is far away."""
        return min((at for at, _, _ in self.pager.sent), default=float("inf"))


def _spoil(outside: Outside, *, out: bool) -> None:
    for query in LOGS:
        if out:
            outside.logs.fail(query, AnswerStatus.UNAVAILABLE)
        else:
            outside.logs.answers.pop(query, None)


def _dispatcher(role: Role) -> Handler:
    async def dispatch(services: Services, message: Message) -> None:
        await COMMANDS[role][message.subject](services, message)

    return dispatch


async def _record(services: Services, message: Message) -> None:
    await settle_batch(services, CHANGES, "record", [message], RECORD)


async def _tick(services: Citizen) -> None:
    """The timer of an app, as function_app has it."""
    while True:
        try:
            leftovers = await find_leftovers(services)
            for job in JOBS[services.settings.role]:
                if job.module != "responders.watching.warm":
                    await _quietly(job(services, leftovers))
        except Unavailable:
            pass
        await asyncio.sleep(TICK_S)


async def _quietly(job: Any) -> None:
    try:
        await job
    except BackstopError:
        return
