"""The app registration: made once, with the roles that the door asks for, and left as it is."""

import pytest

from infra.azure import tools
from infra.azure.entra import main
from infra.azure.manifest import COMMAND_LINE, application, id_of, members_of, roles
from shared.domain.authority.caller import AppRole
from shared.domain.authority.permissions import AZURE_MONITOR, PERMISSIONS
from tests.infra.azure.tenant import Tenant, tenant

__all__ = ["tenant"]


def test_every_role_of_the_door_is_an_app_role() -> None:
    assert [role["value"] for role in roles()] == [role.value for role in AppRole]
    assert len({role["id"] for role in roles()}) == len(AppRole)


@pytest.mark.parametrize("role", AppRole)
def test_a_role_is_open_to_those_whom_the_table_of_permissions_names(role: AppRole) -> None:
    rows = PERMISSIONS.values()
    assert ("User" in members_of(role)) == any(role in row.people for row in rows)
    if any(role in row.apps for row in rows):
        assert "Application" in members_of(role)


def test_the_webhook_s_role_is_for_programs_alone() -> None:
    assert members_of(AppRole.WEBHOOK) == ["Application"]


def test_a_new_registration_has_roles_scope_and_a_way_in_for_azure_monitor(tenant: Tenant) -> None:
    assert main(["register"]) == 0
    (app,) = tenant.apps
    assert app["displayName"] == "Backstop (test)"
    wanted = application(app["appId"])
    assert {name: app[name] for name in wanted if name != "api"} == {
        name: wanted[name] for name in wanted if name != "api"
    }
    (trusted,) = app["api"]["preAuthorizedApplications"]
    assert trusted["appId"] == COMMAND_LINE
    assert app["api"]["oauth2PermissionScopes"][0]["id"] in trusted["delegatedPermissionIds"]
    ours, monitor = tenant.principals
    assert (ours["appId"], monitor["appId"]) == (app["appId"], AZURE_MONITOR)
    assert ours["appRoleAssignmentRequired"] is True
    assert ours["assigned"] == [
        {
            "principalId": monitor["id"],
            "resourceId": ours["id"],
            "appRoleId": id_of(AppRole.WEBHOOK),
        }
    ]
    assert tenant.azd == {
        "BACKSTOP_AUDIENCE": app["appId"],
        "BACKSTOP_AUDIENCE_OBJECT_ID": app["id"],
    }


@pytest.mark.parametrize("azd_remembers", [True, False])
def test_a_second_run_changes_nothing(tenant: Tenant, azd_remembers: bool) -> None:
    main(["register"])
    before = tenant.directory
    if azd_remembers:
        tenant.remember()
    assert main(["register"]) == 0
    assert tenant.directory == before


def test_two_registrations_of_one_name_are_not_guessed_between(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    tenant.apps += [{"appId": n, "id": n, "displayName": "Backstop (test)"} for n in ("1", "2")]
    assert main(["register"]) == 1
    assert "set BACKSTOP_AUDIENCE" in capsys.readouterr().err


def test_whoever_has_no_azd_here_is_told_both_ids(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Registrations may be another person's work: what was made must not be lost by that."""

    def without_azd(tool: str, *words: str) -> str:
        if tool == "azd":
            raise tools.ToolFailed("azd is not installed")
        return tenant.run(tool, *words)

    monkeypatch.setattr(tools, "run", without_azd)
    assert main(["register"]) == 1
    (app,) = tenant.apps
    said = capsys.readouterr().out
    assert f"BACKSTOP_AUDIENCE={app['appId']}" in said
    assert f"BACKSTOP_AUDIENCE_OBJECT_ID={app['id']}" in said


def test_browsers_may_come_back_to_both_addresses(tenant: Tenant) -> None:
    main(["register"])
    tenant.remember()
    tenant.set(
        BACKSTOP_RESPONDER_URL="https://func", BACKSTOP_PUBLIC_URL="https://backstop.example/"
    )
    assert main(["redirect"]) == 0
    assert tenant.apps[0]["web"] == {
        "redirectUris": [
            "https://func/.auth/login/aad/callback",
            "https://backstop.example/.auth/login/aad/callback",
        ],
        "implicitGrantSettings": {"enableIdTokenIssuance": True},
    }


def test_an_address_that_is_both_is_named_once(tenant: Tenant) -> None:
    """Graph refuses a list in which one stands twice."""
    main(["register"])
    tenant.remember()
    tenant.set(BACKSTOP_RESPONDER_URL="https://func", BACKSTOP_PUBLIC_URL="https://func/")
    assert main(["redirect"]) == 0
    assert tenant.apps[0]["web"]["redirectUris"] == ["https://func/.auth/login/aad/callback"]


def test_before_anything_is_provisioned_there_is_no_way_back(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["register"])
    assert main(["redirect"]) == 1
    assert "provision first" in capsys.readouterr().err


def test_a_role_is_given_once(tenant: Tenant) -> None:
    main(["register"])
    tenant.remember()
    for _ in range(2):
        assert main(["assign", "Commander", "a-person"]) == 0
    ours = tenant.principals[0]
    held = [(one["principalId"], one["appRoleId"]) for one in ours["assigned"]]
    assert held.count(("a-person", id_of(AppRole.COMMANDER))) == 1
