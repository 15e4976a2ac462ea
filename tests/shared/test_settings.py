"""Settings: what is missing is named, what is wrong is refused, what is local stays local."""

import pytest

from shared.errors import Misconfigured
from shared.settings import Role, read_role, read_settings

ENOUGH = {
    "BACKSTOP_ROLE": "responder",
    "BACKSTOP_TABLES": "tables",
    "BACKSTOP_BUS": "bus",
    "BACKSTOP_LOGS_WORKSPACE": "workspace",
}
KEYED = {"BACKSTOP_REDACTION_KEY": "k" * 32}


@pytest.mark.parametrize("name", [name for name in ENOUGH if name != "BACKSTOP_ROLE"])
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        read_settings({key: value for key, value in ENOUGH.items() if key != name})


@pytest.mark.parametrize("said", ["", "Responder", "admin"])
def test_a_role_that_is_not_known_is_none(said: str) -> None:
    assert read_role({"BACKSTOP_ROLE": said}) is Role.NONE


@pytest.mark.parametrize("said", ["soon", "-1", "nan", "inf", "1e9"])
def test_a_time_that_makes_no_sense_is_refused(said: str) -> None:
    with pytest.raises(Misconfigured, match="BACKSTOP_LEASE_S"):
        read_settings({**ENOUGH, "BACKSTOP_LEASE_S": said})


@pytest.mark.parametrize("of", ["CHANGES", "INCIDENTS", "INTAKE"])
def test_records_are_kept_for_six_months_at_least(of: str) -> None:
    with pytest.raises(Misconfigured, match=f"BACKSTOP_RETAIN_{of}_DAYS must be at least 184"):
        read_settings({**ENOUGH, f"BACKSTOP_RETAIN_{of}_DAYS": "183"})
    longer = read_settings({**ENOUGH, f"BACKSTOP_RETAIN_{of}_DAYS": "4000"})
    assert longer.retention_days[of.lower()] == 4000


@pytest.mark.parametrize("azure", ["WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID"])
def test_in_azure_nothing_is_local_and_no_drill_is_linked(azure: str) -> None:
    wanted = {**ENOUGH, **KEYED, "BACKSTOP_DRILLS_URL": "http://127.0.0.1:7074"}
    here, there = read_settings(wanted), read_settings({**wanted, azure: "x"})
    assert (here.local, here.drills_url) == (True, "http://127.0.0.1:7074")
    assert (there.local, there.drills_url) == (False, "")


def test_without_more_no_tenant_s_tokens_are_valid_and_no_session_counts() -> None:
    settings = read_settings(ENOUGH)
    assert (settings.tenant, settings.audience, settings.easy_auth) == ("", "", False)
    assert settings.authority == "https://login.microsoftonline.com"


@pytest.mark.parametrize("said", ["C11E", "api://c11e"])
def test_the_audience_is_the_client_id_however_it_is_said(said: str) -> None:
    assert read_settings({**ENOUGH, "BACKSTOP_AUDIENCE": said}).audience == "c11e"


@pytest.mark.parametrize(("said", "on"), [("True", True), ("true", False), ("1", False)])
def test_only_the_platform_s_own_word_makes_sessions_count(said: str, on: bool) -> None:
    assert read_settings({**ENOUGH, "WEBSITE_AUTH_ENABLED": said}).easy_auth is on


@pytest.mark.parametrize("azure", ["WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID"])
def test_in_azure_tokens_come_from_entra_or_nothing_starts(azure: str) -> None:
    own = {**ENOUGH, "BACKSTOP_AUTHORITY": "http://127.0.0.1:7071/"}
    assert read_settings(own).authority == "http://127.0.0.1:7071"
    with pytest.raises(Misconfigured, match="BACKSTOP_AUTHORITY"):
        read_settings({**own, azure: ""})


def test_routing_keys_are_named_as_the_catalog_names_them() -> None:
    settings = read_settings({**ENOUGH, "BACKSTOP_PAGER_KEY_CLAIMS_AI": "k"})
    assert settings.pager_keys == {"claims-ai": "k"}


def test_the_deployment_says_in_which_subscription_it_is() -> None:
    said = {"BACKSTOP_SUBSCRIPTION": "0B5E55ED-0000-4000-8000-000000000001"}
    settings = read_settings(ENOUGH | said)
    assert settings.own_subscription == "0b5e55ed-0000-4000-8000-000000000001"
    assert read_settings(ENOUGH).own_subscription == ""


def test_a_secret_that_azure_could_not_get_is_no_secret() -> None:
    """Where a reference to Key Vault is not resolved, the app gets the reference for a value."""
    unresolved = "@Microsoft.KeyVault(SecretUri=https://v.example/secrets/s)"
    names = ("PAGER_KEY_DUTY", "PAGER_FALLBACK_URL", "TEAMS_URL")
    settings = read_settings(ENOUGH | {f"BACKSTOP_{name}": unresolved for name in names})
    assert settings.pager_keys == {}
    assert (settings.pager_fallback_url, settings.teams_url) == ("", "")


def test_a_bus_may_be_named_by_its_namespace_alone() -> None:
    named = {key: value for key, value in ENOUGH.items() if key != "BACKSTOP_BUS"}
    settings = read_settings(named | {"BACKSTOP_BUS__fullyQualifiedNamespace": "b.example"})
    assert settings.bus == "b.example"


IN_AZURE = {**ENOUGH, "WEBSITE_SITE_NAME": "app", "BACKSTOP_BUS": "bus"}


@pytest.mark.parametrize(
    "said", ["", "short", "@Microsoft.KeyVault(SecretUri=https://v.example/s/k)"]
)
def test_in_azure_nothing_starts_without_a_redaction_key(said: str) -> None:
    with pytest.raises(Misconfigured, match="BACKSTOP_REDACTION_KEY"):
        read_settings({**IN_AZURE, "BACKSTOP_REDACTION_KEY": said})


def test_on_ones_own_machine_the_redaction_key_may_be_missing() -> None:
    assert read_settings(ENOUGH).redaction_key == ""


def test_who_deployed_is_named_by_two_ids_or_not_at_all() -> None:
    ids = ("7B1F6C2E-0000-4000-8000-000000000001", "a11ce000-0000-4000-8000-000000000001")
    settings = read_settings(ENOUGH | {"BACKSTOP_DEPLOYED_BY": "/".join(ids)})
    assert settings.deployed_by == "/".join(ids).lower()
    assert read_settings(ENOUGH).deployed_by == ""
    with pytest.raises(Misconfigured, match="BACKSTOP_DEPLOYED_BY"):
        read_settings(ENOUGH | {"BACKSTOP_DEPLOYED_BY": "ada@example.com"})
