"""What Teams takes through a Workflows webhook, checked before a card is kept.

Stricter than Teams, which accepts first and drops later: here a card that would not be shown is
refused with the place and the reason.
"""

import json
from typing import Any

from shared.errors import RejectedInput

MESSAGE_CAP = 28 * 1024  # Teams' limit for the expanded message
CARD_CAP = 18 * 1024  # what Backstop promises to stay under, expanded
_DEEPEST = 12
_CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
_VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5")

# What the elements that the page can draw must and may have.
_CHOICES = {
    "style": {"default", "emphasis", "good", "attention", "warning", "accent", "positive"},
    "size": {"Small", "Default", "Medium", "Large", "ExtraLarge"},
    "weight": {"Lighter", "Default", "Bolder"},
    "color": {"Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"},
    "spacing": {"Default", "None", "Small", "Medium", "Large", "ExtraLarge", "Padding"},
}
_CHILDREN = {
    "Container": "items",
    "ColumnSet": "columns",
    "Column": "items",
    "ActionSet": "actions",
}
_ELEMENTS = {"TextBlock", "FactSet", "Container", "ColumnSet", "ActionSet"}
_ACTIONS = {"Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility"}


def expanded(value: object) -> int:
    """Bytes of the value as ASCII JSON inside a JSON string, as it travels within Teams."""
    return len(json.dumps(json.dumps(value)).encode()) - 2


def check_message(message: object) -> dict[str, Any]:
    """Answer the Adaptive Card of a Workflows message; raises RejectedInput."""
    if not isinstance(message, dict) or message.get("type") != "message":
        raise RejectedInput("envelope", "the body must be an object with type 'message'")
    if expanded(message) > MESSAGE_CAP:
        raise RejectedInput("too-large", f"the message expands to {expanded(message)} bytes")
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or len(attachments) != 1:
        raise RejectedInput("envelope", "there must be exactly one attachment")
    return _check_attachment(attachments[0])


def _check_attachment(attachment: object) -> dict[str, Any]:
    if not isinstance(attachment, dict) or attachment.get("contentType") != _CONTENT_TYPE:
        raise RejectedInput("content-type", f"the attachment's contentType must be {_CONTENT_TYPE}")
    card = attachment.get("content")
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise RejectedInput("card", "the content must be an AdaptiveCard")
    if card.get("version") not in _VERSIONS:
        raise RejectedInput("version", f"version {card.get('version')!r} is not one Teams draws")
    if expanded(card) > CARD_CAP:
        raise RejectedInput("too-large", f"the card expands to {expanded(card)} bytes")
    _check_list(card, "body", "card", 0)
    _check_list(card, "actions", "card", 0, optional=True)
    return card


def _check_list(
    holder: dict[str, Any], name: str, where: str, depth: int, *, optional: bool = False
) -> None:
    children = holder.get(name, [] if optional else None)
    if not isinstance(children, list):
        raise RejectedInput("card", f"{where}.{name} must be a list")
    for index, child in enumerate(children):
        _check_one(child, name, f"{where}.{name}[{index}]", depth + 1)


def _check_one(child: object, group: str, where: str, depth: int) -> None:
    if not isinstance(child, dict) or depth > _DEEPEST:
        raise RejectedInput("card", f"{where} must be an object, at most {_DEEPEST} levels deep")
    kind = child.get("type", "Column" if group == "columns" else None)
    allowed = {"columns": {"Column"}, "actions": _ACTIONS}.get(group, _ELEMENTS)
    if not isinstance(kind, str) or kind not in allowed:
        raise RejectedInput("element", f"{where} has type {kind!r}, which Teams does not draw here")
    _check_choices(child, where)
    _check_content(kind, child, where)
    if kind in _CHILDREN:
        _check_list(child, _CHILDREN[kind], where, depth)


def _check_choices(element: dict[str, Any], where: str) -> None:
    for name, choices in _CHOICES.items():
        chosen = element.get(name, "")
        if chosen != "" and not (isinstance(chosen, str) and chosen in choices):
            raise RejectedInput("value", f"{where}.{name} may not be {chosen!r}")


def _check_content(kind: str, element: dict[str, Any], where: str) -> None:
    if kind == "TextBlock":
        _require_text(element, "text", where)
    elif kind == "FactSet":
        _check_facts(element.get("facts"), where)
    elif kind in _ACTIONS:
        _require_text(element, "title", where)
        if kind == "Action.OpenUrl":
            _check_url(element, where)


def _require_text(element: dict[str, Any], name: str, where: str) -> None:
    if not isinstance(element.get(name), str) or not element[name].strip():
        raise RejectedInput("text", f"{where}.{name} must be a text that is not empty")


def _check_facts(facts: object, where: str) -> None:
    if not isinstance(facts, list) or not all(isinstance(fact, dict) for fact in facts):
        raise RejectedInput("card", f"{where}.facts must be a list of objects")
    for index, fact in enumerate(facts):
        _require_text(fact, "title", f"{where}.facts[{index}]")
        _require_text(fact, "value", f"{where}.facts[{index}]")


def _check_url(action: dict[str, Any], where: str) -> None:
    _require_text(action, "url", where)
    if not action["url"].startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise RejectedInput("url", f"{where}.url must begin with https://")
