"""What docs/security.md promises of the deployment, as the Bicep says it."""

import re

import pytest

from infra.package.package import APPS, ROOT
from tests.infra.azure.bicep import (
    AZURE,
    body_of,
    declared,
    is_existing,
    properties,
    resources,
    text,
    type_of,
    value,
)


def test_storage_takes_no_keys_and_is_never_public() -> None:
    accounts = resources("Microsoft.Storage/storageAccounts")
    assert [path.stem for path, _ in accounts] == ["evidence", "host-storage", "tables"]
    for _, account in accounts:
        wanted = {
            "allowSharedKeyAccess": "false",
            "allowBlobPublicAccess": "false",
            "allowCrossTenantReplication": "false",
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": "true",
            "publicNetworkAccess": "privateNetworking ? 'Disabled' : 'Enabled",
        }
        body = body_of(account)
        assert {name: value(body, f"properties.{name}") for name in wanted} == wanted


@pytest.mark.parametrize(
    ("kind", "where", "wanted"),
    [
        ("Microsoft.ServiceBus/namespaces", "properties.disableLocalAuth", "true"),
        ("Microsoft.ServiceBus/namespaces", "properties.minimumTlsVersion", "1.2"),
        (
            "Microsoft.OperationalInsights/workspaces",
            "properties.features.disableLocalAuth",
            "true",
        ),
        ("Microsoft.Insights/components", "properties.DisableLocalAuth", "true"),
        ("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", "true"),
        ("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection", "true"),
        ("Microsoft.Web/sites", "properties.httpsOnly", "true"),
        ("Microsoft.Web/sites", "properties.siteConfig.minTlsVersion", "1.2"),
        ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", "false"),
        ("Microsoft.Web/sites", "properties.functionAppConfig.runtime.version", "3.13"),
    ],
)
def test_local_authentication_is_off_and_transport_is_safe(
    kind: str, where: str, wanted: str
) -> None:
    assert {value(body_of(node), where) for _, node in resources(kind)} == {wanted}


def test_the_action_group_proves_who_it_is() -> None:
    groups = {path.stem: one for path, one in resources("Microsoft.Insights/actionGroups")}
    assert groups.keys() == {"alerts", "watchdog"}
    said = text(groups["alerts"])
    for line in ("useAadAuth: true", "useCommonAlertSchema: true", "tenantId: tenant().tenantId"):
        assert line in said
    assert "'${responderUrl}/api/alerts'" in said


def app_parameter(app: str, name: str) -> str:
    module = declared(AZURE / "modules/apps.bicep", "module")[app]
    return text(properties(properties(body_of(module))["params"])[name])


def test_in_a_private_network_azure_monitor_and_chosen_networks_reach_the_responder_alone() -> None:
    assert app_parameter("responder", "openIngress") == "!privateNetworking"
    assert app_parameter("responder", "ingress") == (
        "privateNetworking ? concat([actionGroupRule], networkRules) : []"
    )
    assert (app_parameter("executor", "openIngress"), app_parameter("executor", "ingress")) == (
        "false",
        "[]",
    )
    rule = declared(AZURE / "modules/apps.bicep", "variable")["actionGroupRule"]
    assert value(body_of(rule), "tag") == "ServiceTag"
    assert value(body_of(rule), "ipAddress") == "ActionGroup"
    for app in APPS:
        assert app_parameter(app, "deployIngress") == "privateNetworking ? networkRules : []"


@pytest.mark.parametrize(
    ("app", "groups"), [("responder", ["http", "function:work"]), ("executor", ["function:work"])]
)
def test_what_is_kept_warm_exists(app: str, groups: list[str]) -> None:
    said = re.findall(r"name: '([^']+)'", app_parameter(app, "alwaysReady"))
    assert said == groups
    assert "async def work(" in (ROOT / "function_app.py").read_text()


def test_browsers_and_programs_reach_the_code_which_checks_their_tokens() -> None:
    (signs_in,) = [
        node
        for _, node in resources("Microsoft.Web/sites/config")
        if "authsettingsV2" in text(node)
    ]
    body = body_of(signs_in)
    assert value(body, "properties.globalValidation.requireAuthentication") == "false"
    assert value(body, "properties.globalValidation.unauthenticatedClientAction") == (
        "AllowAnonymous"
    )
    assert value(body, "properties.login.tokenStore.enabled") == "true"
    assert "'scope=openid profile'" in text(body)
    assert app_parameter("executor", "audience") == "''"


def test_evidence_is_immutable_for_six_months_at_least() -> None:
    ((_, policy),) = resources(
        "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"
    )
    assert value(body_of(policy), "properties.immutabilityPeriodSinceCreationInDays") == (
        "immutableDays"
    )
    main = (AZURE / "main.bicep").read_text()
    assert "@minValue(184)\nparam immutableDays int = 184" in main


def test_what_must_not_vanish_is_locked() -> None:
    locked = {path.stem for path, _ in resources("Microsoft.Authorization/locks")}
    assert locked == {"tables", "evidence", "vault"}


def test_what_is_done_is_logged() -> None:
    logged = {path.stem for path, _ in resources("Microsoft.Insights/diagnosticSettings")}
    assert logged == {"tables", "evidence", "vault", "bus", "app", "activity-log"}


def test_changes_of_roles_reach_the_workspace_from_every_subscription() -> None:
    """By them both apps look at their rights at once; a log of somebody's own will do as well."""
    main = (AZURE / "main.bicep").read_text()
    assert "for id in everySubscription: if (activityLog) {" in main
    assert "param activityLog bool = true" in main
    ((_, setting),) = [
        found
        for found in resources("Microsoft.Insights/diagnosticSettings")
        if found[0].stem == "activity-log"
    ]
    assert "category: 'Administrative'" in text(setting)


def test_an_instance_answers_more_than_one_request() -> None:
    """Azure gives Python one: a storm of 25 alerts a second would wait for cold instances."""
    ((_, site),) = resources("Microsoft.Web/sites")
    said = "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency"
    assert value(body_of(site), said) == "httpConcurrency"
    assert "param httpConcurrency int = 32" in (AZURE / "main.bicep").read_text()


def test_only_what_exists_is_not_made() -> None:
    """Everything in somebody else's group is only looked at and given rights on."""
    foundry = AZURE / "modules/foundry.bicep"
    made = {
        type_of(node).split("@")[0]
        for node in declared(foundry, "resource").values()
        if not is_existing(node)
    }
    assert made == {"Microsoft.Authorization/roleAssignments"}
