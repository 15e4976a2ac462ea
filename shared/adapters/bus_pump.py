"""One pump a topic: many callers, one sender, batches.

A Service Bus sender that several tasks use at once duplicates messages without an error, and one
send a message is slow. So callers leave parcels, and a single task sends what has gathered.

A send that fails is tried again with a new sender for as long as somebody waits for it. A caller
that gives up takes its parcel back, unless that is on the wire already: delivery is at least once.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from azure.servicebus import ServiceBusMessage, ServiceBusMessageBatch
from azure.servicebus.aio import ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import (
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusServerBusyError,
)

from shared.errors import Missing, Refused, RejectedInput, Unavailable

NO_RIGHT = (ServiceBusAuthenticationError, ServiceBusAuthorizationError)

_ATTEMPT_S = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.4
_GOODBYE_S = 2.0
_logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Parcel:
    """A message and the one who waits for it; without a message only the link is wanted."""

    message: ServiceBusMessage | None
    accepted: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pump:
    """Sends to one topic; it starts with the first parcel and ends with `close`."""

    def __init__(
        self,
        topic: str,
        new_sender: Callable[[], ServiceBusSender],
        *,
        longest_rest_s: float = 200.0,
    ) -> None:
        self._topic = topic
        self._new_sender = new_sender
        self._longest_rest_s = longest_rest_s  # the service closes idle connections after 240
        self._last_used = 0.0
        self._sender: ServiceBusSender | None = None
        self._parcels: deque[_Parcel] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._failure = ""
        self._kind: type[Unavailable] = Unavailable  # as the last failure was

    async def send(self, messages: list[ServiceBusMessage], *, within_s: float) -> None:
        """Return once the topic has accepted all `messages`.

        Raises Unavailable when it has not in time, RejectedInput when one is too large.
        """
        await self._deliver([_Parcel(message) for message in messages], within_s)

    async def warm(self, *, within_s: float) -> None:
        """Open the link now, so that the first message does not wait for it."""
        await self._deliver([_Parcel(None)], within_s)

    async def close(self) -> None:
        """Stop; whoever still waits gets Unavailable."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for parcel in self._parcels:
            _fail(parcel, Unavailable("bus", "this process is stopping"))
        self._drop_sender()
        if self._goodbyes:
            await asyncio.wait(self._goodbyes)

    async def _deliver(self, parcels: list[_Parcel], within_s: float) -> None:
        self._parcels.extend(parcels)
        self._arrived.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"pump {self._topic}")
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(parcel.accepted for parcel in parcels))
        except TimeoutError:
            cause = f" ({self._failure})" if self._failure else ""
            detail = f"topic {self._topic} did not accept within {within_s} s{cause}"
            raise self._kind("bus", detail) from None

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            await self._arrived.wait()
            try:
                async with asyncio.timeout(_ATTEMPT_S):
                    await self._send_batch()
            except Exception as error:  # noqa: BLE001 - whatever it was, the pump must go on
                self._on_failure(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                pause = _FIRST_PAUSE_S

    async def _send_batch(self) -> None:
        """Send as many parcels as one batch holds; on an error they wait for the next attempt."""
        sender = self._ready_sender()
        batch = await sender.create_message_batch()
        taken = self._fill(batch)
        try:
            if len(batch):
                await sender.send_messages(batch)
        except BaseException:
            self._parcels.extendleft(reversed(taken))
            raise
        self._on_success()
        for parcel in taken:
            if not parcel.accepted.done():
                parcel.accepted.set_result(None)

    def _ready_sender(self) -> ServiceBusSender:
        """Return the sender; after a long rest a new one, because the bus hung up on the old."""
        now = asyncio.get_running_loop().time()
        if now - self._last_used > self._longest_rest_s:
            self._drop_sender()
        self._last_used = now
        if self._sender is None:
            self._sender = self._new_sender()
        return self._sender

    def _fill(self, batch: ServiceBusMessageBatch) -> list[_Parcel]:
        """Move parcels into `batch` until it is full; those that nobody waits for are left out."""
        taken: list[_Parcel] = []
        while self._parcels:
            parcel = self._parcels[0]
            if not parcel.accepted.done() and not _add(batch, parcel):
                if len(batch):
                    return taken
                _fail(parcel, RejectedInput("message-too-large", "send a key, not the payload"))
            taken.append(self._parcels.popleft())
        self._arrived.clear()
        return taken

    def _on_failure(self, error: Exception) -> None:
        name = type(error).__name__
        if not self._failure:
            _logger.warning("topic %s does not accept messages: %s", self._topic, name)
        self._failure = name
        self._kind = _kind_of(error)
        if not isinstance(error, ServiceBusServerBusyError):  # a new link would only add load
            self._drop_sender()
        self._parcels = deque(parcel for parcel in self._parcels if not parcel.accepted.done())
        if self._parcels:
            self._arrived.set()
        else:
            self._arrived.clear()

    def _on_success(self) -> None:
        if self._failure:
            _logger.warning("topic %s accepts messages again", self._topic)
        self._failure, self._kind = "", Unavailable

    def _drop_sender(self) -> None:
        """Say goodbye in the background: it takes a while on a broken connection."""
        if self._sender is not None:
            goodbye = asyncio.create_task(close_link(self._sender))
            self._goodbyes.add(goodbye)
            goodbye.add_done_callback(self._goodbyes.discard)
            self._sender = None


def _add(batch: ServiceBusMessageBatch, parcel: _Parcel) -> bool:
    """Whether the parcel found room."""
    if parcel.message is None:
        return True
    try:
        batch.add_message(parcel.message)
    except ValueError:  # how the SDK says that a batch is full
        return False
    return True


def _kind_of(error: Exception) -> type[Unavailable]:
    """What callers are told that their message was not taken for."""
    if isinstance(error, NO_RIGHT):
        return Refused
    return Missing if isinstance(error, MessagingEntityNotFoundError) else Unavailable


def _fail(parcel: _Parcel, error: Exception) -> None:
    if not parcel.accepted.done():
        parcel.accepted.set_exception(error)


async def close_link(link: ServiceBusSender | ServiceBusReceiver) -> None:
    """Close a link and never raise: it is given up, whatever it says.

    On a broken connection the SDK leaves the socket to the garbage collector.
    """
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await link.close()
    except Exception as error:  # noqa: BLE001 - nobody could do anything about it
        _logger.debug("closing a link: %s", type(error).__name__)
