"""Service Bus messages as the data that a function is invoked with.

Azure's extension sends a message's properties beside its body: text as text, all else as JSON, and
for a batch each property as one array.
"""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from azure.servicebus import ServiceBusReceivedMessage

from infra.local.host import protos
from infra.local.host.triggers import TopicTrigger
from infra.local.host.worker import Call

type Messages = Sequence[ServiceBusReceivedMessage]


def call_with(trigger: TopicTrigger, messages: Messages) -> Call:
    """Make the invocation of a trigger's function with one message, or with a batch."""
    bodies = [body_of(message) for message in messages]
    rows = [properties_of(message) for message in messages]
    if trigger.batch:
        data = _batch(bodies)
        metadata = {f"{name}Array": _encoded([row[name] for row in rows]) for name in rows[0]}
    else:
        data = _single(bodies[0])
        metadata = {name: _encoded(value) for name, value in rows[0].items()}
    return Call(
        function=trigger.function,
        parameter=trigger.parameter,
        data=data,
        metadata=metadata,
        traceparent=_traceparent(rows[0]["ApplicationProperties"]),
    )


def body_of(message: ServiceBusReceivedMessage) -> bytes:
    """Join the data sections of a message."""
    return b"".join(message.body)


def properties_of(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    """Name a message's properties as the trigger metadata of Azure's extension does."""
    own = {
        _text(name): _text(value) for name, value in (message.application_properties or {}).items()
    }
    return {
        "MessageId": message.message_id or "",
        "Subject": message.subject or "",
        "Label": message.subject or "",
        "CorrelationId": message.correlation_id or "",
        "ContentType": message.content_type or "",
        "DeliveryCount": (message.delivery_count or 0) + 1,  # AMQP counts the failed ones
        "SequenceNumber": message.sequence_number,
        "EnqueuedTimeUtc": _instant(message.enqueued_time_utc),
        "LockedUntil": _instant(message.locked_until_utc),
        "LockToken": str(message.lock_token),
        "ApplicationProperties": own,
        "UserProperties": own,
    }


def _single(body: bytes) -> protos.TypedData:
    try:
        return protos.TypedData(string=body.decode())
    except UnicodeDecodeError:
        return protos.TypedData(bytes=body)


def _batch(bodies: list[bytes]) -> protos.TypedData:
    try:
        texts = protos.CollectionString(string=[body.decode() for body in bodies])
    except UnicodeDecodeError:
        return protos.TypedData(collection_bytes=protos.CollectionBytes(bytes=bodies))
    return protos.TypedData(collection_string=texts)


def _encoded(value: Any) -> protos.TypedData:
    if isinstance(value, str):
        return protos.TypedData(string=value)
    return protos.TypedData(json=json.dumps(value, default=str))


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _instant(time: dt.datetime | None) -> str | None:
    return time.astimezone(dt.UTC).isoformat() if time else None


def _traceparent(properties: dict[str, Any]) -> str:
    """Find the trace that the sender was in, under the SDK's name for it or W3C's."""
    return str(properties.get("Diagnostic-Id") or properties.get("traceparent") or "")
