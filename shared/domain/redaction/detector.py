"""A detector: a pattern, and the check that keeps it from taking what only looks alike.

All patterns are linear in the text: they begin where a run begins and give nothing back (`++`), or
are bounded. Before a pattern is tried a text is asked for what the pattern cannot match without:
literals, and the shape of the text, in which every digit is a 0 and every letter an a. That is
fifty times cheaper, and nearly always the end of it.

JSON may lie in a text, or be no longer whole. An escape ends in a letter or a digit and is no part
of the word behind it: the first word of a line stands behind one.
"""

import re
from collections.abc import Callable

import msgspec

_ESCAPES = (r"\\[bfnrt]", r"\\u[0-9a-fA-F]{4}")
_SHAPES_OF_ESCAPES = (r"\\a", r"\\a[a0]{4}")
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_DIGITS = b"0123456789"
_SHAPE = bytes.maketrans(_DIGITS + _LETTERS + _LETTERS.upper(), b"0" * 10 + b"a" * 52)


def begins(not_behind: str, upto: str = "") -> str:
    """Where a run of its own begins: behind none of these characters, or behind an escape of JSON.

    Asked behind `upto`, a pattern of the run's first characters: the search is for those, then.
    """
    return _begins(not_behind, upto, _ESCAPES)


def begins_in_shape(not_behind: str, upto: str) -> str:
    """The same of a text's shape."""
    return _begins(not_behind, upto, _SHAPES_OF_ESCAPES)


def _begins(not_behind: str, upto: str, escapes: tuple[str, ...]) -> str:
    behind = "".join(f"|(?<={escape}{upto})" for escape in escapes)
    return f"(?:(?<![{not_behind}]{upto}){behind})"


# Where a number may begin: the search runs from digit to digit.
BEGIN = begins(r"\w.", r"\d") + r"(?<!\w-\d)"
END = r"(?!\w)"


def anything(_: str) -> bool:
    """Stands for the check of a pattern that says it all."""
    return True


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it is looked at first: in lower case, and its shape, a character a byte of it."""

    lowered: str
    shape: str


def glance(text: str) -> Glance:
    """Look at a text once for all detectors."""
    shape = text.encode("utf-8", "surrogatepass").translate(_SHAPE)  # as bytes: ten times as fast
    return Glance(lowered=text.lower(), shape=shape.decode("latin-1"))  # to look into: six times


def ending(last: str, *firsts: str) -> re.Pattern[str]:
    """Finds `last` behind one of `firsts`; a search for one word, where many would be many."""
    behind = "|".join(f"(?<={re.escape(first + last)})" for first in firsts)
    return re.compile(f"{re.escape(last)}(?:{behind})")


class Detector(msgspec.Struct, frozen=True, kw_only=True, eq=False):  # one is only like itself
    """Finds one kind of text. What the group `it` holds is replaced, else the whole match.

    One of `hints` is in the lower-case text, or `named` finds something there, or one of `shapes`
    is in its shape, or `probe` finds something there; else the pattern is not tried.
    """

    name: str
    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = anything
    hints: tuple[str, ...] = ()
    named: re.Pattern[str] | None = None
    shapes: tuple[str, ...] = ()
    probe: re.Pattern[str] | None = None

    def may_match(self, seen: Glance) -> bool:
        """Whether the pattern must be tried."""
        hinted = bool(self.hints) and any(map(seen.lowered.__contains__, self.hints))
        return hinted or self.may_match_unhinted(seen)

    def may_match_unhinted(self, seen: Glance) -> bool:
        """The same, where it is known that no hint is in the text."""
        return (
            (self.named is not None and self.named.search(seen.lowered) is not None)
            or (bool(self.shapes) and any(map(seen.shape.__contains__, self.shapes)))
            or (self.probe is not None and self.probe.search(seen.shape) is not None)
        )

    def replace(self, text: str, tokenise: Callable[[str, str], str]) -> str:
        """The text with a token in place of all that is found; `tokenise` takes kind and value."""
        named = "it" in self.pattern.groupindex

        def instead(found: re.Match[str]) -> str:
            value = found["it"] if named else found[0]
            if not self.check(value):
                return found[0]
            token = tokenise(self.kind, value)
            if not named:
                return token
            start, end = found.span("it")
            return f"{found[0][: start - found.start()]}{token}{found[0][end - found.start() :]}"

        return self.pattern.sub(instead, text)
