"""Messages: what travels on the bus. A key or an event in a body, never a customer's payload."""

from datetime import datetime

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `subject` says what to do or what happened; subscriptions filter by it.

    `attempt` counts tries from 1 and travels as an application property; `due` schedules delivery.
    """

    subject: str
    body: str
    message_id: str
    attempt: int = 1
    due: datetime | None = None
