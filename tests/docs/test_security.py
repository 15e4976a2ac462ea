"""docs/security.md lists every route with the roles that open it, and every role, and no other."""

import re

from function_app import ROOT, ROUTES
from shared.domain.authority.caller import AppRole
from shared.domain.authority.permissions import PERMISSIONS, Permission
from tests.docs.documents import read

SECURITY = read("docs/security.md")
_ROUTE = re.compile(r"^\| `((?:GET|POST) /[^`]*)` \| (.*) \| (.*) \|$", re.MULTILINE)
PATHS = {name: (method, "" if route == ROOT else route) for name, method, route, _ in ROUTES}


def line(row: str, permission: Permission) -> tuple[str, str, str]:
    """A row of the table as the document has it."""
    name, _, action = row.partition("/")
    method, path = PATHS[name]
    path = path.replace("{action}", action) if action else path
    people, apps = (", ".join(roles) or "nobody" for roles in (permission.people, permission.apps))
    if permission.public:
        people = apps = "everybody"
    return f"{method} /{path}", people, apps + (", Azure Monitor's alone" * bool(permission.client))


def test_every_route_is_listed_with_its_roles_and_no_other() -> None:
    assert sorted(_ROUTE.findall(SECURITY.text)) == sorted(
        line(*item) for item in PERMISSIONS.items()
    )


def test_every_role_is_explained() -> None:
    explained = re.findall(r"^\| (\w+) \| [a-zA-Z]", SECURITY.text, re.MULTILINE)
    assert [role.value for role in AppRole if role.value not in explained] == []
