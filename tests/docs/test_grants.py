"""docs/operations.md tells the rights of both apps as infra/azure/grants.json gives them."""

import json
import re
from collections import defaultdict

import pytest

from infra.package.package import APPS, ROOT
from tests.docs.documents import read

OPERATIONS = read("docs/operations.md")
_ROW = re.compile(r"^\| ([A-Z][^|]*) \| ([^|]*) \| ([^|]*)\| ([^|]*)\|$", re.MULTILINE)
KINDS = {
    "table": "single tables",
    "container": "single containers",
    "topic": "single topics",
    "subscription": "single subscriptions",
    "key": "the signing key",
    "vault": "the app's own vault",
    "workspace": "the workspace",
    "fired-alerts": "the subscriptions that the catalog's targets are in",
    "endpoint": "each endpoint of the catalog",
    "endpoint-traffic": "each endpoint in modes",
    "foundry": "the workspace of each endpoint",
    "search": "the search services",
    "host": "the storage of the app's own host",
    "insights": "Application Insights",
}
NAMED = ("table", "container", "topic", "subscription")


def granted() -> dict[tuple[str, str], dict[str, set[str]]]:
    """Role and kind to the names that each app has it on; "yes" where there is one only."""
    found: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(
        lambda: {app: set() for app in APPS}
    )
    for row in json.loads((ROOT / "infra/azure/grants.json").read_text())["grants"]:
        name = row["name"] if row["on"] in NAMED else "yes"
        found[row["role"], row["on"]][row["identity"]].add(name)
    return found


def told() -> dict[tuple[str, str], dict[str, set[str]]]:
    table = OPERATIONS.text.partition("## Roles\n")[2].partition("\n## ")[0]
    return {
        (role.partition(":")[0], kind_of(where)): {
            "responder": names(responder),
            "executor": names(executor),
        }
        for role, where, responder, executor in _ROW.findall(table)
    }


def kind_of(where: str) -> str:
    """The kind whose words are the longest that the cell begins with."""
    fitting = [kind for kind, words in KINDS.items() if where.startswith(words)]
    return max(fitting, key=lambda kind: len(KINDS[kind]))


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell)) or ({"yes"} if cell.strip() == "yes" else set())


def test_every_right_is_told_and_no_other() -> None:
    assert told() == granted()


@pytest.mark.parametrize("app", APPS)
def test_the_table_is_read(app: str) -> None:
    assert sum(len(row[app]) for row in told().values()) > 10
