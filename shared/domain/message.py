"""What travels on the bus: a few words that say what to do or what happened, and where to look.

The body is a key or one small event, never a payload that somebody else must trust.
"""

from datetime import datetime

import msgspec

WORK = "work"  # the topic of commands
CHANGES = "changes"  # the topic of facts
SUBSCRIPTIONS = (
    (WORK, "responder"),
    (WORK, "executor"),
    (CHANGES, "notify"),
    (CHANGES, "record"),
)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message: `subject` says what it is for, and filters read it.

    `attempt` counts from 1 and grows with every scheduled copy; `due` (aware, UTC) is when the
    bus hands the message out, None means at once. `only_for` names the one subscription that is
    meant, of all that the topic hands it to; empty means all.
    """

    subject: str
    body: str
    message_id: str
    attempt: int = 1
    due: datetime | None = None
    only_for: str = ""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that nobody could take: the bus keeps it until somebody looks."""

    message: Message
    reason: str
    detail: str
    deliveries: int
    enqueued: datetime
