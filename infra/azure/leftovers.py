"""`python -m infra.azure.leftovers`: take away what an earlier catalog left behind in Azure.

A deployment makes and changes, and deletes nothing. So the rule of an objective that is gone would
go on firing and costing, and a service whose mode was lowered would stay one whose traffic may be
moved. azd runs this after it provisioned; what it takes away, it says.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.azure.tools import ToolFailed, arm, known, listed

GENERATED = Path(__file__).parent / "generated"
RULES = "providers/Microsoft.Insights/scheduledQueryRules"
RIGHTS = "providers/Microsoft.Authorization/roleAssignments"
WORKSPACES = "providers/Microsoft.MachineLearningServices/workspaces"
GROUP = "BACKSTOP_RESOURCE_GROUP"
RULES_VERSION, RIGHTS_VERSION = "2023-12-01", "2022-04-01"
NOWHERE = (
    "00000000-0000-0000-0000-"  # how the examples' subscriptions begin: main.bicep leaves them
)

type Right = tuple[str, str]  # a role's name, and on what


def clear() -> list[str]:
    """Delete every rule and right that no file asks for any more; answers what they were."""
    gone = []
    for path, version, said in (*_rules(), *_rights()):
        arm("DELETE", path, version)
        print(f"leftovers: took away {said}")
        gone.append(said)
    return gone


def _rules() -> Iterator[tuple[str, str, str]]:
    """The deployment's own rules in its group, but for those that it has just made."""
    wanted = {rule["name"].lower() for rule in _generated("rules")}
    watching = f"backstop-{_set('AZURE_ENV_NAME')}-".lower()
    group = f"/subscriptions/{_set('BACKSTOP_SUBSCRIPTION')}/resourceGroups/{_set(GROUP)}"
    for rule in listed(f"{group}/{RULES}", RULES_VERSION):
        name = str(rule["name"]).lower()
        ours = (rule.get("tags") or {}).get("azd-env-name") == _set("AZURE_ENV_NAME")
        if ours and name not in wanted and not name.startswith(watching):
            yield rule["id"], RULES_VERSION, f"the rule {rule['name']}"


def _rights() -> Iterator[tuple[str, str, str]]:
    """What the executor may do in Foundry workspaces, but for what the catalog asks for."""
    catalog, names = _generated("services"), dict[str, str]()
    wanted = set(_wanted(catalog))
    who = f"$filter=principalId eq '{_set('BACKSTOP_EXECUTOR_PRINCIPAL')}'"
    for subscription in catalog["subscriptions"]:
        if subscription.startswith(NOWHERE):
            continue
        for right in listed(f"/subscriptions/{subscription}/{RIGHTS}", RIGHTS_VERSION, who):
            scope, role = right["properties"]["scope"], right["properties"]["roleDefinitionId"]
            if f"/{WORKSPACES}/".lower() not in scope.lower():
                continue
            names[role] = names.get(role) or _name_of(role)
            if (names[role], scope.lower()) not in wanted:
                yield right["id"], RIGHTS_VERSION, f"{names[role]} on {scope}"


def _wanted(catalog: dict[str, Any]) -> Iterator[Right]:
    """Every right in a workspace that `modules/foundry.bicep` gives."""
    for one in catalog["workspaces"]:
        group = f"/subscriptions/{one['subscription']}/resourceGroups/{one['group']}"
        workspace = f"{group}/{WORKSPACES}/{one['workspace']}".lower()
        yield "Backstop Workspace Reader", workspace
        for endpoint in one["endpoints"]:
            place = f"{workspace}/onlineendpoints/{endpoint['name']}".lower()
            yield "Backstop Endpoint Reader", place
            if endpoint["write"]:
                yield "Backstop Traffic Writer", place


def _name_of(role: str) -> str:
    """A role's name without the environment that our own carry behind it."""
    name: str = arm("GET", role, RIGHTS_VERSION)["properties"]["roleName"]
    return name.partition(" (")[0]


def _generated(name: str) -> Any:  # noqa: ANN401 - as `make generate` wrote it
    return json.loads((GENERATED / f"{name}.json").read_text())


def _set(name: str) -> str:
    if not known(name):
        raise ToolFailed(f"{name} is not set: provision first")
    return known(name)


def main() -> int:
    """Clear up; 1 where a tool refused."""
    try:
        gone = clear()
    except ToolFailed as failure:
        print(f"leftovers: {failure}", file=sys.stderr)
        return 1
    if not gone:
        print("leftovers: none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
