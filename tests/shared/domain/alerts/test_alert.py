"""Every kind of alert that Azure Monitor posts, read into one type."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.alerts.alert import Alert, Condition, parse_alert
from shared.errors import RejectedInput

EVENTS = Path(__file__).parents[3] / "events"
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
FIRED = datetime(2026, 11, 20, 9, 14, 7, 221508, UTC)
ENDPOINT = (
    "/subscriptions/00000000-0000-0000-0000-00000000f001/resourcegroups/rg-claims/providers"
    "/microsoft.machinelearningservices/workspaces/mlw-claims/onlineendpoints/fnol-summary"
)
COMMON = sorted(path.stem for path in EVENTS.glob("*.json") if "legacy" not in path.stem)


def event(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_bytes())
    return document


def parse(document: object) -> Alert:
    return parse_alert(json.dumps(document).encode(), NOW)


def reason_of(document: object) -> str:
    with pytest.raises(RejectedInput) as refused:
        parse(document)
    return refused.value.reason


@pytest.mark.parametrize(
    ("name", "kind", "severity", "told"),
    [
        ("metric_static_fired", "metric", 1, "RequestsFailed is 42, above 5"),
        ("metric_static_resolved", "metric", 1, "RequestsFailed is no longer above 5"),
        ("metric_dynamic_fired", "metric", 2, "RequestLatency is 4211.7, outside its usual range"),
        ("metric_multi_resource_fired", "metric", 3, "CpuUtilization is 91.25, above 85"),
        ("availability_fired", "availability", 0, "score-probe fails from 3 locations"),
        ("log_v2_fired", "log", 2, "the query's result is 37, above 10"),
        ("log_simple_fired", "log", 3, ""),
        ("log_v1_app_insights_fired", "log", 2, "14 results, above 10"),
        ("activity_log_fired", "activity-log", 4, "onlineEndpoints/write Succeeded"),
        ("service_health_active", "service-health", 4, "(Incident, Active, Sweden Central)"),
        ("resource_health_fired", "resource-health", 4, "health went from Available to Unavail"),
        ("smart_detector_fired", "smart-detector", 3, "An abnormal rise in failed request rate"),
        ("prometheus_fired", "prometheus", 2, "18 % of requests through the gateway fail"),
        ("budget_fired", "budget", None, "Forecasted cost passes €3,600.00, €2,914.80 spent"),
        ("unknown_kind_fired", "unknown", 2, "Guardrail trips above the usual"),
    ],
)
def test_every_kind_is_known_and_told(
    name: str, kind: str, severity: int | None, told: str
) -> None:
    alert = parse(event(name))
    assert (alert.kind, alert.severity) == (kind, severity)
    assert alert.summary.startswith(alert.rule)
    assert told in alert.summary


def test_the_line_for_people_says_what_by_which_rule_on_what() -> None:
    told = parse(event("metric_static_fired")).summary
    assert told == "fnol-summary-5xx: RequestsFailed is 42, above 5 on fnol-summary"


@pytest.mark.parametrize(
    ("value", "read"),
    [(16.455696202531644, "16.456"), (0.0041, "0.0041"), (1234567.5, "1234568"), (37.0, "37")],
)
def test_a_number_is_as_long_as_people_read_it(value: float, read: str) -> None:
    document = event("metric_static_fired")
    document["data"]["alertContext"]["condition"]["allOf"][0]["metricValue"] = value
    assert f"RequestsFailed is {read}, above 5" in parse(document).summary


def test_more_than_one_target_is_counted() -> None:
    assert parse(event("metric_multi_resource_fired")).summary.endswith("fnol-summary and 1 more")


def test_a_metric_alert_is_read_in_full() -> None:
    alert = parse(event("metric_static_fired"))
    assert alert.rule == "fnol-summary-5xx"
    assert alert.condition is Condition.FIRED
    assert alert.targets == (ENDPOINT,)
    assert alert.dimensions == (("deployment", "v2"), ("statusCodeClass", "5xx"))
    assert alert.fired_at == alert.at == FIRED
    assert alert.resolved_at is None
    assert alert.service_hint == "fnol-summary"
    assert (alert.monitoring_service, alert.signal_type) == ("Platform", "Metric")


def test_a_resolved_metric_alert_is_at_the_time_at_which_it_ended() -> None:
    alert = parse(event("metric_static_resolved"))
    assert alert.condition is Condition.RESOLVED
    assert alert.at == alert.resolved_at == datetime(2026, 11, 20, 9, 31, 44, 903512, UTC)


def test_fired_and_resolved_are_two_deliveries_of_one_trouble() -> None:
    fired, resolved = parse(event("metric_static_fired")), parse(event("metric_static_resolved"))
    assert fired.correlation_key == resolved.correlation_key
    assert fired.delivery_key != resolved.delivery_key


def test_a_health_notice_that_says_resolved_ends_what_its_first_notice_began() -> None:
    active, ended = parse(event("service_health_active")), parse(event("service_health_resolved"))
    assert event("service_health_resolved")["data"]["essentials"]["monitorCondition"] == "Fired"
    assert (active.condition, ended.condition) == (Condition.FIRED, Condition.RESOLVED)
    assert active.correlation_key == ended.correlation_key
    assert active.at < ended.at


def test_two_health_incidents_of_one_rule_are_two_troubles() -> None:
    other = event("service_health_active")
    other["data"]["alertContext"]["properties"]["trackingId"] = "M2PD-9X1"
    first = parse(event("service_health_active"))
    assert parse(other).correlation_key != first.correlation_key


def test_the_azure_service_in_a_health_notice_is_no_hint_at_ours() -> None:
    assert parse(event("service_health_active")).service_hint == ""


def test_a_log_alert_names_its_service_in_its_own_properties() -> None:
    assert parse(event("log_v2_fired")).service_hint == "fnol-summary"


@pytest.mark.parametrize("place", ["alertContext", "customProperties"])
def test_a_rule_says_in_a_property_what_people_call_it(place: str) -> None:
    """A log rule's own properties come within the context, those of others beside it."""
    document, named = event("log_v2_fired"), event("log_v2_fired")
    properties = {"service": "fnol-summary", "title": "a tool refuses <b>10 %</b> of its calls"}
    if place == "alertContext":
        named["data"]["alertContext"]["properties"] = properties
    else:
        named["data"]["customProperties"] = properties

    before, alert = parse(document), parse(named)

    assert (before.title, alert.title) == ("", "a tool refuses 10 % of its calls")
    assert alert.summary.startswith("a tool refuses 10 % of its calls: the query's result is 37")
    assert (alert.rule, alert.correlation_key) == (before.rule, before.correlation_key)


