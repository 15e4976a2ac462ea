from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.inbox.store import Fault, InboxStore, Part

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def page(action: str, key: str = "INC-1", routing_key: str = "R" * 32) -> dict[str, Any]:
    body = {"routing_key": routing_key, "event_action": action, "dedup_key": key}
    payload = {"summary": "it burns", "source": "fnol-summary", "severity": "error"}
    return body | {"payload": payload} if action == "trigger" else body


def states_after(*actions: str) -> list[str]:
    store = InboxStore()
    for action in actions:
        store.add(Part.PAGER, page(action))
    return [alert.state for alert in store.alerts()]


def test_an_alert_is_triggered_acknowledged_and_resolved() -> None:
    assert states_after("trigger") == ["triggered"]
    assert states_after("trigger", "acknowledge") == ["acknowledged"]
    assert states_after("trigger", "acknowledge", "resolve") == ["resolved"]


def test_a_repeated_trigger_joins_the_open_alert() -> None:
    assert states_after("trigger", "trigger") == ["triggered"]
    assert states_after("trigger", "acknowledge", "trigger") == ["acknowledged"]


def test_after_a_resolve_the_same_key_opens_a_new_alert() -> None:
    assert states_after("trigger", "resolve", "trigger") == ["triggered", "resolved"]


def test_what_was_never_triggered_has_no_effect() -> None:
    assert states_after("acknowledge", "resolve") == []


def test_alerts_of_other_keys_and_contacts_are_apart() -> None:
    store = InboxStore()
    for body in (page("trigger"), page("trigger", "INC-2"), page("trigger", routing_key="S" * 32)):
        store.add(Part.PAGER, body)
    store.add(Part.PAGER, page("resolve", "INC-2"))
    assert [alert.state for alert in store.alerts()] == ["triggered", "resolved", "triggered"]


def test_the_newest_comes_first() -> None:
    store = InboxStore(clock=lambda: NOON)
    store.add(Part.TEAMS, {"body": ["first"]})
    store.add(Part.TEAMS, {"body": ["second"]})
    assert [card.body["body"] for card in store.cards()] == [["second"], ["first"]]
    assert store.cards()[0].at == NOON


def test_a_file_keeps_everything_for_the_next_store(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    before = InboxStore(path)
    before.add(Part.TEAMS, {"body": []})
    before.add(Part.PAGER, page("trigger"))
    before.add(Part.WEBHOOK, {"summary": "it burns"})
    after = InboxStore(path)
    assert after.cards() == before.cards()
    assert after.alerts() == before.alerts()
    assert after.webhooks() == before.webhooks()
    after.add(Part.TEAMS, {"body": []})
    assert [card.number for card in InboxStore(path).cards()] == [4, 1]


def test_every_change_is_counted_so_that_pages_know_to_refresh() -> None:
    store = InboxStore()
    seen = {store.changes}
    store.add(Part.TEAMS, {"body": []})
    seen.add(store.changes)
    store.set_fault(Part.TEAMS, Fault.OUTAGE)
    seen.add(store.changes)
    assert len(seen) == 3
