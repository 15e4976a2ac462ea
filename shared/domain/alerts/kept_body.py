"""How a body looks that is kept in quarantine: redacted, and still fit to take its road again.

What reads as JSON stays JSON of the same members. What does not is redacted where it lies, byte by
byte as it came but for what is secret or personal, because nobody knows yet what is wrong with it.
"""

import msgspec

from shared.domain.alerts.kept_fields import numbers_as_text
from shared.domain.alerts.payload import MAX_BODY, read_object
from shared.domain.redaction.redactor import Redactor
from shared.errors import RejectedInput

LOOKED_AT = MAX_BODY + 4_096  # bytes; a little more than is kept, so that no cut halves a secret


def redact_body(body: bytes, redactor: Redactor) -> bytes:
    """The body without what is secret or personal, at most MAX_BODY bytes."""
    try:
        document = numbers_as_text(read_object(body))
    except RejectedInput:
        text = _decoded(body[:LOOKED_AT])
        redacted = redactor.flat(text)
        kept = body if redacted == text else redacted.encode("utf-8", "surrogateescape")
        return kept[:MAX_BODY]
    clean = redactor.value(document)
    return body if clean == document else msgspec.json.encode(clean)[:MAX_BODY]


def _decoded(body: bytes) -> str:
    """Whatever it is, as text: a secret in UTF-16 is a secret."""
    wide = body[:2] in (b"\xff\xfe", b"\xfe\xff") or body.count(0) > len(body) // 4
    if wide:
        order = "utf-16-be" if body[:1] in (b"\0", b"\xfe") else "utf-16-le"
        return body.decode(order, "replace")
    return body.decode("utf-8", "surrogateescape")
