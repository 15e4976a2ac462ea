"""The sentences of AMQP 1.0: performatives with their fields by name.

A peer leaves fields out or sends null where it means the default, so `parse` fills the defaults in
and the rest of the emulator never asks for None where the standard has a value.
"""

from enum import IntEnum
from typing import Any, NamedTuple

from infra.local.bus.decode import decode
from infra.local.bus.encode import encode_section
from infra.local.bus.frames import FRAME_AMQP, MAX_FRAME_SIZE, write_frame
from infra.local.bus.values import AmqpArray, DecodeError, Described, UByte, UInt, UShort


class Outcome(IntEnum):
    """What became of a delivery."""

    ACCEPTED = 0x24
    REJECTED = 0x25
    RELEASED = 0x26
    MODIFIED = 0x27


class Terminus(IntEnum):
    """The two ends of a link."""

    SOURCE = 0x28
    TARGET = 0x29


ERROR = 0x1D


class SaslMechanisms(NamedTuple):
    """The ways to sign in that we offer."""

    mechanisms: AmqpArray


class SaslOutcome(NamedTuple):
    """Code 0: welcome."""

    code: UByte


class SaslInit(NamedTuple):
    """How the peer signs in; any way will do."""

    mechanism: str = ""


class Open(NamedTuple):
    """First on a connection; `idle_timeout` in milliseconds."""

    container_id: str = ""
    hostname: str | None = None
    max_frame_size: int = MAX_FRAME_SIZE
    channel_max: int = UShort(4999)
    idle_timeout: int = UInt(0)


class Begin(NamedTuple):
    """Opens a session on a channel."""

    remote_channel: int | None = None
    next_outgoing_id: int = UInt(0)
    incoming_window: int = UInt(0)
    outgoing_window: int = UInt(0)
    handle_max: int = UInt(255)


class Attach(NamedTuple):
    """Opens a link in a session; `receives` is true when the one who attaches receives."""

    name: str = ""
    handle: int = UInt(0)
    receives: bool = False
    sender_settle_mode: int = UByte(2)
    receiver_settle_mode: int = UByte(0)
    source: Described | None = None
    target: Described | None = None
    unsettled: Any = None
    incomplete_unsettled: bool = False
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: dict[Any, Any] | None = None


class Flow(NamedTuple):
    """Windows of a session and, with a handle, the credit of a link."""

    next_incoming_id: int = UInt(1)
    incoming_window: int = UInt(0)
    next_outgoing_id: int = UInt(0)
    outgoing_window: int = UInt(0)
    handle: int | None = None
    delivery_count: int = UInt(0)
    link_credit: int | None = None
    available: int = UInt(0)
    drain: bool = False
    echo: bool = False


class Transfer(NamedTuple):
    """One frame of one delivery; the first frame names it, `more` announces another."""

    handle: int = UInt(0)
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool = False
    more: bool = False


class Disposition(NamedTuple):
    """What became of the deliveries `first` to `last`."""

    from_receiver: bool = False
    first: int = UInt(0)
    last: int | None = None
    settled: bool = False
    state: Described | None = None


class Detach(NamedTuple):
    """Closes a link."""

    handle: int = UInt(0)
    closed: bool = False
    error: Described | None = None


class End(NamedTuple):
    """Closes a session."""

    error: Described | None = None


class Close(NamedTuple):
    """Closes the connection."""

    error: Described | None = None


type Performative = (
    SaslMechanisms
    | SaslInit
    | SaslOutcome
    | Open
    | Begin
    | Attach
    | Flow
    | Transfer
    | Disposition
    | Detach
    | End
    | Close
)

_KINDS: dict[int, Any] = {
    0x10: Open,
    0x11: Begin,
    0x12: Attach,
    0x13: Flow,
    0x14: Transfer,
    0x15: Disposition,
    0x16: Detach,
    0x17: End,
    0x18: Close,
    0x40: SaslMechanisms,
    0x41: SaslInit,
    0x44: SaslOutcome,
}
_CODES = {kind: code for code, kind in _KINDS.items()}


def parse(body: bytes) -> tuple[Performative, bytes]:
    """Return the performative in a frame's body, and the payload behind it."""
    described, end = decode(body)
    if not isinstance(described, Described) or not isinstance(described.value, list):
        raise DecodeError("a performative expected")
    kind = _KINDS.get(described.descriptor)
    if kind is None:
        raise DecodeError(f"unknown performative {described.descriptor!r}")
    given = zip(kind._fields, described.value, strict=False)
    return kind(**{name: value for name, value in given if value is not None}), body[end:]


def write(
    channel: int, performative: Performative, payload: bytes = b"", *, kind: int = FRAME_AMQP
) -> bytes:
    """Return the frame that carries `performative` and `payload`."""
    body = encode_section(_CODES[type(performative)], *performative)
    return write_frame(channel, body + payload, kind=kind)
