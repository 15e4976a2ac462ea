"""Fired alerts: an entry of Alerts Management is the same alert that the webhook tells of."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.domain.alerts.alert import Alert, Condition, parse_alert
from shared.domain.alerts.fired_alert import (
    FIRST,
    LOOKBACK,
    MOST_FAILURES,
    OVERLAP,
    FiredAlert,
    next_sweep,
    read_fired,
    subscription_of,
    tell_swept,
)
from shared.domain.event import EventKind
from shared.domain.ledger.completeness import complete
from shared.errors import RejectedInput
from tests.shared.domain.decisions.worked_case import SERVICE

EVENTS = Path(__file__).parents[3] / "events"
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
OFF = 3  # seconds that the service's times differ from the webhook's
LISTED = [  # what action groups post and Alerts Management lists, about one target each
    "metric_static_fired",
    "metric_static_resolved",
    "metric_dynamic_fired",
    "log_v2_fired",
    "log_v1_app_insights_fired",
    "smart_detector_fired",
    "unknown_kind_fired",
]


def event(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_bytes())
    return document


def webhook(name: str) -> Alert:
    return parse_alert((EVENTS / f"{name}.json").read_bytes(), NOW)


def later(said: str | None, by: int) -> str | None:
    """The same time, some seconds later and in Azure's other spelling."""
    if said is None:
        return None
    return (datetime.fromisoformat(said) + timedelta(seconds=by)).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(name: str, *, off: int = OFF) -> dict[str, Any]:
    """A webhook's alert as Alerts Management lists it."""
    data = event(name)["data"]
    told = data["essentials"]
    target = told["alertTargetIDs"][0]
    number = told["alertId"].rsplit("/", 1)[-1]
    scope = "/".join(target.split("/")[:3])
    essentials = {
        "severity": told["severity"],
        "signalType": told["signalType"],
        "alertState": "New",
        "monitorCondition": told["monitorCondition"],
        "monitorService": told["monitoringService"],
        "targetResource": target,
        "sourceCreatedId": told["originAlertId"],
        "alertRule": f"{scope}/resourceGroups/r/providers/microsoft.insights/x/{told['alertRule']}",
        "startDateTime": later(told["firedDateTime"], off),
        "lastModifiedDateTime": later(told.get("resolvedDateTime") or told["firedDateTime"], 60),
        "monitorConditionResolvedDateTime": later(told.get("resolvedDateTime"), off),
        "actionStatus": {"isSuppressed": False},
        "description": told.get("description"),
    }
    return {
        "id": f"{target}/providers/Microsoft.AlertsManagement/alerts/{number}",
        "name": told["alertRule"],
        "properties": {
            "essentials": essentials,
            "context": data["alertContext"],
            "customProperties": data.get("customProperties"),
        },
    }


def changed(name: str, **essentials: Any) -> dict[str, Any]:
    found = entry(name)
    found["properties"]["essentials"] |= essentials
    return found


@pytest.mark.parametrize("name", LISTED)
def test_it_is_the_same_alert_and_the_same_trouble_although_times_differ(name: str) -> None:
    posted, swept = webhook(name), read_fired(entry(name), NOW).notices[0]

    assert swept.identity == posted.identity
    assert swept.correlation_key == posted.correlation_key
    assert (swept.kind, swept.severity, swept.targets, swept.dimensions, swept.condition) == (
        posted.kind,
        posted.severity,
        posted.targets,
        posted.dimensions,
        posted.condition,
    )


def test_where_nothing_differs_it_is_the_very_same_delivery() -> None:
    same = entry("metric_static_fired")
    told = event("metric_static_fired")["data"]["essentials"]
    same["properties"]["essentials"]["startDateTime"] = told["firedDateTime"]

    assert read_fired(same, NOW).notices[0] == webhook("metric_static_fired")


def test_an_activity_log_alert_is_known_by_its_sources_own_name() -> None:
    listed = entry("activity_log_fired")
    rule = event("activity_log_fired")["data"]["essentials"]["alertId"]
    listed["id"] = "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/another-name"
    listed["properties"]["essentials"]["alertRule"] = rule

    swept = read_fired(listed, NOW).notices[0]

    assert swept.identity == webhook("activity_log_fired").identity
    assert swept.correlation_key == webhook("activity_log_fired").correlation_key


