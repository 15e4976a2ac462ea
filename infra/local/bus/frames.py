"""Frames: how AMQP 1.0 cuts a connection's bytes into sentences.

A connection starts with a protocol header of eight bytes a side, once for SASL and once for AMQP;
all that follows is frames.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from infra.local.bus.values import DecodeError

PROTOCOL_SASL = b"AMQP\x03\x01\x00\x00"
PROTOCOL_AMQP = b"AMQP\x00\x01\x00\x00"
FRAME_AMQP, FRAME_SASL = 0, 1
MAX_FRAME_SIZE = 65536
_HEADER = struct.Struct(">IBBH")


class Frame(NamedTuple):
    """One frame as it came in; an empty body is a heartbeat."""

    kind: int
    channel: int
    body: bytes


def write_frame(channel: int, body: bytes, *, kind: int = FRAME_AMQP) -> bytes:
    """Return a frame around `body`; without a body it is a heartbeat."""
    return _HEADER.pack(_HEADER.size + len(body), 2, kind, channel) + body


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Take the whole frames out of `buffer`, one by one; the rest of the bytes stays in it.

    Raises DecodeError for a size that no peer may send.
    """
    while len(buffer) >= _HEADER.size:
        size, offset, kind, channel = _HEADER.unpack_from(buffer)
        if size < _HEADER.size or size > 2 * MAX_FRAME_SIZE:
            raise DecodeError(f"a frame of {size} bytes")
        if len(buffer) < size:
            return
        body = bytes(buffer[offset * 4 : size])
        del buffer[:size]
        yield Frame(kind, channel, body)
