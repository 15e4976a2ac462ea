"""A tenant on this machine: what Entra, Graph and two vaults keep, as `az` and `azd` reach them.

It knows the few commands that infra/azure calls and refuses all others. What a real process says
is read in one test of `test_tools`; here the words arrive without one.
"""

import json
import uuid
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.azure import tools
from infra.azure.tools import GRAPH, ToolFailed

Record = dict[str, Any]
Given = dict[str, str]


class Tenant:
    """What it keeps, and the variables of the azd environment."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.apps: list[Record] = []
        self.principals: list[Record] = []
        self.azd: Given = {}
        self.vaults: dict[str, Given] = {"kv-resp": {}, "kv-exec": {}}
        self.refusals = 0  # of the next so many looks into a vault
        self.refreshed: list[str] = []
        self.said: list[tuple[str, ...]] = []
        patch.setattr(tools, "run", self.run)
        self.set(AZURE_ENV_NAME="test")

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def remember(self) -> None:
        """As azd: what was set in its environment is there for the next hook."""
        self.set(**self.azd)

    @property
    def directory(self) -> tuple[list[Record], list[Record], Given]:
        return deepcopy((self.apps, self.principals, self.azd))

    def run(self, tool: str, *words: str) -> str:
        self.said.append((tool, *words))
        if tool == "azd":
            self.azd[words[2]] = words[3]
            return ""
        first = next(at for at, word in enumerate(words) if word.startswith("--"))
        command = "_".join(words[:first])
        if not hasattr(self, command):
            raise ToolFailed(f"az {command} is not a command here")
        given = dict(zip(words[first::2], words[first + 1 :: 2], strict=True))
        return json.dumps(getattr(self, command)({k.lstrip("-"): v for k, v in given.items()}))

    def ad_app_list(self, given: Given) -> list[Record]:
        wanted = given["filter"]
        return [app for app in self.apps if f"displayName eq '{app['displayName']}'" == wanted]

    def ad_app_create(self, given: Given) -> Record:
        name = given["display-name"]
        self.apps.append({"appId": str(uuid.uuid4()), "id": str(uuid.uuid4()), "displayName": name})
        return self.apps[-1]

    def ad_app_show(self, given: Given) -> Record:
        return next(app for app in self.apps if app["appId"] == given["id"])

    def ad_sp_list(self, given: Given) -> list[Record]:
        return [one for one in self.principals if f"appId eq '{one['appId']}'" == given["filter"]]

    def ad_sp_create(self, given: Given) -> Record:
        self.principals.append({"appId": given["id"], "id": str(uuid.uuid4()), "assigned": []})
        return self.principals[-1]

    def rest(self, given: Given) -> Record | None:
        if "/config/configreferences/" in given["url"]:
            self.refreshed.append(given["url"])
            return None
        kind, key = given["url"].removeprefix(f"{GRAPH}/").split("/")[:2]
        every = self.apps if kind == "applications" else self.principals
        one = next(one for one in every if one["id"] == key)
        if given["method"] == "PATCH":
            one.update(json.loads(given["body"]))
        if given["method"] == "POST":
            one["assigned"].append(json.loads(given["body"]))
        return {"value": one["assigned"]} if given["method"] == "GET" else None

    def keyvault_secret_list(self, given: Given) -> list[Given]:
        if self.refusals:
            self.refusals -= 1
            raise ToolFailed("(Forbidden) Caller is not authorized to perform action")
        return [{"name": name} for name in self.vaults[given["vault-name"]]]

    def keyvault_secret_show(self, given: Given) -> Given:
        return {"value": self.vaults[given["vault-name"]][given["name"]]}

    def keyvault_secret_set(self, given: Given) -> None:
        self.vaults[given["vault-name"]][given["name"]] = Path(given["file"]).read_text()

    def functionapp_show(self, given: Given) -> Given:
        return {"id": f"/sites/{given['name']}"}


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    return Tenant(monkeypatch)
