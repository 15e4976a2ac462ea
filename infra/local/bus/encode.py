"""Values to AMQP 1.0 bytes: the inverse of `decode`."""

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from infra.local.bus.values import (
    AmqpArray,
    Byte,
    Char,
    Described,
    Float,
    Int,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

_LAYOUTS: dict[type, tuple[int, struct.Struct]] = {
    kind: (code, struct.Struct(layout))
    for kind, code, layout in (
        (UByte, 0x50, ">B"),
        (Byte, 0x51, ">b"),
        (UShort, 0x60, ">H"),
        (Short, 0x61, ">h"),
        (UInt, 0x70, ">I"),
        (Int, 0x71, ">i"),
        (Float, 0x72, ">f"),
        (Char, 0x73, ">I"),
        (ULong, 0x80, ">Q"),
        (Long, 0x81, ">q"),
        (int, 0x81, ">q"),
        (float, 0x82, ">d"),
        (Timestamp, 0x83, ">q"),
    )
}
_SMALL_AND_ZERO = {UInt: (0x52, b"\x43"), ULong: (0x53, b"\x44")}
_BINARY_8, _STRING_8, _SYMBOL_8 = 0xA0, 0xA1, 0xA3
_LIST_8, _MAP_8 = 0xC0, 0xC1
_WIDE = 0x10  # added to a constructor whose size takes four bytes instead of one
_UUID = b"\x98"
_EMPTY_ARRAY = b"\xe0\x02\x00\x40"


def encode(value: Any) -> bytes:
    """Return the shortest usual encoding of `value`; a plain int travels as a long.

    Raises TypeError for a type that AMQP has no place for.
    """
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"AMQP cannot carry a {type(value).__name__}")
    return writer(value)


def encode_section(code: int, *fields: Any) -> bytes:
    """Return a described list: a performative, or a section of a message."""
    present = len(fields)
    while present and fields[present - 1] is None:
        present -= 1
    return encode(Described(ULong(code), list(fields[:present])))


def _constant(value: bool | None) -> bytes:
    if value is None:
        return b"\x40"
    return b"\x41" if value else b"\x42"


def _number(value: Any) -> bytes:
    code, layout = _LAYOUTS[type(value)]
    return bytes((code,)) + layout.pack(value)


def _unsigned(value: UInt | ULong) -> bytes:
    small, zero = _SMALL_AND_ZERO[type(value)]
    if value == 0:
        return zero
    return bytes((small, value)) if value < 256 else _number(value)


def _variable(code: int, raw: bytes) -> bytes:
    if len(raw) < 256:
        return bytes((code, len(raw))) + raw
    return struct.pack(">BI", code + _WIDE, len(raw)) + raw


def _binary(value: bytes | bytearray | memoryview) -> bytes:
    return _variable(_BINARY_8, bytes(value))


def _compound(code: int, count: int, raw: bytes) -> bytes:
    if len(raw) < 255 and count < 256:
        return bytes((code, len(raw) + 1, count)) + raw
    return struct.pack(">BII", code + _WIDE, len(raw) + 4, count) + raw


def _list(items: list[Any] | tuple[Any, ...]) -> bytes:
    if not items:
        return b"\x45"
    return _compound(_LIST_8, len(items), b"".join(map(encode, items)))


def _map(items: dict[Any, Any]) -> bytes:
    pairs = b"".join(encode(key) + encode(value) for key, value in items.items())
    return _compound(_MAP_8, 2 * len(items), pairs)


def _described(value: Described) -> bytes:
    descriptor = value.descriptor
    numeric = isinstance(descriptor, int)
    return b"\x00" + encode(ULong(descriptor) if numeric else descriptor) + encode(value.value)


def _array(items: AmqpArray) -> bytes:
    if not items:
        return _EMPTY_ARRAY
    constructor, raw = _array_elements(items)
    size = len(raw) + len(constructor) + 4
    return struct.pack(">BII", 0xF0, size, len(items)) + constructor + raw


def _array_elements(items: AmqpArray) -> tuple[bytes, bytes]:
    """Return the constructor that all elements share, and the elements without it."""
    kind = type(items[0])
    if kind is UUID:
        return _UUID, b"".join(item.bytes for item in items)
    if kind in _TEXTS:
        code, to_bytes = _TEXTS[kind]
        texts = [to_bytes(item) for item in items]
        return bytes((code,)), b"".join(struct.pack(">I", len(text)) + text for text in texts)
    code, layout = _LAYOUTS[kind]
    return bytes((code,)), b"".join(layout.pack(item) for item in items)


_TEXTS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    bytes: (_BINARY_8 + _WIDE, bytes),
    str: (_STRING_8 + _WIDE, str.encode),
    Symbol: (_SYMBOL_8 + _WIDE, str.encode),
}
_WRITERS: dict[type, Callable[[Any], bytes]] = {
    **dict.fromkeys(_LAYOUTS, _number),
    UInt: _unsigned,
    ULong: _unsigned,
    type(None): _constant,
    bool: _constant,
    str: lambda text: _variable(_STRING_8, text.encode()),
    Symbol: lambda name: _variable(_SYMBOL_8, name.encode("ascii")),
    bytes: _binary,
    bytearray: _binary,
    memoryview: _binary,
    list: _list,
    tuple: _list,
    dict: _map,
    Described: _described,
    AmqpArray: _array,
    UUID: lambda value: _UUID + value.bytes,
}
