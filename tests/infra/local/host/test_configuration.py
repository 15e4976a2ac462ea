"""What the host reads before it starts is valid, or refused in a line that says what to change."""

import datetime as dt
from pathlib import Path

import pytest

from infra.local.host.configuration import (
    HostJson,
    Refused,
    connection_string,
    parse_timespan,
    read_host_json,
    resolve,
)

BUS = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k"


def host_json(folder: Path, text: str) -> HostJson:
    folder.joinpath("host.json").write_text(text)
    return read_host_json(folder)


def test_a_bare_host_json_has_the_defaults_of_azure(tmp_path: Path) -> None:
    read = host_json(tmp_path, '{"version": "2.0"}')
    assert read.extensions.http.route_prefix == "api"
    assert read.extensions.service_bus.max_concurrent_calls == 16
    assert read.lock_renewal == dt.timedelta(minutes=5)


def test_what_host_json_says_is_used_and_what_is_azures_own_is_passed_over(tmp_path: Path) -> None:
    read = host_json(
        tmp_path,
        """{
            "version": "2.0",
            "logging": {"logLevel": {"default": "Information"}},
            "extensions": {
                "http": {"routePrefix": ""},
                "serviceBus": {"maxConcurrentCalls": 2, "maxAutoLockRenewalDuration": "00:10:00"}
            }
        }""",
    )
    assert read.extensions.http.route_prefix == ""
    assert read.extensions.service_bus.max_concurrent_calls == 2
    assert read.lock_renewal == dt.timedelta(minutes=10)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "truncated"),
        ("{}", "version"),
        ('{"version": "1.0"}', "version"),
        ('{"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 0}}}', ">= 1"),
        (
            '{"version": "2.0", "extensions": {"serviceBus": {"autoCompleteMessages": false}}}',
            "autoCompleteMessages",
        ),
        (
            """{
                "version": "2.0",
                "extensions": {"serviceBus": {"maxAutoLockRenewalDuration": "5 minutes"}}
            }""",
            "hh:mm:ss",
        ),
    ],
)
def test_an_invalid_host_json_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        host_json(tmp_path, text)


def test_a_missing_host_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"host\.json is missing"):
        read_host_json(tmp_path)


def test_a_timespan_may_have_days() -> None:
    assert parse_timespan("1.02:03:04") == dt.timedelta(days=1, hours=2, minutes=3, seconds=4)


def test_a_binding_expression_is_filled_from_the_settings() -> None:
    assert resolve("%PREFIX%-work", {"PREFIX": "eu"}) == "eu-work"


def test_a_binding_expression_without_its_setting_is_refused() -> None:
    with pytest.raises(Refused, match="setting PREFIX is not set"):
        resolve("%PREFIX%-work", {})


def test_a_connection_is_found_under_its_own_or_its_prefixed_name() -> None:
    assert connection_string("BUS", "take", {"BUS": BUS}) == BUS
    assert connection_string("BUS", "take", {"AzureWebJobsBUS": BUS}) == BUS


@pytest.mark.parametrize("settings", [{}, {"BUS": ""}])
def test_a_missing_connection_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(Refused, match="connection setting BUS of function take is not set"):
        connection_string("BUS", "take", settings)


def test_a_connection_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(Refused) as refusal:
        connection_string("BUS", "take", {"BUS": "hunter2"})
    assert "hunter2" not in str(refusal.value)


def test_a_connection_by_identity_is_refused_for_what_it_is() -> None:
    with pytest.raises(Refused, match="takes connection strings only"):
        connection_string(
            "BUS", "take", {"BUS__fullyQualifiedNamespace": "b.servicebus.windows.net"}
        )
