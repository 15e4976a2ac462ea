"""docs/deploy.md names every parameter of the deployment and every module, and no other."""

import json
import re

from infra.package.package import ROOT
from tests.docs.documents import read

DEPLOY = read("docs/deploy.md")
AZURE = ROOT / "infra/azure"
BY_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID"}
BY_A_HOOK = {"BACKSTOP_AUDIENCE", "BACKSTOP_AUDIENCE_OBJECT_ID"}
_ROW = re.compile(r"^\| `(BACKSTOP_\w+)` \| (.*?) \|", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?:=(.*))?\}")


def variables() -> dict[str, str]:
    """The variables of the azd environment that parameters come from, with their defaults."""
    given = json.loads((AZURE / "main.parameters.json").read_text())["parameters"]
    found = (_VARIABLE.fullmatch(one["value"]) for one in given.values())
    return {one[1]: one[2] or "" for one in found if one}


def section(title: str) -> str:
    return DEPLOY.text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_variable_is_told_with_its_default() -> None:
    told = {name: usual.strip("`") for name, usual in _ROW.findall(DEPLOY.text)}
    chosen = {name: usual for name, usual in variables().items() if name not in BY_AZD | BY_A_HOOK}
    assert told.keys() == chosen.keys()
    assert {n: told[n] for n, usual in chosen.items() if usual} == {
        n: usual for n, usual in chosen.items() if usual
    }
    assert variables().keys() >= BY_AZD | BY_A_HOOK


def test_every_module_is_told() -> None:
    said = section("What is made")
    modules = {file.stem for file in (AZURE / "modules").glob("*.bicep")}
    told = {name for name in re.findall(r"`([a-z-]+)`", said) if name in modules}
    assert told == modules


def test_every_variable_that_a_command_uses_is_an_output_or_a_parameter() -> None:
    outputs = set(re.findall(r"^output (\w+)", (AZURE / "main.bicep").read_text(), re.MULTILINE))
    used = set(re.findall(r"\$\{?(BACKSTOP_\w+)", DEPLOY.text))
    assert used - outputs - variables().keys() == set()


def test_what_was_not_tested_is_said() -> None:
    said = section("What was tested")
    assert "Not one request has gone to live Azure" in said
    for part in (
        "Bicep",
        "rights",
        "packages",
        "secure webhook",
        "Easy Auth",
        "private networking",
    ):
        assert f"\n| {part} |" in said
