"""Tampering: whoever finds that the ledger was touched wakes a person, once a chain.

Executor only: the sealer finds it before it signs, and whoever collects evidence when it verifies.
"""

import contextlib
import logging

from shared.domain.keys import digest
from shared.domain.ledger.tampering import Tampered, open_tampered
from shared.errors import Conflict
from shared.protocol.commit import commit
from shared.protocol.waking import SHARD, wake
from shared.services import Services

log = logging.getLogger("backstop.tampering")


async def tell_tampered(services: Services, bad: str) -> None:
    """Open the incident of a touched record, or leave it to the one that is open.

    Raises Unavailable: whoever found it finds it again.
    """
    found, now = Tampered(bad=bad), services.now()
    log.error("the ledger was touched: %s", bad)
    row = f"tampered|{digest(found.chain)}"
    waking = await wake(services, row, now, lambda: open_tampered(found, SHARD, now))
    if waking.events:
        with contextlib.suppress(Conflict):  # another worker has just told of it
            await commit(services, SHARD, waking.writes, events=waking.events)
