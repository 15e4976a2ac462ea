"""Orders for evidence as they are stored, and where the bundles lie. Both apps meet here."""

from shared.domain.event import ITSELF
from shared.domain.evidence.order import PREFIX, Order, row_of
from shared.domain.keys import shard_of
from shared.domain.row import Put
from shared.errors import NotFound
from shared.services import Services

BUNDLES = "evidence"  # the container
SHARD = shard_of(ITSELF)


async def newest_orders(services: Services, limit: int = 20) -> list[Order]:
    """The newest orders first."""
    rows = await services.state.scan(SHARD, PREFIX, Order, limit=limit)
    return [row.value for row in rows]


async def read_order(services: Services, order_id: str) -> Order:
    """The order of that id. Raises NotFound."""
    row = row_of(order_id)
    found = await services.state.read(SHARD, row, Order) if row else None
    if found is None:
        raise NotFound(f"no evidence {order_id}")
    return found.value


async def store_order(services: Services, order: Order) -> None:
    """Keep how far an order has come."""
    await services.state.write(SHARD, [Put(row=order.row, value=order)])


def bundle_name(order: Order) -> str:
    """The blob of an order's bundle."""
    return f"{order.id}.zip"
