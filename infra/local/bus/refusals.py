"""What the broker says no to, in the words of Service Bus.

The client library turns the condition of an error into its exception type, so the conditions are
the contract; the descriptions are for people.
"""


class Refusal(Exception):
    """The broker refuses; `status` is what a management request is answered with."""

    def __init__(self, condition: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.condition = condition
        self.description = description
        self.status = status


def lock_lost() -> Refusal:
    """The lock that was named is nobody's any more."""
    return Refusal(
        "com.microsoft:message-lock-lost",
        "The lock supplied is invalid. It expired, or the message was already removed.",
        410,
    )


def entity_not_found(path: str) -> Refusal:
    """The topology has no such topic or subscription."""
    return Refusal("amqp:not-found", f"The messaging entity '{path}' could not be found.", 404)


def message_not_found(sequence_number: int) -> Refusal:
    """No message waits under that number."""
    return Refusal(
        "com.microsoft:message-not-found",
        f"The message with sequence number {sequence_number} does not exist.",
        404,
    )


def too_large(size: int, limit: int) -> Refusal:
    """More bytes than one message may have."""
    return Refusal(
        "amqp:link:message-size-exceeded",
        f"The received message has {size} bytes, the limit is {limit}.",
        413,
    )


def server_busy() -> Refusal:
    """The namespace throttles."""
    return Refusal(
        "com.microsoft:server-busy",
        "The request was terminated because the entity is being throttled.",
        503,
    )


def not_allowed(description: str) -> Refusal:
    """The request makes no sense for this entity."""
    return Refusal("amqp:not-allowed", description)


def not_emulated(operation: str) -> Refusal:
    """The real service may know this, the emulator does not."""
    return Refusal("amqp:not-implemented", f"{operation} is not emulated", 501)
