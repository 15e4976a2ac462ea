"""What the inbox has received, in memory and optionally in a file of JSON lines.

The pager's alerts follow PagerDuty: events of one routing key and dedup key belong to one alert,
a repeated trigger joins the open alert, and after a resolve the same key opens a new one.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

_KEPT = 500


class Fault(StrEnum):
    """How a part misbehaves on purpose."""

    NONE = "none"
    OUTAGE = "outage"
    THROTTLE = "throttle"


class Part(StrEnum):
    """What the inbox stands in for."""

    TEAMS = "teams"
    PAGER = "pager"
    WEBHOOK = "webhook"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted message: an Adaptive Card, a pager event or a webhook's body."""

    number: int
    part: Part
    at: datetime
    body: dict[str, Any]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert at the pager. `state` is triggered, acknowledged or resolved."""

    number: int
    dedup_key: str
    contact: str  # the end of the routing key: who is paged, without the secret
    state: str
    opened_at: datetime
    payload: dict[str, Any]
    links: tuple[dict[str, Any], ...] = ()
    history: tuple[tuple[datetime, str], ...] = ()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class InboxStore:
    """The last messages of each part, the alerts, and the faults that are set."""

    def __init__(
        self, path: Path | None = None, *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._path = path
        self._clock = clock
        self._received: dict[Part, deque[Received]] = {part: deque(maxlen=_KEPT) for part in Part}
        self._alerts: dict[int, Alert] = {}
        self._number = 0
        self.faults = dict.fromkeys(Part, Fault.NONE)
        self.changes = 0
        self._load()

    def add(self, part: Part, body: dict[str, Any]) -> None:
        """Keep an accepted message; the file has it before this returns."""
        message = Received(number=self._number + 1, part=part, at=self._clock(), body=body)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(message) + b"\n")
        self._take(message)

    def set_fault(self, part: Part, fault: Fault) -> None:
        """Make a part fail from now on, or work again."""
        self.faults[part] = fault
        self.changes += 1

    def cards(self) -> list[Received]:
        """The cards, the newest first."""
        return list(reversed(self._received[Part.TEAMS]))

    def webhooks(self) -> list[Received]:
        """What came by the plain webhook, the newest first."""
        return list(reversed(self._received[Part.WEBHOOK]))

    def alerts(self) -> list[Alert]:
        """The pager's alerts, the newest first."""
        return [self._alerts[number] for number in sorted(self._alerts, reverse=True)]

    def _load(self) -> None:
        if self._path is None or not self._path.exists():
            return
        for line in self._path.read_bytes().splitlines():
            self._take(msgspec.json.decode(line, type=Received))

    def _take(self, message: Received) -> None:
        self._number = message.number
        self.changes += 1
        self._received[message.part].append(message)
        if message.part is Part.PAGER:
            self._apply(message)

    def _apply(self, message: Received) -> None:
        action = message.body["event_action"]
        found = self._open_alert(message.body)
        if found is None and action == "trigger":
            found = _opened(message)
        if found is None:
            return  # as at PagerDuty: accepted, and without effect
        history = (*found.history, (message.at, action))
        state = _STATES[found.state, action]
        self._alerts[found.number] = msgspec.structs.replace(found, history=history, state=state)
        while len(self._alerts) > _KEPT:
            del self._alerts[min(self._alerts)]

    def _open_alert(self, body: dict[str, Any]) -> Alert | None:
        wanted = (body["dedup_key"], _contact(body))
        return next(
            (
                a
                for a in self.alerts()
                if (a.dedup_key, a.contact) == wanted and a.state != "resolved"
            ),
            None,
        )


_STATES = {
    ("triggered", "trigger"): "triggered",
    ("triggered", "acknowledge"): "acknowledged",
    ("triggered", "resolve"): "resolved",
    ("acknowledged", "trigger"): "acknowledged",
    ("acknowledged", "acknowledge"): "acknowledged",
    ("acknowledged", "resolve"): "resolved",
}


def _opened(message: Received) -> Alert:
    return Alert(
        number=message.number,
        dedup_key=message.body["dedup_key"],
        contact=_contact(message.body),
        state="triggered",
        opened_at=message.at,
        payload=message.body["payload"],
        links=tuple(message.body.get("links", ())),
    )


def _contact(body: dict[str, Any]) -> str:
    return str(body["routing_key"])[-4:]