def test_the_title_of_a_health_notice_is_not_that_of_its_rule() -> None:
    assert parse(event("service_health_active")).title == ""


def test_a_resource_that_is_healthy_again_ends_the_alert() -> None:
    document = event("resource_health_fired")
    document["data"]["alertContext"]["status"] = "Resolved"
    assert parse(document).condition is Condition.RESOLVED


def test_an_operation_that_succeeded_in_resolving_something_does_not_end_its_alert() -> None:
    document = event("activity_log_fired")
    document["data"]["alertContext"]["status"] = "Resolved"
    assert parse(document).condition is Condition.FIRED


def test_a_budget_alert_takes_rule_and_target_from_the_budget() -> None:
    alert = parse(event("budget_fired"))
    assert alert.rule == "claims-monthly"
    assert [target.rpartition("/")[2] for target in alert.targets] == ["rg-claims"]


def test_a_rule_that_fires_again_is_another_delivery_even_with_the_rules_own_id() -> None:
    later = event("budget_fired")
    later["data"]["essentials"]["firedDateTime"] = "2026-11-20T08:00:13.412Z"
    first, second = parse(event("budget_fired")), parse(later)
    assert first.alert_id == second.alert_id
    assert first.delivery_key != second.delivery_key


def test_the_same_rule_on_another_target_is_another_trouble() -> None:
    other = event("metric_static_fired")
    other["data"]["essentials"]["alertTargetIDs"] = [ENDPOINT.replace("fnol", "policy")]
    first = parse(event("metric_static_fired"))
    assert parse(other).correlation_key != first.correlation_key


