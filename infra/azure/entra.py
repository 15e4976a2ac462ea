"""`python -m infra.azure.entra register|redirect|assign`: Backstop's app registration in Entra.

azd runs `register` before it provisions and `redirect` after it, when the responder's address is
known. `assign ROLE OBJECT_ID` gives a role to a person, a group or a program. Each may be run again
at any time: what is there already stays.
"""

import argparse
import sys

from infra.azure.manifest import application, id_of, sign_in, with_trusted_callers
from infra.azure.tools import ToolFailed, az, every, graph, known, remember
from shared.domain.authority.caller import AppRole
from shared.domain.authority.permissions import AZURE_MONITOR


def register() -> None:
    """Make the registration, with its roles, and let Azure Monitor's webhook in by one of them."""
    found = _registration(f"Backstop ({known('AZURE_ENV_NAME') or 'backstop'})")
    client, object_id = str(found["appId"]), str(found["id"])
    graph("PATCH", f"applications/{object_id}", application(client))
    graph("PATCH", f"applications/{object_id}", with_trusted_callers())
    ours = _principal(client)
    graph("PATCH", f"servicePrincipals/{ours}", {"appRoleAssignmentRequired": True})
    _assign(ours, _principal(AZURE_MONITOR), AppRole.WEBHOOK)
    print(f"entra: {found['displayName']} is registered")
    ids = {"BACKSTOP_AUDIENCE": client, "BACKSTOP_AUDIENCE_OBJECT_ID": object_id}
    print("\n".join(f"{name}={value}" for name, value in ids.items()))
    for name, value in ids.items():
        remember(name, value)


def redirect() -> None:
    """Let browsers come back to the responder, and to the address that people use instead."""
    found = (known("BACKSTOP_RESPONDER_URL"), known("BACKSTOP_PUBLIC_URL"))
    urls = list(dict.fromkeys(url.rstrip("/") for url in found if url))
    if not urls:
        raise ToolFailed("BACKSTOP_RESPONDER_URL is not set: provision first")
    graph("PATCH", f"applications/{known('BACKSTOP_AUDIENCE_OBJECT_ID')}", sign_in(urls))
    print(f"entra: people sign in at {urls[-1]}")


def assign(role: AppRole, principal: str) -> None:
    """Give a role to a person, group or program, by object id."""
    _assign(_principal(known("BACKSTOP_AUDIENCE")), principal, role)
    print(f"entra: {principal} has {role}")


def _registration(name: str) -> dict[str, object]:
    """The registration that azd remembers, else one of that name, else a new one."""
    client = known("BACKSTOP_AUDIENCE")
    if client:
        found: dict[str, object] = az("ad", "app", "show", "--id", client)
        return found
    every = az("ad", "app", "list", "--filter", f"displayName eq '{name}'") or []
    if len(every) > 1:
        raise ToolFailed(f"{len(every)} registrations are called {name}: set BACKSTOP_AUDIENCE")
    if every:
        return dict(every[0])
    audience = ["--sign-in-audience", "AzureADMyOrg"]
    return dict(az("ad", "app", "create", "--display-name", name, *audience))


def _principal(client: str) -> str:
    """The service principal of an app in this tenant, by object id; made where it is missing."""
    every = az("ad", "sp", "list", "--filter", f"appId eq '{client}'") or []
    found = every[0] if every else az("ad", "sp", "create", "--id", client)
    return str(found["id"])


def _assign(ours: str, principal: str, role: AppRole) -> None:
    given = every(f"servicePrincipals/{ours}/appRoleAssignedTo")
    wanted = {"principalId": principal, "resourceId": ours, "appRoleId": id_of(role)}
    if not any(wanted.items() <= one.items() for one in given):
        graph("POST", f"servicePrincipals/{ours}/appRoleAssignedTo", wanted)


def main(words: list[str] | None = None) -> int:
    """Do what the command line says; 1 where a tool refused."""
    asked = _arguments(words)
    try:
        if asked.step == "assign":
            assign(AppRole(asked.role), asked.principal)
        else:
            {"register": register, "redirect": redirect}[asked.step]()
    except ToolFailed as failure:
        print(f"entra: {failure}", file=sys.stderr)
        return 1
    return 0


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.azure.entra", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("register")
    steps.add_parser("redirect")
    one = steps.add_parser("assign")
    one.add_argument("role", choices=[role.value for role in AppRole])
    one.add_argument("principal", help="the object id of a person, group or service principal")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
