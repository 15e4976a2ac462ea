"""Legal holds: what may not be purged, however old it is, by a person's order.

A row a scope beside the kill switches. `purge` reads them before every look, and removes nothing
where they cannot be read.
"""

from shared.domain.ledger.retention import LegalHold, tell_hold
from shared.domain.row import MUST_NOT_EXIST, Put
from shared.protocol.commit import commit
from shared.protocol.records import CONTROLS
from shared.services import Services

PREFIX = "hold|"


async def read_holds(services: Services) -> list[LegalHold]:
    """All legal holds, lifted ones among them. Raises Unavailable."""
    rows = await services.state.scan(CONTROLS, PREFIX, LegalHold)
    return [row.value for row in rows]


async def place_hold(services: Services, hold: LegalHold) -> None:
    """Place a legal hold, or lift it (`on` is False), with its event.

    Raises Conflict where somebody else turned it at the same moment, and Unavailable.
    """
    row = f"{PREFIX}{hold.scope}"
    was = await services.state.read(CONTROLS, row, LegalHold)
    put = Put(row=row, value=hold, etag=was.etag if was else MUST_NOT_EXIST)
    event = tell_hold(was.value if was else None, hold)
    await commit(services, CONTROLS, [put], events=[event])
