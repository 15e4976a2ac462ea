"""What a sender put into a message.

The broker reads only what it must (header, annotations, properties) and keeps the application's
own sections as the bytes they came in, so that a receiver gets exactly what was sent.
"""

from enum import IntEnum
from typing import Any

from infra.local.bus.decode import decode, skip
from infra.local.bus.encode import encode, encode_section
from infra.local.bus.values import DecodeError, Described, Symbol, UInt, ULong

SCHEDULED_ENQUEUE_TIME = Symbol("x-opt-scheduled-enqueue-time")
_HEADER_FIELDS = 5
_TTL_FIELD, _DELIVERY_COUNT_FIELD = 2, 4


class Section(IntEnum):
    """The sections of a message, in the order they must come in."""

    HEADER = 0x70
    DELIVERY_ANNOTATIONS = 0x71
    MESSAGE_ANNOTATIONS = 0x72
    PROPERTIES = 0x73
    APPLICATION_PROPERTIES = 0x74
    DATA = 0x75
    SEQUENCE = 0x76
    VALUE = 0x77


class Property(IntEnum):
    """Positions of the fields that filters and brokers read."""

    MESSAGE_ID = 0
    TO = 2
    SUBJECT = 3
    REPLY_TO = 4
    CORRELATION_ID = 5
    CONTENT_TYPE = 6


class Content:
    """A message as its sender wrote it. Raises DecodeError when it is none.

    `header` holds durable, priority, time to live and so on by position, `properties` the fields
    of Property; both are short when the sender left the last ones out. `annotations` are for the
    broker, `application` is the sender's own.
    """

    def __init__(self, raw: bytes) -> None:
        self._sections: dict[int, bytes] = {}
        at = 0
        while at < len(raw):
            code, end = _section_code(raw, at), skip(raw, at)
            if code >= Section.DATA:
                break
            self._sections[code] = raw[at:end]
            at = end
        self._body = raw[at:]
        self.header: list[Any] = self._section(Section.HEADER, list)
        self.annotations: dict[Any, Any] = self._section(Section.MESSAGE_ANNOTATIONS, dict)
        self.properties: list[Any] = self._section(Section.PROPERTIES, list)
        self.application: dict[Any, Any] = self._section(Section.APPLICATION_PROPERTIES, dict)

    def _section[T](self, code: Section, kind: type[T]) -> T:
        raw = self._sections.get(code)
        value = decode(raw)[0].value if raw else None
        if value is None:
            return kind()
        if not isinstance(value, kind):
            raise DecodeError(f"section {code.name} is a {type(value).__name__}")
        return value

    def standard(self, field: Property) -> Any:
        """Return a standard property, or None when the sender left it out."""
        return self.properties[field] if field < len(self.properties) else None

    @property
    def time_to_live_s(self) -> float | None:
        """How long the sender wants the message to live, in seconds."""
        if len(self.header) <= _TTL_FIELD or self.header[_TTL_FIELD] is None:
            return None
        return float(self.header[_TTL_FIELD]) / 1000

    @property
    def due(self) -> float | None:
        """When the sender wants the message enqueued, in seconds since the epoch."""
        milliseconds = self.annotations.get(SCHEDULED_ENQUEUE_TIME)
        return None if milliseconds is None else float(milliseconds) / 1000

    def data_sections(self) -> list[bytes]:
        """Return the data sections of the body: in a batch each is a message."""
        found, at = [], 0
        while at < len(self._body):
            section, at = decode(self._body, at)
            if isinstance(section, Described) and section.descriptor == Section.DATA:
                found.append(section.value)
        return found

    def value(self) -> Any:
        """Return the value that is the body of a management request, or None."""
        if not self._body:
            return None
        section, _ = decode(self._body)
        return section.value

    def encode(
        self, *, delivery_count: int, annotations: dict[Any, Any], added: dict[str, Any]
    ) -> bytes:
        """Return the message for a receiver, with what the broker has to add to it."""
        header = self.header + [None] * (_HEADER_FIELDS - len(self.header))
        header[_DELIVERY_COUNT_FIELD] = UInt(delivery_count)
        return b"".join(
            (
                encode_section(Section.HEADER, *header),
                _map_section(Section.MESSAGE_ANNOTATIONS, {**self.annotations, **annotations}),
                self._sections.get(Section.PROPERTIES, b""),
                self._application_section(added),
                self._body,
            )
        )

    def _application_section(self, added: dict[str, Any]) -> bytes:
        if added:
            return _map_section(Section.APPLICATION_PROPERTIES, {**self.application, **added})
        return self._sections.get(Section.APPLICATION_PROPERTIES, b"")


def _section_code(raw: bytes, at: int) -> int:
    """Return the descriptor of the section at `at`, without building the section."""
    if raw[at] != 0:
        raise DecodeError("a section of a message expected")
    code, _ = decode(raw, at + 1)
    if not isinstance(code, int):
        raise DecodeError(f"unknown section {code!r}")
    return code


def _map_section(code: Section, items: dict[Any, Any]) -> bytes:
    return encode(Described(ULong(code), items))
