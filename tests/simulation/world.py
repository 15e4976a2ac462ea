"""The simulated world: real responders and protocol in workers that may die, over fakes.

One run plays one incident: v2 is bad, an alert comes (more than once), the workers take it from
there. The seed decides the interleaving, the faults and the deaths; the invariants are asked after
every step and at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, override

from responders.alert.corroborate import corroborate
from responders.alert.diagnose import diagnose
from responders.alert.enforce import enforce
from responders.alert.triage import triage
from responders.alert.verify import verify
from responders.evidence.record import record
from responders.people.notify import notify, post_abandoned_cards
from responders.people.page import page, page_all_due
from responders.repair.exhume import exhume
from responders.repair.reconcile import reconcile
from responders.repair.relay import relay
from responders.repair.remind import remind
from shared.domain.incidents.incident import Incident, State
from shared.domain.incidents.stall import STEPS
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.views.http import Answer, Request
from shared.errors import Conflict, RejectedInput, Unavailable
from shared.protocol.alarm.keeper import watch_deliveries
from shared.protocol.intake import Delivery
from shared.protocol.leftovers import Leftovers, find_leftovers
from shared.protocol.settle import Handler, settle, settle_batch
from shared.services import Services
from tests.fakes.services import FakeServices, Outside, make_settings
from tests.fakes.turns import Killed
from tests.simulation.promises import Promise, broken
from tests.simulation.scheduler import Scheduler, worker_name
from tests.simulation.subscription import Subscription

ANSWER_WITHIN_S = 10.0  # an action group waits no longer
WAITS = frozenset({*STEPS, State.WAITING})
IDLE_S = 2.5  # how often a subscription without messages is looked at
TICK_S = 20.0

DECIDING: dict[str, Handler] = {
    "corroborate": corroborate,
    "enforce": enforce,
    "verify": verify,
}

type Job = Callable[[Services, Leftovers], Awaitable[Any]]
type Responder = Callable[[Services, Request], Awaitable[Answer]]


class SimulatedServices(FakeServices):
    """A process whose clock is the loop's."""

    @override
    def now(self) -> datetime:
        return self.outside.now + timedelta(seconds=asyncio.get_running_loop().time())