def test_the_case_of_targets_does_not_matter() -> None:
    loud = event("metric_static_fired")
    loud["data"]["essentials"]["alertTargetIDs"] = [ENDPOINT.upper() + "/"]
    assert parse(loud).correlation_key == parse(event("metric_static_fired")).correlation_key


def test_a_missing_fired_time_is_the_time_of_arrival() -> None:
    document = event("metric_static_fired")
    del document["data"]["essentials"]["firedDateTime"]
    assert parse(document).fired_at == NOW


@pytest.mark.parametrize("said", ["2026-11-22T00:00:00Z", "1601-01-01T00:00:00Z", "9999-12-31"])
def test_a_time_that_cannot_be_is_the_time_of_arrival(said: str) -> None:
    document = event("metric_static_fired")
    document["data"]["essentials"]["firedDateTime"] = said
    assert parse(document).fired_at == NOW


def test_without_any_identity_the_whole_body_is_the_delivery_whatever_its_order() -> None:
    essentials = {"alertRule": "r", "severity": "Sev2"}
    one = {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials}}
    turned = {
        "data": {"essentials": dict(reversed(essentials.items()))},
        "schemaId": one["schemaId"],
    }
    other = {**one, "data": {"essentials": {**essentials, "severity": "Sev1"}}}
    assert parse(one).delivery_key == parse(turned).delivery_key
    assert parse(one).delivery_key != parse(other).delivery_key


@pytest.mark.parametrize("name", ["legacy_metric", "legacy_activity_log", "legacy_log"])
def test_a_payload_from_before_the_common_schema_names_the_setting(name: str) -> None:
    with pytest.raises(RejectedInput, match="enable the common alert schema") as refused:
        parse(event(name))
    assert refused.value.reason == "legacy-schema"


@pytest.mark.parametrize("document", [{}, {"schemaId": "cloudEvents"}, {"data": 1}, {"a": "b"}])
def test_anything_else_is_the_wrong_schema(document: object) -> None:
    assert reason_of(document) == "wrong-schema"


@pytest.mark.parametrize(
    "data", [None, [], {}, {"essentials": {}}, {"essentials": {"severity": 1}}]
)
def test_an_alert_about_nothing_is_refused(data: object) -> None:
    document = {"schemaId": "azureMonitorCommonAlertSchema", "data": data}
    assert reason_of(document) == "no-essentials"


@pytest.mark.parametrize(
    "markup", ["<p>down</p>", "<script>alert(1)</script>", "ask vera@claimant.example\n\tnow"]
)
def test_the_line_for_people_has_no_markup_address_or_line_break(markup: str) -> None:
    document = event("smart_detector_fired")
    document["data"]["alertContext"]["DetectionSummary"] = markup
    summary = parse(document).summary
    assert not set(summary) & set("<>@\n\t")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("call +46 (0)70 123 45 67 now", "call [phone] now"),
        ("see https://x.example/a?sv=1&sig=abc%3D now", "see https://x.example/a now"),
        ("with key=Zm9v and SIG=YmFy now", "with key=[secret] and SIG=[secret] now"),
        ("14.4 above +3, 2026-11-23 10:00", "14.4 above +3, 2026-11-23 10:00"),
    ],
)
def test_the_line_for_people_shows_no_telephone_number_and_no_secret(said: str, shown: str) -> None:
    document = event("unknown_kind_fired")
    document["data"]["essentials"]["description"] = said
    assert shown in parse(document).summary


@pytest.mark.parametrize("name", COMMON)
def test_no_kind_shows_a_person(name: str) -> None:
    alert = parse(event(name))
    told = f"{alert.summary} {alert.description} {alert.dimensions} {alert.rule}".lower()
    assert not any(secret in told for secret in ("@", ".example", "vera ", "joost", "pieter"))


def test_a_line_for_people_stays_short() -> None:
    document = event("unknown_kind_fired")
    document["data"]["essentials"]["alertRule"] = "x" * 100_000
    assert len(parse(document).summary) == 240
