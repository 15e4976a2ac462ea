"""Echo: what the ledger took is told to the workspace, where the workbook draws it.

Beside the way of an event, never on it: the ledger waits for nobody's telemetry. What is not taken
is said in the log and missing in a chart.
"""

import logging
from collections.abc import Sequence

from shared.domain.event import ChangeEvent
from shared.domain.views.change_row import change_row
from shared.errors import Misconfigured, Unavailable
from shared.services import Services

log = logging.getLogger("backstop.echo")
MOST = 4  # sends at once; a workspace that is slow loses the rest


def echo(services: Services, events: Sequence[ChangeEvent]) -> None:
    """Tell of events in the background; returns at once."""
    try:
        told = services.app_events
    except Misconfigured as error:
        log.warning("no echo: %s", error)
        return
    if told is None or not events:
        return
    if not services.errands.start("echo", lambda: _send(services, events), most=MOST):
        log.warning("no echo of %s events: the workspace is slow", len(events))


async def _send(services: Services, events: Sequence[ChangeEvent]) -> None:
    try:
        if services.app_events is not None:
            await services.app_events.send([change_row(event) for event in events])
    except Unavailable as error:
        log.warning("no echo of %s events: %s", len(events), error)
