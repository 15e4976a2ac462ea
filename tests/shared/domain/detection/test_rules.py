"""Which rules a service's file makes, and what they have in common."""

from datetime import UTC, datetime

import msgspec
import pytest

from infra.local.alerts import LogAlert
from shared.domain.alerts.alert import parse_alert
from shared.domain.detection.limits import mistakes
from shared.domain.detection.rule import AlertRule, RuleKind
from shared.domain.detection.rules import MOST_EVERY_MINUTE, rules_of, rules_of_all
from shared.domain.incidents.incident import Severity
from shared.domain.incidents.triage import triage
from tests.shared.domain.detection.watched import ACCEPTED, ANSWERED, FAST, QUOTES, SLOW, TARGET

RULES = {rule.name: rule for rule in rules_of(QUOTES)}


def test_a_service_gets_a_rule_for_everything_that_its_file_speaks_of() -> None:
    assert [(rule.name, rule.kind.value) for rule in rules_of(QUOTES)] == [
        ("quotes-availability-burn-6x-6h", "burn"),
        ("quotes-availability-burn-14.4x-1h", "burn"),
        ("quotes-availability-burn-2x-2d", "burn"),
        ("quotes-availability-part-14.4x-1h", "part"),
        ("quotes-accepted-burn-6x-6h", "burn"),
        ("quotes-accepted-floor", "outcome"),
        ("quotes-tool-failures", "tool"),
        ("quotes-content-safety", "content-safety"),
        ("quotes-index-old", "index"),
        ("quotes-declared-is-not-served", "served"),
    ]


def test_what_looks_back_further_than_two_days_is_left_to_the_timer() -> None:
    assert not any("3d" in rule.name for rule in RULES.values())
    assert RULES["quotes-availability-burn-2x-2d"].window == "P2D"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_keeps_to_what_azure_monitor_allows(rule: AlertRule) -> None:
    assert mistakes(rule) == ()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_is_about_the_service_and_fires_on_its_target(rule: AlertRule) -> None:
    assert rule.query.endswith(f'| extend Target = "{TARGET}"')
    assert rule.resource_id_column == "Target"
    assert rule.custom_properties["service"] == rule.service == "quotes"
    assert rule.custom_properties["kind"] == rule.kind
    assert rule.auto_mitigate


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_an_alert_brings_what_people_call_it_and_the_incident_is_called_so(rule: AlertRule) -> None:
    at = datetime(2026, 11, 23, 14, tzinfo=UTC)
    fired = LogAlert(
        number="7", rule=rule.name, target=TARGET, fired_at=at, custom=rule.custom_properties
    )
    alert = parse_alert(msgspec.json.encode(fired.body()), at)

    step = triage(alert, service=QUOTES, claim=None, open_incident=None, now=at, shard="07")

    assert step.incident is not None
    assert step.incident.title == rule.display_name
    assert rule.display_name.startswith("Quotes: ")
    assert alert.rule == rule.name


def test_only_the_fastest_alerts_look_every_minute() -> None:
    quick = {rule.name for rule in RULES.values() if rule.evaluation_frequency == "PT1M"}

    assert quick == {"quotes-availability-burn-14.4x-1h", "quotes-availability-part-14.4x-1h"}


def test_a_burn_asks_for_both_windows_in_one_query() -> None:
    rule = RULES["quotes-availability-burn-14.4x-1h"]

    assert (rule.window, rule.measure_column, rule.threshold) == ("PT1H", "Burn", 14.4)
    assert "ago(5m)" in rule.query
    assert "ago(1h)" in rule.query
    assert rule.dimensions == ()


@pytest.mark.parametrize(("severity", "azure"), [(Severity.SEV0, 0), (Severity.SEV3, 3)])
def test_the_severity_is_the_objectives(severity: Severity, azure: int) -> None:
    graver = msgspec.structs.replace(FAST, severity=severity)
    slo = msgspec.structs.replace(ANSWERED, alerts=(graver,))
    service = msgspec.structs.replace(QUOTES, slos=(slo,))

    burns = [rule for rule in rules_of(service) if rule.slo]

    assert {rule.severity for rule in burns} == {azure}


def test_an_objective_whose_alerts_are_all_too_long_has_no_rule() -> None:
    long = msgspec.structs.replace(FAST, short_window="6h", long_window="3d")
    slo = msgspec.structs.replace(ANSWERED, alerts=(long,))

    assert not [rule for rule in rules_of(msgspec.structs.replace(QUOTES, slos=(slo,))) if rule.slo]


def test_labels_come_too_late_to_tell_regions_apart() -> None:
    assert not [
        rule for rule in RULES.values() if rule.kind is RuleKind.PART and "accepted" in rule.name
    ]


def test_a_judges_labels_have_no_floor() -> None:
    indicator = msgspec.structs.replace(ACCEPTED.indicator, label_source="judge")
    slo = msgspec.structs.replace(ACCEPTED, indicator=indicator)
    service = msgspec.structs.replace(QUOTES, slos=(slo,))

    assert RuleKind.OUTCOME not in {rule.kind for rule in rules_of(service)}


def test_a_service_that_names_no_tool_and_no_index_is_charged_for_neither() -> None:
    bare = rules_of(msgspec.structs.replace(QUOTES, dependencies=()))

    assert {RuleKind.TOOL, RuleKind.INDEX} & {rule.kind for rule in bare} == set()


def test_the_time_series_are_counted_from_the_file() -> None:
    counted = {rule.name.removeprefix("quotes-"): rule.time_series for rule in RULES.values()}

    assert counted["availability-part-14.4x-1h"] == 3 + 2  # its regions, and two deployments
    assert counted["tool-failures"] == 2
    assert counted["index-old"] == 1
    assert counted["availability-burn-14.4x-1h"] == 1


def test_when_a_subscription_is_full_the_least_important_look_every_five_minutes() -> None:
    slo = msgspec.structs.replace(ANSWERED, alerts=(FAST, SLOW))
    services = [
        msgspec.structs.replace(QUOTES, name=f"s{n:02}", tier=1 if n == 59 else 3, slos=(slo,))
        for n in range(60)
    ]

    rules = rules_of_all(services)

    quick = [rule for rule in rules if rule.evaluation_frequency == "PT1M"]
    assert len(quick) == MOST_EVERY_MINUTE
    assert rules[0].service == "s59"
    assert {rule.service for rule in quick} == {"s59", *(f"s{n:02}" for n in range(49))}
    assert len(rules) == 60 * len(rules_of(services[0]))
    assert all(mistakes(rule) == () for rule in rules)


def test_few_services_keep_the_pace_of_each() -> None:
    assert rules_of_all([QUOTES]) == rules_of(QUOTES)
