"""Legal holds as they are stored: a row each beside the kill switches.

`responders.evidence.hold` places and lifts them. `responders.evidence.purge` reads them before
every look, and removes nothing where they cannot be read.
"""

from collections.abc import Callable

from shared.domain.ledger.hold import LegalHold, tell_hold
from shared.errors import NotFound
from shared.protocol.records import CONTROLS
from shared.protocol.setting import Setting, store_setting
from shared.services import Services

HOLD = Setting(name="legal hold", prefix="hold", kind=LegalHold, tell=tell_hold)


async def read_holds(services: Services) -> list[LegalHold]:
    """All legal holds, lifted ones among them, the newest first. Raises Unavailable."""
    rows = await services.state.scan(CONTROLS, f"{HOLD.prefix}|", LegalHold)
    return sorted((row.value for row in rows), key=lambda hold: hold.at, reverse=True)


async def read_hold(services: Services, hold_id: str) -> LegalHold:
    """The legal hold of that id. Raises NotFound, Unavailable."""
    found = next((hold for hold in await read_holds(services) if hold.id == hold_id), None)
    if found is None:
        raise NotFound(f"no legal hold {hold_id}")
    return found


async def store_hold(services: Services, hold_id: str, make: Callable[[], LegalHold]) -> LegalHold:
    """Store a hold that is placed or lifted, with its event. Raises Conflict, Unavailable."""
    return await store_setting(services, HOLD, hold_id, make)
