"""Configure: tell of what a deployment changed in modes, policies and settings. Executor only.

The first tick of a process compares what it came with to what is kept of the last one. The reviewed
files and the pipeline that deploys them know who changed them; the ledger knows since when they
hold here, and what held before.
"""

import logging
from collections.abc import Mapping, Sequence
from itertools import batched

from shared.domain.configuration import Configuration, changed, configurations, tell_configured
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, Unavailable
from shared.protocol.commit import commit
from shared.protocol.leftovers import Leftovers
from shared.protocol.records import CONTROLS
from shared.services import Services

PREFIX = "configuration|"
AT_ONCE = 25  # services: a row, an event and its message each, in one transaction

log = logging.getLogger("backstop.configure")

type Change = tuple[Configuration | None, Configuration]


async def configure(services: Services, _: Leftovers) -> None:
    """Tell of every change once. A part that is out: the next tick goes on."""
    if services.memory.configured:
        return
    try:
        rows = await services.state.scan(CONTROLS, PREFIX, Configuration)
        was = {row.value.name: row for row in rows}
        kept = {name: row.value for name, row in was.items()}
        for some in batched(changed(kept, _now(services)), AT_ONCE, strict=False):
            await _tell(services, some, was)
    except (Unavailable, Conflict) as error:
        log.warning("what is configured is told later: %s", error)
        return
    services.memory.configured = True


def _now(services: Services) -> list[Configuration]:
    """What this process came with, as it is stored: nothing secret or personal is in it."""
    every = configurations(services.catalog, services.settings.retention_days)
    return [services.redactor.struct(one) for one in every]


async def _tell(
    services: Services, changes: Sequence[Change], rows: Mapping[str, Stored[Configuration]]
) -> None:
    at = services.now()
    etags = {name: row.etag for name, row in rows.items()}
    puts = [
        Put(row=f"{PREFIX}{now.name}", value=now, etag=etags.get(now.name, MUST_NOT_EXIST))
        for _, now in changes
    ]
    by = services.settings.deployed_by
    events = [tell_configured(was, now, at, by) for was, now in changes]
    await commit(services, CONTROLS, puts, events=events)
