"""A host in memory: hands messages to the responders and ticks, as the two function apps would.

The table is the app's own: what function_app names is what is called here.
"""

from datetime import timedelta

from function_app import COMMANDS, JOBS, NOTIFY, RECORD
from shared.domain.message import CHANGES, WORK, Message
from shared.protocol.leftovers import find_leftovers
from shared.protocol.settle import settle, settle_batch
from shared.services import Services
from shared.settings import Role
from tests.fakes.services import FakeServices

TICK_S = 2.0


class FakeHost:
    """Both apps of one world, each a process of its own."""

    def __init__(self, services: FakeServices) -> None:
        self.responder = services.another("responder")
        self.executor = services.another("executor")
        self._outside = services.outside

    async def run(self, seconds: float, *, tick_s: float = TICK_S) -> None:
        """Let so much time pass, a tick every `tick_s`: everything that comes due is done."""
        end = self._outside.now + timedelta(seconds=seconds)
        while self._outside.now < end:
            await self._deliver_all()
            await self._tick()
            self._outside.wait(tick_s)

    async def _deliver_all(self) -> None:
        while await self._deliver():
            pass

    async def _deliver(self) -> int:
        """Hand out what is due on every subscription; answer how much it was."""
        bus, now = self._outside.bus, self._outside.now
        commands = [
            (services, message)
            for services in (self.responder, self.executor)
            for message in bus.take(WORK, services.settings.instance, now)
        ]
        for services, message in commands:
            await settle(services, WORK, services.settings.instance, message, _dispatch)
        told = bus.take(CHANGES, "notify", now)
        for message in told:
            await settle(self.responder, CHANGES, "notify", message, NOTIFY)
        written = bus.take(CHANGES, "record", now)
        if written:
            await settle_batch(self.executor, CHANGES, "record", written, RECORD)
        return len(commands) + len(told) + len(written)

    async def _tick(self) -> None:
        for services in (self.responder, self.executor):
            leftovers = await find_leftovers(services)
            for job in JOBS[Role(services.settings.instance)]:
                await job(services, leftovers)


async def _dispatch(services: Services, message: Message) -> None:
    """Run the command if it is this app's: its subscription admits no other."""
    handler = COMMANDS[Role(services.settings.instance)].get(message.subject)
    if handler is not None:
        await handler(services, message)
