"""The little markdown of an Adaptive Card's text, turned into safe HTML.

Bold, italics, links and backslash escapes, as Teams draws them; all else is literal.
"""

import re
from html import escape

from markupsafe import Markup

_PARK = 0xE000  # private use: holds escaped characters while the marks are read
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_ITALIC = re.compile(r"(?<![\w*])([*_])(?=\S)([^*_]+?)(?<=\S)\1(?![\w*])")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)")
_PARKED = re.compile(f"[{chr(_PARK)}-{chr(_PARK + 0x7F)}]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def to_html(text: str) -> Markup:
    """Draw one text; what is not understood is shown as it is."""
    parked = _ESCAPED.sub(lambda found: chr(_PARK + ord(found[1])), _PARKED.sub("", text))
    drawn = escape(parked)
    drawn = _LINK.sub(r'<a href="\2" target="_blank" rel="noopener noreferrer">\1</a>', drawn)
    drawn = _BOLD.sub(r"<strong>\1</strong>", drawn)
    drawn = _ITALIC.sub(r"<em>\2</em>", drawn)
    return Markup(_PARKED.sub(lambda found: escape(chr(ord(found[0]) - _PARK)), drawn))  # noqa: S704 - escaped above
