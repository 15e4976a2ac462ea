"""Orders for evidence as they are stored, and where the bundles lie. Both apps meet here."""

from contextlib import suppress

from shared.domain.event import ITSELF, ChangeEvent
from shared.domain.evidence.order import PREFIX, Order, row_of, tell_ordered
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, NotFound, Unavailable
from shared.protocol.commit import command, commit
from shared.services import Services

BUNDLES = "evidence"  # the container
SHARD = shard_of(ITSELF)
ATTEMPTS = 8


async def newest_orders(services: Services, limit: int = 20) -> list[Order]:
    """The newest orders first."""
    rows = await services.state.scan(SHARD, PREFIX, Order, limit=limit)
    return [row.value for row in rows]


async def place_order(services: Services, order: Order) -> None:
    """Keep a new order, tell of it, and have it collected. Raises Unavailable."""
    put = Put(row=order.row, value=order, etag=MUST_NOT_EXIST)
    with suppress(Conflict):  # nobody else gives this id: it is stored, and the answer was lost
        collect = command("collect", order.id)
        await commit(services, SHARD, [put], events=[tell_ordered(order)], commands=[collect])


async def read_order(services: Services, order_id: str) -> Order:
    """The order of that id. Raises NotFound."""
    return (await _read(services, order_id)).value


async def _read(services: Services, order_id: str) -> Stored[Order]:
    row = row_of(order_id)
    found = await services.state.read(SHARD, row, Order) if row else None
    if found is None:
        raise NotFound(f"no evidence {order_id}")
    return found


async def revise_order(services: Services, order: Order, *events: ChangeEvent) -> bool:
    """Keep how far an order has come, and tell of it; False where it has ended already.

    So of two that collect at once the first to end counts, and who gives up late takes nothing
    back. Raises NotFound, Unavailable.
    """
    for _ in range(ATTEMPTS):
        was = await _read(services, order.id)
        if was.value.ended_at is not None:
            return False
        put = Put(row=order.row, value=order, etag=was.etag)
        try:
            await commit(services, SHARD, [put], events=events)
        except Conflict:
            continue
        return True
    raise Unavailable("tables", f"the order {order.id} kept changing")


def bundle_name(order: Order) -> str:
    """The blob of the bundle that an order came to, by its digest: none is ever overwritten."""
    return f"{order.id}-{order.sha256}.zip"
