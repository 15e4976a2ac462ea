"""What Backstop's app registration is in Entra: its roles, its scope and how it signs people in.

The roles are those that the door asks for, each open to people, to programs, or to both, as the
table of permissions says. Ids are made of the names, so that a second run changes nothing.
"""

import uuid

from shared.domain.authority.caller import AppRole
from shared.domain.authority.permissions import PERMISSIONS

COMMAND_LINE = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"  # Azure CLI: by it people get tokens
_IDS = uuid.UUID("ba55b057-0000-4000-8000-000000000001")
MEANINGS = {
    AppRole.RESPONDER: "See, acknowledge, diagnose, ask for a rollback",
    AppRole.APPROVER: "Decide about plans",
    AppRole.COMMANDER: "Kill switch, freeze, severity, emergencies",
    AppRole.AUDITOR: "Read everything, export evidence",
    AppRole.DEPLOYER: "Pipelines: register releases",
    AppRole.SIGNAL: "Services: tell of breaches",
    AppRole.WEBHOOK: "Azure Monitor: bring alerts",
}
SCOPE = "user_impersonation"


def id_of(name: str) -> str:
    """The id of a role or scope in every tenant."""
    return str(uuid.uuid5(_IDS, name))


def members_of(role: AppRole) -> list[str]:
    """Whom a role may be given to, as Graph says it."""
    rows = PERMISSIONS.values()
    people = any(role in row.people for row in rows)
    apps = any(role in row.apps for row in rows)
    return [*(["User"] if people else []), *(["Application"] if apps or not people else [])]


def roles() -> list[dict[str, object]]:
    """The app roles, as Graph takes them."""
    return [
        {
            "id": id_of(role),
            "value": role.value,
            "displayName": role.value,
            "description": MEANINGS[role],
            "allowedMemberTypes": members_of(role),
            "isEnabled": True,
        }
        for role in AppRole
    ]


def application(client_id: str) -> dict[str, object]:
    """The registration's properties; tokens are of the second form, and say that an app is one."""
    return {
        "appRoles": roles(),
        "identifierUris": [f"api://{client_id}"],
        "api": _api(),
        "optionalClaims": {"accessToken": [{"name": "idtyp"}]},
    }


def with_trusted_callers() -> dict[str, object]:
    """Let Azure CLI ask for tokens: a second request, because the scope must exist first."""
    caller = {"appId": COMMAND_LINE, "delegatedPermissionIds": [id_of(SCOPE)]}
    return {"api": {**_api(), "preAuthorizedApplications": [caller]}}


def sign_in(urls: list[str]) -> dict[str, object]:
    """Where browsers come back to. They bring an id token, for which no secret is needed."""
    return {
        "web": {
            "redirectUris": [f"{url}/.auth/login/aad/callback" for url in urls],
            "implicitGrantSettings": {"enableIdTokenIssuance": True},
        }
    }


def _api() -> dict[str, object]:
    scope = {
        "id": id_of(SCOPE),
        "value": SCOPE,
        "type": "User",
        "adminConsentDisplayName": "Use Backstop",
        "adminConsentDescription": "Use Backstop with the roles of whoever is signed in",
        "isEnabled": True,
    }
    return {"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [scope]}
