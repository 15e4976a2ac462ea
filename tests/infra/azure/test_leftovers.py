"""What no file asks for any more is taken away, and nothing else."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.azure import leftovers, tools
from infra.azure.leftovers import clear, main

SUBSCRIPTION = "ba5e0000-0000-4000-8000-000000000001"
ELSEWHERE = "c1a10000-0000-4000-8000-000000000002"
EXECUTOR = "e8ec0000-0000-4000-8000-000000000003"
WORKSPACE = (
    f"/subscriptions/{ELSEWHERE}/resourceGroups/rg-claims/providers"
    "/Microsoft.MachineLearningServices/workspaces/mlw-claims"
)
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/summaries"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-backstop-test"
ROLES = ("Backstop Workspace Reader", "Backstop Endpoint Reader", "Backstop Traffic Writer")


class Azure:
    """What ARM lists of rules, rights and roles; a page holds two entries."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = []
        self.rights: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def run(self, *words: str) -> str:
        assert words[:2] == ("az", "rest")
        given = dict(zip(words[2::2], words[3::2], strict=True))
        url = urlsplit(given["--url"])
        assert url.hostname == "management.azure.com"
        asked = parse_qs(url.query)
        if given["--method"] == "DELETE":
            self.deleted.append(url.path)
            return ""
        if "/roleDefinitions/" in url.path:
            name = ROLES[int(url.path.rpartition("/")[2])]
            return json.dumps({"properties": {"roleName": f"{name} (test)"}})
        if url.path.endswith("/roleAssignments"):
            assert asked["$filter"] == [f"principalId eq '{EXECUTOR}'"]
            return self._page(url.path, self.rights, asked)
        return self._page(url.path, self.rules, asked)

    def _page(self, path: str, every: list[dict[str, Any]], asked: dict[str, list[str]]) -> str:
        first = int(asked.get("skip", ["0"])[0])
        following = f"{path}?api-version=x&skip={first + 2}"
        if "$filter" in asked:
            following += f"&$filter=principalId eq '{EXECUTOR}'"
        more = first + 2 < len(every)
        link = f"https://management.azure.com{following}" if more else None
        return json.dumps({"value": every[first : first + 2], "nextLink": link})

    def add_rule(self, name: str, env: str = "test") -> str:
        path = f"{GROUP}/providers/Microsoft.Insights/scheduledQueryRules/{name}"
        self.rules.append(
            {"id": path, "name": name, "tags": {"azd-env-name": env} if env else None}
        )
        return path

    def add_right(self, role: str, scope: str) -> str:
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{len(self.rights)}"
        known = f"/subscriptions/{ELSEWHERE}/providers/x/roleDefinitions/{ROLES.index(role)}"
        given = {"scope": scope, "roleDefinitionId": known}
        self.rights.append({"id": path, "properties": given})
        return path


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Azure:
    endpoints = [{"name": "summaries", "write": False}]
    place = {"subscription": ELSEWHERE, "group": "rg-claims", "workspace": "mlw-claims"}
    services = {
        "subscriptions": ["00000000-0000-0000-0000-00000000f001", ELSEWHERE],
        "workspaces": [place | {"endpoints": endpoints}],
    }
    (tmp_path / "services.json").write_text(json.dumps(services))
    (tmp_path / "rules.json").write_text(json.dumps([{"name": "summaries-burn"}]))
    monkeypatch.setattr(leftovers, "GENERATED", tmp_path)
    made = Azure()
    monkeypatch.setattr(tools, "run", made.run)
    told = {
        "AZURE_ENV_NAME": "test",
        "BACKSTOP_SUBSCRIPTION": SUBSCRIPTION,
        "BACKSTOP_RESOURCE_GROUP": "rg-backstop-test",
        "BACKSTOP_EXECUTOR_PRINCIPAL": EXECUTOR,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return made


def test_the_rule_of_an_objective_that_is_gone_goes(azure: Azure) -> None:
    azure.add_rule("Summaries-burn")
    azure.add_rule("backstop-test-responder-stands-still")
    gone = azure.add_rule("routing-burn")

    assert clear() == ["the rule routing-burn"]
    assert azure.deleted == [gone]


@pytest.mark.parametrize("env", ["", "production"])
def test_a_rule_that_somebody_else_made_there_stays(azure: Azure, env: str) -> None:
    azure.add_rule("our-own", env)
    assert clear() == []


def test_the_right_of_a_mode_that_was_lowered_goes(azure: Azure) -> None:
    """The catalog names the endpoint, and its mode moves nothing any more."""
    azure.add_right("Backstop Workspace Reader", WORKSPACE)
    azure.add_right("Backstop Endpoint Reader", ENDPOINT.lower())
    gone = azure.add_right("Backstop Traffic Writer", ENDPOINT)

    assert clear() == [f"Backstop Traffic Writer on {ENDPOINT}"]
    assert azure.deleted == [gone]


def test_the_rights_on_an_endpoint_that_is_gone_go(azure: Azure) -> None:
    other = f"{WORKSPACE}/onlineEndpoints/other"
    azure.add_right("Backstop Endpoint Reader", other)
    assert clear() == [f"Backstop Endpoint Reader on {other}"]


def test_what_is_not_in_a_workspace_stays(azure: Azure) -> None:
    azure.add_right("Backstop Endpoint Reader", f"/subscriptions/{ELSEWHERE}")
    assert clear() == []


def test_nothing_left_behind_is_said(azure: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert capsys.readouterr().out == "leftovers: none\n"


def test_before_anything_is_provisioned_nothing_is_looked_for(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BACKSTOP_EXECUTOR_PRINCIPAL")
    assert main() == 1
    assert "provision first" in capsys.readouterr().err
    assert azure.deleted == []
