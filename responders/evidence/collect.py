"""Collect: make the bundle that was ordered, say how far it has come, and keep it for ever.

Executor only, behind `responders.evidence.order`. What the bundle is going to be is written into
the order before the blob: a try that was interrupted behind it is finished by the next one with
that very blob, which nobody may delete. The first to end counts. A part that is out, or records
that no seal covers yet, mean another try later.
"""

import time
from hashlib import sha256

import msgspec

from shared.domain.evidence.order import Order, OrderState, tell_exported
from shared.domain.message import Message
from shared.errors import Unavailable
from shared.protocol.evidence.bundle import Bundle, make_bundle
from shared.protocol.evidence.orders import BUNDLES, bundle_name, read_order, revise_order
from shared.protocol.evidence.tampering import tell_tampered
from shared.services import Services

TELL_EVERY_S = 1.0
TRIES = 40  # with their pauses a few hours; then the order has failed and can be given again


async def collect(services: Services, message: Message) -> None:
    """Make the bundle of the order that the message names. Raises NotFound, Unavailable."""
    order = await read_order(services, message.body)
    if order.state in (OrderState.DONE, OrderState.FAILED):
        return
    progress = _Progress(services, order)
    try:
        made = order if await _is_left(services, order) else await _make(services, progress)
        if made.problem:
            await tell_tampered(services, made.problem)
    except Unavailable as error:
        await _wait(services, progress.order, error, last=message.attempt >= TRIES)
        if message.attempt >= TRIES:
            return
        raise
    now = services.now()
    done = msgspec.structs.replace(made, state=OrderState.DONE, ended_at=now)
    await revise_order(services, done, tell_exported(done, now))


async def _is_left(services: Services, order: Order) -> bool:
    """Whether a try that was interrupted has left the bundle that it had announced."""
    left = await services.blobs.names(BUNDLES, order.id) if order.sha256 else []
    return bundle_name(order) in left


async def _make(services: Services, progress: "_Progress") -> Order:
    """Make the bundle, announce it, and keep it, unless somebody else has ended the order."""
    bundle = await make_bundle(services, progress.order, progress.tell)
    made = progress.order = _announced(progress.order, bundle)
    if await revise_order(services, made):
        await services.blobs.create(BUNDLES, bundle_name(made), bundle.data)
    return made


class _Progress:
    """Says how far it has come, once in a while."""

    def __init__(self, services: Services, order: Order) -> None:
        self.order = order
        self._services = services
        self._told = 0.0

    async def tell(self, events: int, records: int) -> None:
        """So many events of so many records were read."""
        changes = {"events": events, "records": records, "detail": ""}
        self.order = msgspec.structs.replace(self.order, state=OrderState.COLLECTING, **changes)
        if time.monotonic() - self._told >= TELL_EVERY_S:
            self._told = time.monotonic()
            await revise_order(self._services, self.order)


async def _wait(services: Services, order: Order, error: Unavailable, *, last: bool) -> None:
    """Say for what it waits; after the last try, that it has failed."""
    state = OrderState.FAILED if last else OrderState.WAITING
    ended = services.now() if last else None
    said = msgspec.structs.replace(order, state=state, detail=str(error), ended_at=ended)
    await revise_order(services, said)


def _announced(order: Order, bundle: Bundle) -> Order:
    """What the order is going to come to; there is no bundle yet."""
    return msgspec.structs.replace(
        order,
        state=OrderState.COLLECTING,
        events=bundle.events,
        records=bundle.records,
        sha256=sha256(bundle.data).hexdigest(),
        size=len(bundle.data),
        key=bundle.key,
        verified=not bundle.problem,
        problem=bundle.problem,
        detail="",
    )
