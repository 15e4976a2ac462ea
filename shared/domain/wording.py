"""Words for people: times, shares, durations, and text that is safe to show in Teams.

Used by the cards and pages, the last step of the flow. What comes from alerts, telemetry and people
is untrusted here: it may hold markdown, hashes, queries, stack traces or control characters. First
`plain` takes out what nobody should read, then `clip` shortens, then `escape` makes it literal.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_SHORTEST = 16  # characters of a hash or an ARM id that nobody should read
_LONGEST = 8_000  # characters of one text that are looked at; what people read is far shorter
_HASH = re.compile(r"\b(?:sha\d+:)?[0-9a-fA-F]{16,}\b")
_ARM_ID = re.compile(r"/subscriptions/[^\s,;]+", re.IGNORECASE)
_TRACE = re.compile(
    r"Traceback \(most recent call last\).*|\sFile \"[^\"]+\", line \d+.*|\sat [\w.$]+\.[\w$]+\(.*"
)
_KQL = re.compile(
    r"(?:\b\w+ )?\| ?(?:where|summarize|extend|project|join|union|make-series|order|sort|top"
    r"|take|render|mv-expand|evaluate|parse|count|distinct)\b.*"
)
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+"
)
_MARKDOWN = re.compile(r"([\\`*_\[\]~])")
_LINE_START = re.compile(r"^(\s*)([-+#>]|\d+[.)])")
_MACRO = re.compile(r"([{$@])(?=\{)")


def plain(text: str) -> str:
    """One line without hashes, ARM ids, KQL and stack traces; URLs stay whole."""
    line = " ".join(_UNSEEN.sub(" ", text[:_LONGEST]).split())
    line = _KQL.sub("", _TRACE.sub("", f" {line}")).strip()
    return " ".join(_readable(word) for word in line.split())


def _readable(word: str) -> str:
    if len(word) < _SHORTEST or "://" in word:
        return word
    return _HASH.sub("…", _ARM_ID.sub(lambda found: found[0].rstrip("/").rsplit("/", 1)[-1], word))


def escape(text: str) -> str:
    r"""Make the text literal in an Adaptive Card: no markdown, no link, no {{macro}}."""
    opened = _MACRO.sub(r"\1 ", text)
    return _LINE_START.sub(_escaped_start, _MARKDOWN.sub(r"\\\1", opened))


def _escaped_start(found: re.Match[str]) -> str:
    """A list, heading or quote is escaped at its mark: the last character of "12."."""
    return f"{found[0][:-1]}\\{found[0][-1]}"


def weight(value: object) -> int:
    """How many bytes a JSON value takes once expanded: ASCII only, and nested in another string.

    Teams counts the message after such an expansion, not the bytes that were posted.
    """
    return len(json.dumps(json.dumps(value))) - 2


def clip(text: str, limit: int) -> str:
    """Shorten to a `limit` of expanded bytes, between words; a URL is kept whole or left out.

    The text is weighed as it will be sent, that is escaped.
    """
    if weight(escape(text)) <= limit:
        return text
    kept = _words_within(text.split(" "), limit) or _characters_within(text, limit)
    return f"{kept}…"


def _words_within(words: list[str], limit: int) -> str:
    kept: list[str] = []
    for word in words:
        if weight(escape(" ".join([*kept, word, "…"]))) > limit:
            break
        kept.append(word)
    return " ".join(kept)


def _characters_within(text: str, limit: int) -> str:
    word = text.split(" ", 1)[0]
    if "://" in word:
        return ""
    return next(
        (word[:end] for end in range(limit, 0, -1) if weight(escape(word[:end] + "…")) <= limit), ""
    )


def share(value: float) -> str:
    """A share from 0 to 1 in percent, with a decimal only where it says something: 46 %, 0.4 %."""
    percent = value * 100
    edge = 0 < percent < 9.95 or 99 < percent < 99.95
    return f"{percent:.1f} %" if edge else f"{percent:.0f} %"


def traffic(split: Mapping[str, int]) -> str:
    """A split in percent by deployment, the largest share first: "v2 90 %, v1 10 %"."""
    ordered = sorted(split.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {percent} %" for name, percent in ordered if percent) or "none"


def duration(span: timedelta) -> str:
    """A length of time as one says it: "40 s", "9 min", "2 h 5 min". The sign is dropped."""
    seconds = round(abs(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(at: datetime, zone: str, now: datetime) -> str:
    """A time in the service's zone and in UTC; with the date when it is not today's."""
    utc = at.astimezone(UTC)
    known = _zone(zone)
    if known is None or known.key == "UTC":
        return f"{_clock(utc, now.astimezone(UTC))} UTC"
    local = at.astimezone(known)
    return f"{_clock(local, now.astimezone(known))} {local.tzname()} ({utc:%H:%M} UTC)"


def _clock(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at.day} {at:%b %H:%M}"


@cache
def _zone(name: str) -> ZoneInfo | None:
    """The zone, or None for a name that is unknown: a card is worth more than its zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
