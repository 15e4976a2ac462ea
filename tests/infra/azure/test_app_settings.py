"""App settings in Bicep are what shared/settings.py reads: each is set or left out on purpose."""

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from infra.package.package import ROOT
from shared.settings import Role, read_settings
from tests.infra.azure.bicep import AZURE, Node, body_of, declared, properties, text, walk

APPS = AZURE / "modules/apps.bicep"
APP = AZURE / "modules/app.bicep"
PAGER = "BACKSTOP_PAGER_KEY_"
MINIMUM = {
    "BACKSTOP_TABLES": "https://account.table.core.windows.net",
    "BACKSTOP_BUS__fullyQualifiedNamespace": "namespace.servicebus.windows.net",
    "BACKSTOP_LOGS_WORKSPACE": "workspace",
    "BACKSTOP_REDACTION_KEY": "k" * 32,
}
# Read and not set by Bicep, each for a reason.
BY_THE_PLATFORM = {
    "WEBSITE_SITE_NAME",
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_AUTH_ENABLED",
    "WEBSITE_HOSTNAME",
}
LOCAL_ONLY = {
    "BACKSTOP_ARM_ENDPOINT",
    "BACKSTOP_AUTHORITY",
    "BACKSTOP_BUS",  # a connection string, where there is no identity
    "BACKSTOP_CATALOG",
    "BACKSTOP_DRILLS_URL",
    "BACKSTOP_LOGS_ENDPOINT",
    "BACKSTOP_SEARCH_ENDPOINT",
}
DEFAULTS_SUFFICE = {
    "BACKSTOP_HEALTH_EVERY_S",
    "BACKSTOP_LEASE_S",
    "BACKSTOP_LOG_BIN_S",
    "BACKSTOP_LOG_LAG_S",
    "BACKSTOP_PAGER_URL",
    "BACKSTOP_PATIENCE_S",
    "BACKSTOP_READINESS_EVERY_S",
    "BACKSTOP_RETAIN_CHANGES_DAYS",
    "BACKSTOP_RETAIN_INCIDENTS_DAYS",
    "BACKSTOP_RETAIN_INTAKE_DAYS",
    "BACKSTOP_SEAL_EVERY_S",
    "BACKSTOP_BUDGET_EVERY_S",
    "BACKSTOP_SWEEP_EVERY_S",
    "BACKSTOP_WATCH_EVERY_S",
    "BACKSTOP_WRITE_DEADLINE_S",
}
ONLY = {  # what one app has no use for
    Role.RESPONDER: {"BACKSTOP_DEPLOYED_BY", "BACKSTOP_SIGNING_KEY"},
    Role.EXECUTOR: {
        "BACKSTOP_AUDIENCE",
        "BACKSTOP_PAGER_FALLBACK_URL",
        "BACKSTOP_TEAMS_URL",
        "BACKSTOP_TENANT",
    },
}
# Set and not read by shared/settings.py.
BY_THE_HOST = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "BACKSTOP_BUS__clientId",
    "BACKSTOP_BUS__credential",
    "BACKSTOP_TICK",
}
BY_THE_SDKS = {"AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"}


class Asked(Mapping[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def read_names() -> set[str]:
    asked = Asked(MINIMUM)
    read_settings(asked)
    return asked.names


def names_of(variable: str) -> set[str]:
    """The names that a variable of apps.bicep sets, whatever the condition."""
    node = declared(APPS, "variable")[variable]
    objects = [found for found in walk(node) if found.type == "object"]
    return {name for found in objects for name in properties(found)}


def settings_of(role: Role) -> set[str]:
    """The names that an app gets: those of all variables that its module is handed, and its own."""
    module = declared(APPS, "module")[role]
    said = text(properties(parameters(module))["settings"])
    found = {name for variable in re.findall(r"\w+Settings", said) for name in names_of(variable)}
    return found | platform_names()


def platform_names() -> set[str]:
    """What app.bicep adds for the platform and the SDKs."""
    node = declared(APP, "variable")["platformSettings"]
    return {name for found in walk(node) if found.type == "object" for name in properties(found)}


def parameters(module: Node) -> Node:
    return properties(body_of(module))["params"]


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.EXECUTOR])
def test_every_setting_that_is_read_is_set_or_left_out_on_purpose(role: Role) -> None:
    left_out = BY_THE_PLATFORM | LOCAL_ONLY | DEFAULTS_SUFFICE | ONLY[role]
    assert read_names() - settings_of(role) == left_out


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.EXECUTOR])
def test_no_setting_is_set_that_nobody_reads(role: Role) -> None:
    assert settings_of(role) - read_names() == BY_THE_HOST | BY_THE_SDKS


def test_pager_keys_are_named_as_they_are_read() -> None:
    said = text(declared(APPS, "variable")["pagerSettings"])
    assert f"'{PAGER}${{toUpper(replace(name, '-', '_'))}}'" in said
    env = MINIMUM | {f"{PAGER}POLICY_SERVICES_LEAD": "key"}
    assert read_settings(env).pager_keys == {"policy-services-lead": "key"}


def test_defaults_in_bicep_and_in_code_are_not_two() -> None:
    """What has a default in code is not set: one place says it."""
    assert not DEFAULTS_SUFFICE & (settings_of(Role.RESPONDER) | settings_of(Role.EXECUTOR))


def test_secrets_are_references_and_nothing_else_is() -> None:
    said = APPS.read_text()
    found = set(re.findall(r"(BACKSTOP_\w+): '@Microsoft\.KeyVault", said))
    assert found == {
        "BACKSTOP_PAGER_FALLBACK_URL",
        "BACKSTOP_REDACTION_KEY",
        "BACKSTOP_TEAMS_URL",
    }
    assert "=> '@Microsoft" not in said.replace("name => '@Microsoft", "")


def test_the_platform_s_own_settings_name_no_key() -> None:
    names = platform_names()
    assert "AzureWebJobsStorage" not in names, "that would be a connection string"
    assert "AZURE_CLIENT_ID" in names, "by which the SDKs choose the identity"
    assert not [name for name in names if name.startswith("BACKSTOP_")]


def test_copies_are_kept_longer_than_bodies() -> None:
    kept = json.loads((AZURE / "retention.json").read_text())["copiesDays"]
    bodies = read_settings(MINIMUM).retention_days
    assert kept.keys() == bodies.keys()
    assert all(kept[name] > bodies[name] for name in kept)
    assert (ROOT / "infra/azure/main.bicep").read_text().count("retention.json") == 1
