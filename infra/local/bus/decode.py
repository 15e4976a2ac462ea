"""AMQP 1.0 bytes to values.

`decode` builds a value, `skip` only finds its end, so that what an application sent can be cut out
of a message and passed on untouched.
"""

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from infra.local.bus.values import (
    AmqpArray,
    Byte,
    Char,
    DecodeError,
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

type Buffer = bytes | bytearray | memoryview

_SIZE_32 = struct.Struct(">I")
_DESCRIBED = 0x00
_EMPTY_LIST = 0x45
_UUID = 0x98
_CONSTANTS = {0x40: None, 0x41: True, 0x42: False, 0x43: UInt(0), 0x44: ULong(0)}
_NUMBERS: dict[int, tuple[struct.Struct, Callable[[Any], Any]]] = {
    code: (struct.Struct(layout), build)
    for code, layout, build in (
        (0x50, ">B", UByte),
        (0x51, ">b", Byte),
        (0x52, ">B", UInt),
        (0x53, ">B", ULong),
        (0x54, ">b", Int),
        (0x55, ">b", Long),
        (0x56, ">B", bool),
        (0x60, ">H", UShort),
        (0x61, ">h", Short),
        (0x70, ">I", UInt),
        (0x71, ">i", Int),
        (0x72, ">f", Float),
        (0x73, ">I", Char),
        (0x80, ">Q", ULong),
        (0x81, ">q", Long),
        (0x82, ">d", float),
        (0x83, ">q", Timestamp),
    )
}
_FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


def decode(buffer: Buffer, at: int = 0) -> tuple[Any, int]:
    """Return the value that starts at `at`, and where it ends.

    Raises DecodeError for anything that is not one whole AMQP value.
    """
    try:
        return _value(buffer, at)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError, RecursionError) as error:
        raise DecodeError(f"not an AMQP value at {at}: {error!r}") from error


def skip(buffer: Buffer, at: int) -> int:
    """Return where the value that starts at `at` ends, without building it."""
    try:
        return _end_of(buffer, at)
    except (IndexError, struct.error, RecursionError) as error:
        raise DecodeError(f"not an AMQP value at {at}: {error!r}") from error


def _end_of(buffer: Buffer, at: int) -> int:
    code = buffer[at]
    at += 1
    if code == _DESCRIBED:
        return _end_of(buffer, _end_of(buffer, at))
    family = code >> 4
    if family in _FIXED_WIDTHS:
        return at + _FIXED_WIDTHS[family]
    size, at = _size(code, buffer, at)
    return at + size


def _value(buffer: Buffer, at: int) -> tuple[Any, int]:
    code = buffer[at]
    at += 1
    if code == _DESCRIBED:
        descriptor, at = _value(buffer, at)
        value, at = _value(buffer, at)
        return Described(descriptor, value), at
    return _body(code, buffer, at)


def _body(code: int, buffer: Buffer, at: int) -> tuple[Any, int]:
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code == _EMPTY_LIST:
        return [], at
    if code in _NUMBERS:
        layout, build = _NUMBERS[code]
        return build(layout.unpack_from(buffer, at)[0]), at + layout.size
    if code == _UUID:
        return UUID(bytes=_take(buffer, at, 16)), at + 16
    read = _FAMILIES.get(code >> 4)
    if read is None:
        raise DecodeError(f"unknown constructor {code:#04x}")
    return read(code, buffer, at)


def _take(buffer: Buffer, at: int, size: int) -> bytes:
    raw = bytes(buffer[at : at + size])
    if len(raw) != size:
        raise DecodeError(f"{size} bytes expected, {len(raw)} left")
    return raw


def _size(code: int, buffer: Buffer, at: int) -> tuple[int, int]:
    """Read a size of one byte (families A, C, E) or of four (B, D, F)."""
    if (code >> 4) % 2 == 0:
        return buffer[at], at + 1
    return _SIZE_32.unpack_from(buffer, at)[0], at + 4


def _variable(code: int, buffer: Buffer, at: int) -> tuple[Any, int]:
    size, at = _size(code, buffer, at)
    raw = _take(buffer, at, size)
    kinds: dict[int, Callable[[bytes], Any]] = {
        0x0: bytes,
        0x1: bytes.decode,
        0x3: lambda ascii_bytes: Symbol(ascii_bytes.decode("ascii")),
    }
    return kinds[code & 0xF](raw) if code & 0xF in kinds else raw, at + size


def _counted(code: int, buffer: Buffer, at: int) -> tuple[int, int, int]:
    """Return the number of elements, where the first starts and where the whole ends."""
    size, at = _size(code, buffer, at)
    end = at + size
    count, at = _size(code, buffer, at)
    if end > len(buffer) or count > size:
        raise DecodeError(f"{count} elements do not fit in {len(buffer) - at} bytes")
    return count, at, end


def _compound(code: int, buffer: Buffer, at: int) -> tuple[Any, int]:
    count, at, end = _counted(code, buffer, at)
    items = []
    for _ in range(count):
        item, at = _value(buffer, at)
        items.append(item)
    if code & 0xF == 0:
        return items, end
    return dict(zip(items[::2], items[1::2], strict=False)), end


def _array(code: int, buffer: Buffer, at: int) -> tuple[Any, int]:
    count, at, end = _counted(code, buffer, at)
    items = AmqpArray()
    if count == 0:
        return items, end
    element_code = buffer[at]
    at += 1
    descriptor = None
    if element_code == _DESCRIBED:
        descriptor, at = _value(buffer, at)
        element_code = buffer[at]
        at += 1
    for _ in range(count):
        item, at = _body(element_code, buffer, at)
        items.append(item if descriptor is None else Described(descriptor, item))
    return items, end


_FAMILIES: dict[int, Callable[[int, Buffer, int], tuple[Any, int]]] = {
    0xA: _variable,
    0xB: _variable,
    0xC: _compound,
    0xD: _compound,
    0xE: _array,
    0xF: _array,
}
