"""Log lines: every record of this process goes through the redactor before any handler sees it.

A filter of a logger does not see what its children log, so the record itself is made clean where it
is made: the line, and the text of an exception, whoever logs it, an SDK too.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.errors import BackstopError

if TYPE_CHECKING:
    from shared.domain.redaction.redactor import Redactor

type Find = Callable[[], Redactor]

_MADE_CLEAN = "redacts_log_lines"


def redact_log_lines(find: Find) -> None:
    """Redact all records from now on. `find` is asked at each; where it fails, without a key."""
    make = logging.getLogRecordFactory()
    if hasattr(make, _MADE_CLEAN):
        make = getattr(make, _MADE_CLEAN)

    def make_clean(*given: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - passed on
        return clean(make(*given, **named), _found(find))

    setattr(make_clean, _MADE_CLEAN, make)
    logging.setLogRecordFactory(make_clean)


def clean(record: logging.LogRecord, redactor: Redactor) -> logging.LogRecord:
    """The record with its line, and its exception's text, redacted."""
    try:
        line = record.getMessage()
    except (TypeError, ValueError, KeyError):  # whoever handles it reports a wrong format
        return record
    redacted = redactor.text(line)
    if redacted != line:
        record.msg, record.args = redacted, ()
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = redactor.text("".join(traceback.format_exception(*record.exc_info)))
    return record


def _found(find: Find) -> Redactor:
    from shared.domain.redaction.redactor import BARE  # noqa: PLC0415 - no cold start pays for it

    try:
        return find()
    except BackstopError:  # a setting is missing: that is what the line is about
        return BARE
