"""A change event as the workspace is told of it: what the workbook draws beside the error rate.

The ledger is the record; this is its echo for charts. It names no reasons and no evidence: whoever
may read the workspace need not be somebody who may read the ledger.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.app_event import AppEvent
from shared.domain.event import ChangeEvent

EVENT = "backstop.change"


def change_row(event: ChangeEvent) -> AppEvent:
    """The custom event of a change, at the time at which it happened."""
    return AppEvent(
        name=EVENT,
        role=event.service,
        at=event.happened_at,
        properties={
            "backstop.event": event.id,
            "backstop.kind": event.kind.value,
            "backstop.incident": event.incident,
            "backstop.sequence": str(event.sequence),
            "backstop.state": _text(event.after, "state"),
            "backstop.severity": _text(event.after, "severity"),
            "backstop.what": event.what,
            "backstop.actor": event.actor,
        },
    )


def _text(after: Mapping[str, Any], name: str) -> str:
    """A member of an event's after, where it is text."""
    found = after.get(name)
    return found if isinstance(found, str) else ""
