"""The alerts of the local world are read as Azure Monitor's own are."""

from datetime import UTC, datetime, timedelta

import msgspec

from infra.local.alerts import LogAlert, stamp
from shared.domain.alerts.alert import Alert, Condition, parse_alert

NOW = datetime(2026, 11, 23, 14, 0, 0, 123456, tzinfo=UTC)
FIRED = LogAlert(
    number="0a1b",
    rule="availability-fast-burn",
    target="/subscriptions/f001/resourcegroups/rg/providers/p/onlineendpoints/fnol-summary",
    fired_at=NOW,
    dimensions={"region": "swedencentral"},
)


def parsed(alert: LogAlert) -> Alert:
    return parse_alert(msgspec.json.encode(alert.body()), NOW)


def test_a_fired_alert_names_rule_target_slice_and_time() -> None:
    alert = parsed(FIRED)

    assert (alert.condition, alert.rule, alert.severity) == (Condition.FIRED, FIRED.rule, 1)
    assert alert.targets == (FIRED.target,)
    assert alert.fired_at == NOW
    assert alert.dimensions == (("region", "swedencentral"),)


def test_its_end_is_the_same_trouble_and_another_delivery() -> None:
    ended = parsed(msgspec.structs.replace(FIRED, resolved_at=NOW + timedelta(minutes=5)))

    assert ended.condition is Condition.RESOLVED
    assert ended.correlation_key == parsed(FIRED).correlation_key
    assert ended.delivery_key != parsed(FIRED).delivery_key


def test_another_slice_is_another_trouble() -> None:
    other = msgspec.structs.replace(FIRED, dimensions={"region": "westeurope"})

    assert parsed(other).correlation_key != parsed(FIRED).correlation_key


def test_times_have_seven_digits_as_azure_writes_them() -> None:
    assert stamp(NOW) == "2026-11-23T14:00:00.1234560Z"