class World:
    """Workers over one outside. `start` them, then let the loop run."""

    def __init__(
        self,
        outside: Outside,
        scheduler: Scheduler,
        pager_keys: dict[str, str],
        on_receive: Callable[[], None] = lambda: None,
        again: int = 0,
    ) -> None:
        self.outside = outside
        self.scheduler = scheduler
        self.unforeseen: list[str] = []
        self._pager_keys = pager_keys
        self._on_receive = on_receive
        self._alive: dict[str, SimulatedServices] = {}
        self._born = 0
        self._asked = 0
        self._tasks_alive: list[asyncio.Future[None]] = []
        responder = frozenset({"triage", "diagnose", "page"})
        executor = frozenset(DECIDING)
        self.subscriptions = {
            "responder": Subscription(outside, WORK, "responder", responder, again),
            "executor": Subscription(outside, WORK, "executor", executor, again),
            "notify": Subscription(outside, CHANGES, "notify", frozenset(), again),
            "record": Subscription(outside, CHANGES, "record", frozenset(), again),
        }
        outside.bus.heard = self._hear

    def _hear(self, topic: str) -> None:
        for subscription in self.subscriptions.values():
            if subscription.topic == topic:
                subscription.hear()

    def start(self, role: str) -> str:
        """Start a worker process of a role; answer its name."""
        self._born += 1
        name = f"{role}-{self._born}"
        services = self._alive[name] = self.services(name)
        for task in self._tasks(role, services):
            context = worker_name.set(name)
            self._spawn(task)
            worker_name.reset(context)
        return name

    def services(self, name: str) -> SimulatedServices:
        """What a process of that name uses."""
        settings = make_settings(instance=name, pager_keys=self._pager_keys)
        return SimulatedServices(self.outside, settings)

    def _tasks(self, role: str, services: SimulatedServices) -> list[Awaitable[None]]:
        if role == "responder":
            work: dict[str, Handler] = {"triage": triage, "diagnose": diagnose, "page": page}
            return [
                self._consume("responder", services, WORK, _dispatch(work)),
                self._consume("notify", services, CHANGES, notify),
                self._tick(
                    services,
                    relay,
                    watch_deliveries,
                    page_all_due,
                    post_abandoned_cards,
                    remind,
                    exhume,
                ),
            ]
        return [
            self._consume("executor", services, WORK, _dispatch(DECIDING)),
            self._consume("record", services, CHANGES, None),
            self._tick(services, relay, reconcile),
        ]

    def spawn_outside(self, work: Awaitable[None]) -> None:
        """Let somebody outside of the workers act."""
        self._spawn(work)

    async def ask(self, respond: Responder, request: Request) -> Answer | None:
        """Ask a live responder over HTTP; None where no answer comes in time."""
        dead = self.scheduler.dead
        able = [n for n in self._alive if n not in dead and n.startswith("responder")]
        if not able:
            return None
        self._asked += 1
        name = able[self._asked % len(able)]
        answers: list[Answer] = []

        async def serve() -> None:
            try:
                answers.append(await respond(self._alive[name], request))
            except RejectedInput as error:
                answers.append(Answer(status=400, body=error.reason.encode()))
            except (Unavailable, Conflict):
                answers.append(Answer(status=503))

        context = worker_name.set(name)
        task = self._spawn(serve())
        worker_name.reset(context)
        await asyncio.wait([task], timeout=ANSWER_WITHIN_S)
        return answers[0] if answers else None

    def is_at_rest(self) -> bool:
        """Whether every message is done, every delivery taken, and nothing left behind."""
        empty = all(subscription.is_empty for subscription in self.subscriptions.values())
        waits = self._has_pending() or self._has_leftovers() or self._waits_for_a_step()
        return empty and not waits

    def _waits_for_a_step(self) -> bool:
        """Whether an incident waits for a command, or for an approval: where none comes, it ends.

        Lost commands somebody must notice, and a request to which nobody answers lapses.
        """
        table = self.outside.state
        return any(
            table.peek(partition, row, Incident).state in WAITS
            for partition in table.partitions()
            for row in table.rows(partition, "incident|")
        )

    def _has_pending(self) -> bool:
        table = self.outside.deliveries
        return any(
            table.peek(partition, row, Delivery).pending
            for partition in table.partitions()
            for row in table.rows(partition)
        )

    def _has_leftovers(self) -> bool:
        table = self.outside.state
        return any(table.rows(partition, "~") for partition in table.partitions())

    def check_nobody_failed(self) -> None:
        """Raises Broken where a worker raised what its host would only have logged."""
        if self.unforeseen:
            how = f"a worker raised what nobody foresaw: {self.unforeseen[0]}"
            raise broken(Promise.COMES_TO_REST, how)

    def _spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        async def live() -> None:
            try:
                await work
            except Killed:
                return

        task = asyncio.ensure_future(live())
        task.add_done_callback(self._ended)
        self._tasks_alive.append(task)  # a dead worker's tasks wait for ever: nothing of them runs
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.unforeseen.append(repr(task.exception()))

    async def _consume(
        self, name: str, services: SimulatedServices, topic: str, handle: Handler | None
    ) -> None:
        subscription, loop = self.subscriptions[name], asyncio.get_running_loop()
        while True:
            if self.outside.bus.out:
                await asyncio.sleep(IDLE_S)
                continue
            await subscription.wait(loop.time(), services.now())
            await self.scheduler.take(f"{name}.receive")
            received = subscription.receive(loop.time(), services.now())
            if received is None:
                continue
            self._on_receive()
            number, message = received
            try:
                if handle is None:
                    await settle_batch(services, topic, name, [message], record)
                else:
                    await settle(services, topic, name, message, handle)
            except (Unavailable, Conflict):
                subscription.abandon(number)
                await asyncio.sleep(1.0)
            else:
                await self.scheduler.take(f"{name}.complete")
                subscription.complete(number)

    async def _tick(self, services: SimulatedServices, *jobs: Job) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                leftovers = await find_leftovers(services)
            except Unavailable:
                continue
            for job in jobs:
                try:
                    await job(services, leftovers)
                except (Unavailable, Conflict):
                    continue


def _dispatch(handlers: dict[str, Handler]) -> Handler:
    async def dispatch(services: Services, message: Message) -> None:
        handler = handlers.get(message.subject)
        if handler is None:
            raise RejectedInput("unknown-subject", message.subject)
        await handler(services, message)

    return dispatch
