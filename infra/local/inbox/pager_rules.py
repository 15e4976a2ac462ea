"""What PagerDuty's Events v2 takes: every mistake is listed, as PagerDuty does."""

from typing import Any

_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")


def find_mistakes(event: dict[str, Any]) -> list[str]:
    """Say what is wrong with an event; nothing where it would be accepted."""
    mistakes = []
    if not _is_text(event.get("routing_key"), 32) or len(event["routing_key"]) != 32:
        mistakes.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if event.get("event_action") not in _ACTIONS:
        mistakes.append("'event_action' is missing or invalid (trigger, acknowledge or resolve)")
    if event.get("event_action") == "trigger":
        mistakes += _payload_mistakes(event.get("payload"))
        mistakes += _link_mistakes(event.get("links", []))
    needs_key = event.get("event_action") in _ACTIONS[1:]
    if (needs_key or "dedup_key" in event) and not _is_text(event.get("dedup_key"), 255):
        mistakes.append("'dedup_key' is missing or longer than 255 characters")
    return mistakes


def _payload_mistakes(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    mistakes = []
    if not _is_text(payload.get("summary"), 1024):
        mistakes.append("'payload.summary' is missing or longer than 1024 characters")
    if not _is_text(payload.get("source"), 1024):
        mistakes.append("'payload.source' is missing or blank")
    if payload.get("severity") not in _SEVERITIES:
        mistakes.append("'payload.severity' is invalid (critical, error, warning or info)")
    if not isinstance(payload.get("custom_details", {}), dict):
        mistakes.append("'payload.custom_details' must be an object")
    return mistakes


def _link_mistakes(links: object) -> list[str]:
    fine = isinstance(links, list) and all(
        isinstance(link, dict) and str(link.get("href", "")).startswith(("https://", "http://"))
        for link in links
    )
    return [] if fine else ["'links' must be objects with an http(s) 'href'"]


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and value.strip() != "" and len(value) <= longest