def test_other_alerts_of_the_same_rule_are_others() -> None:
    other = entry("metric_static_fired")
    other["id"] = other["id"].replace("alerts/0", "alerts/1")

    assert read_fired(other, NOW).notices[0].identity != webhook("metric_static_fired").identity


def test_an_alert_that_has_ended_stands_for_its_end_and_its_beginning() -> None:
    end, beginning = read_fired(entry("metric_static_resolved"), NOW).notices

    assert (end.condition, beginning.condition) == (Condition.RESOLVED, Condition.FIRED)
    assert end.correlation_key == beginning.correlation_key
    assert beginning.at < end.at
    assert end.identity == webhook("metric_static_resolved").identity
    assert beginning.identity != end.identity


def test_a_time_of_an_end_that_has_not_come_means_nothing() -> None:
    listed = changed("metric_static_fired", monitorConditionResolvedDateTime="2026-11-20T09:00:00Z")

    (notice,) = read_fired(listed, NOW).notices

    assert notice.resolved_at is None


def test_when_it_changed_last_is_told_or_taken_from_the_alert() -> None:
    told = read_fired(entry("metric_static_fired"), NOW)
    untold = read_fired(changed("metric_static_fired", lastModifiedDateTime=None), NOW)

    assert told.changed_at - untold.changed_at == timedelta(seconds=60 - OFF)


@pytest.mark.parametrize(
    ("status", "suppressed"), [({"isSuppressed": True}, True), ({}, False), (None, False)]
)
def test_an_alert_of_which_nobody_is_to_hear_says_so(status: object, suppressed: bool) -> None:
    found: FiredAlert = read_fired(changed("metric_static_fired", actionStatus=status), NOW)

    assert found.suppressed is suppressed


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("wrong", [None, 7, [], {}, "x", True])
def test_a_wrong_type_costs_a_field_and_never_the_alert(name: str, wrong: object) -> None:
    for field in entry(name)["properties"]["essentials"]:
        read_fired(changed(name, **{field: wrong}), NOW)


@pytest.mark.parametrize("wrong", [None, 7, [], {}, "x", {"properties": {"essentials": []}}])
def test_what_is_no_alert_is_refused(wrong: object) -> None:
    with pytest.raises(RejectedInput):
        read_fired(wrong, NOW)


@pytest.mark.parametrize(
    ("arm_id", "found"),
    [("/subscriptions/ABC/resourceGroups/r", "abc"), ("/subscriptions", ""), ("", ""), ("x/y", "")],
)
def test_the_subscription_of_an_id(arm_id: str, found: str) -> None:
    assert subscription_of(arm_id) == found


def test_a_look_gives_up_after_some_failures() -> None:
    look = next_sweep(None, NOW)
    for _ in range(MOST_FAILURES - 1):
        look = look.failed()
        assert not look.done
    assert look.failed().done


def test_a_look_overlaps_with_the_one_before() -> None:
    first = next_sweep(None, NOW)
    assert first.since == NOW - FIRST
    soon, late = NOW + timedelta(minutes=5), NOW + timedelta(hours=30)
    assert next_sweep(first, soon).since == NOW - OVERLAP
    assert next_sweep(first, late).since == late - LOOKBACK


def test_however_often_a_look_fails_the_next_reaches_back_to_the_last_that_succeeded() -> None:
    look, now = next_sweep(None, NOW), NOW
    for _ in range(40):
        now += timedelta(minutes=5)
        look = next_sweep(look.failed().failed().failed(), now)
    assert look.since == NOW - FIRST


def test_what_was_found_is_told_with_the_delivery_and_nothing_personal() -> None:
    alert = webhook("metric_static_fired")

    event = tell_swept(alert, "261120-abc", SERVICE, NOW)

    assert (event.id, event.kind) == ("swept-261120-abc", EventKind.ALERT_SWEPT)
    assert complete(event) == ()
    assert (event.happened_at, event.recorded_at) == (alert.at, NOW)
    assert event.evidence["delivery"] == "261120-abc"
    assert "4552 s" in event.why
