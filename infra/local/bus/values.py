"""The types of AMQP 1.0 that Python has no word for.

The wire tells an unsigned 32 bit number from a timestamp or a symbol from a string, and the client
libraries insist on the difference. `decode` yields these types and `encode` reads them.
"""

from dataclasses import dataclass
from typing import Any


class DecodeError(ValueError):
    """The bytes are no AMQP 1.0."""


class Symbol(str):
    """A name from a constrained domain, ASCII."""

    __slots__ = ()


class UByte(int):
    """8 bits, unsigned."""


class UShort(int):
    """16 bits, unsigned."""


class UInt(int):
    """32 bits, unsigned."""


class ULong(int):
    """64 bits, unsigned."""


class Byte(int):
    """8 bits, signed."""


class Short(int):
    """16 bits, signed."""


class Int(int):
    """32 bits, signed."""


class Long(int):
    """64 bits, signed."""


class Char(int):
    """One Unicode code point."""


class Timestamp(int):
    """Milliseconds since 1970-01-01T00:00:00Z."""


class Float(float):
    """32 bits, IEEE 754."""


class AmqpArray(list[Any]):
    """A list whose elements all have the type of the first."""


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor in front of it: performatives, message sections, outcomes."""

    descriptor: Any
    value: Any
