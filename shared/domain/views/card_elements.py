"""The few Adaptive Card elements that cards are built from, each safe for any text.

Every text is clipped, then escaped, here and nowhere else; every link is checked, and never cut.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.wording import clip, escape

_URL_CAP = 4096
type Element = dict[str, Any]


def envelope(body: Sequence[Element], actions: Sequence[Element]) -> dict[str, Any]:
    """One Adaptive Card 1.5 in the message that a Workflows webhook takes."""
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "body": list(body),
        "actions": list(actions),
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}


def text_block(text: str, limit: int, *, bold: str = "", **looks: object) -> Element:
    """A paragraph of at most `limit` expanded bytes, after a word of ours in bold (or none)."""
    literal = escape(clip(text, limit))
    said = f"**{bold}** {literal}" if bold else literal
    return {"type": "TextBlock", "text": said, "wrap": True, **looks}


def banner(style: str, items: Sequence[Element]) -> Element:
    """The coloured top of a card: good, warning, attention or accent."""
    return {"type": "Container", "style": style, "bleed": True, "items": list(items)}


def columns(*sides: Sequence[Element]) -> Element:
    """Columns of equal width under a line."""
    drawn = [{"type": "Column", "width": "stretch", "items": list(side)} for side in sides]
    return {"type": "ColumnSet", "columns": drawn, "separator": True}


def fact_set(facts: Mapping[str, str]) -> Element:
    """A table of names (ours) and values (anybody's)."""
    listed = [{"title": name, "value": escape(clip(said, 300))} for name, said in facts.items()]
    return {"type": "FactSet", "facts": listed}


def link_button(title: str, url: str) -> list[Element]:
    """A button that opens the URL; none where the URL is empty, incomplete or unsafe."""
    return [{"type": "Action.OpenUrl", "title": title, "url": url}] if _is_link(url) else []


def _is_link(url: str) -> bool:
    local = url.startswith(("http://127.0.0.1:", "http://localhost:"))
    printable = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\')
    return (url.startswith("https://") or local) and printable and len(url) <= _URL_CAP
