from typing import Any

import pytest

from infra.local.inbox.pager_rules import find_mistakes

PAYLOAD = {"summary": "it burns", "source": "fnol-summary", "severity": "error"}
TRIGGER: dict[str, Any] = {
    "routing_key": "R" * 32,
    "event_action": "trigger",
    "dedup_key": "INC-1",
    "payload": PAYLOAD,
    "links": [{"href": "https://example.com", "text": "The incident"}],
}
RESOLVE = {"routing_key": "R" * 32, "event_action": "resolve", "dedup_key": "INC-1"}


def test_a_complete_event_has_no_mistakes() -> None:
    assert find_mistakes(TRIGGER) == []
    assert find_mistakes(RESOLVE) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"routing_key": "short"}, "routing_key"),
        ({"routing_key": None}, "routing_key"),
        ({"event_action": "snooze"}, "event_action"),
        ({"event_action": ["trigger"]}, "event_action"),
        ({"dedup_key": "k" * 256}, "dedup_key"),
        ({"payload": None}, "payload"),
        ({"payload": PAYLOAD | {"summary": "s" * 1025}}, "summary"),
        ({"payload": PAYLOAD | {"summary": " "}}, "summary"),
        ({"payload": PAYLOAD | {"source": ""}}, "source"),
        ({"payload": PAYLOAD | {"severity": "SEV1"}}, "severity"),
        ({"payload": PAYLOAD | {"custom_details": "long"}}, "custom_details"),
        ({"links": [{"href": "javascript:alert(1)"}]}, "links"),
        ({"links": "https://example.com"}, "links"),
    ],
)
def test_one_mistake_is_named(change: dict[str, Any], named: str) -> None:
    mistakes = find_mistakes(TRIGGER | change)
    assert len(mistakes) == 1
    assert named in mistakes[0]


def test_all_mistakes_are_listed_at_once() -> None:
    assert len(find_mistakes(TRIGGER | {"routing_key": "", "payload": {}})) == 4


def test_only_a_trigger_may_leave_the_key_to_the_pager() -> None:
    assert find_mistakes({name: TRIGGER[name] for name in TRIGGER if name != "dedup_key"}) == []
    without = {name: RESOLVE[name] for name in RESOLVE if name != "dedup_key"}
    assert "dedup_key" in find_mistakes(without)[0]
