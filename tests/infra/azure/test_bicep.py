"""All Bicep, without a compiler: it parses, names what exists, and says what the code says."""

import json
import re
from pathlib import Path

import pytest
import yaml

from infra.package.package import APPS, ROOT
from shared.services import CONTAINERS, TABLES
from shared.settings import read_settings
from tests.infra.azure.bicep import (
    AZURE,
    body_of,
    declared,
    files,
    properties,
    root,
    text,
    type_of,
    walk,
)

MAIN = AZURE / "main.bicep"
DURATION = re.compile(r"P(\d+D|T(\d+H)?(\d+M)?(\d+S)?)")
KEBAB = re.compile(r"[a-z]+(-[a-z]+)*\.bicep")
CAMEL = re.compile(r"[a-z]+([A-Z][a-z]*|[A-Z]+)*")
OUTPUT_OF_AZD = re.compile(r"[A-Z]+(_[A-Z]+)*(__fullyQualifiedNamespace)?")


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_it_parses(file: Path) -> None:
    assert [text(node)[:60] for node in walk(root(file)) if node.type == "ERROR"] == []
    assert not root(file).has_error


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_names_are_of_one_form(file: Path) -> None:
    assert KEBAB.fullmatch(file.name)
    for kind in ("parameter", "variable", "resource", "module"):
        assert [name for name in declared(file, kind) if not CAMEL.fullmatch(name)] == []


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_every_file_says_what_it_is_for(file: Path) -> None:
    assert file.read_text().startswith("// ")


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_what_it_loads_exists(file: Path) -> None:
    loaded = re.findall(r"load(?:Json|Text)Content\('([^']+)'\)", file.read_text())
    assert [name for name in loaded if not (file.parent / name).is_file()] == []


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_modules_get_the_parameters_that_they_have_and_all_that_they_need(file: Path) -> None:
    for name, module in declared(file, "module").items():
        given = set(properties(properties(body_of(module))["params"]))
        known = declared(file.parent / type_of(module), "parameter")
        needed = {one for one, node in known.items() if "=" not in [text(c) for c in node.children]}
        assert given <= known.keys(), f"{name}: {given - known.keys()}"
        assert needed <= given, f"{name}: {needed - given}"


def test_every_module_is_used() -> None:
    used = {
        (file.parent / type_of(module)).resolve()
        for file in files()
        for module in declared(file, "module").values()
    }
    assert used == set(files()) - {MAIN}


def test_every_declaration_is_used() -> None:
    for file in files():
        words = re.findall(r"\w+", file.read_text())
        for kind in ("parameter", "variable"):
            assert [name for name in declared(file, kind) if words.count(name) < 2] == []


def test_durations_are_iso_8601() -> None:
    texts = [text(node).strip("'") for file in files() for node in walk(root(file))
             if node.type == "string" and re.match(r"'PT?\d", text(node))]  # fmt: skip
    texts += [
        str(found)
        for name in ("generated/rules.json", "../servicebus.json")
        for found in re.findall(r'"(PT?\d[^"]*)"', (AZURE / name).read_text())
    ]
    assert texts
    assert [one for one in texts if not DURATION.fullmatch(one)] == []


def test_tables_and_containers_are_those_of_the_code() -> None:
    for file, wanted in (("tables", TABLES), ("evidence", CONTAINERS)):
        names = declared(AZURE / f"modules/{file}.bicep", "variable")["names"]
        assert re.findall(r"'(\w+)'", text(names)) == list(wanted)


def test_every_property_of_the_bus_is_taken_over() -> None:
    """What servicebus.json says and Bicep does not read would hold on one's own machine only."""
    said = json.loads((ROOT / "infra/servicebus.json").read_text())
    bicep = (AZURE / "modules/bus.bicep").read_text()
    (namespace,) = said["UserConfig"]["Namespaces"]
    topics = namespace["Topics"]
    subscriptions = [one for topic in topics for one in topic["Subscriptions"]]
    rules = [rule for one in subscriptions for rule in one.get("Rules", [])]
    for owner, things in (("topic", topics), ("one", subscriptions)):
        names = {name for thing in things for name in thing["Properties"]}
        read = set(re.findall(rf"{owner}\.[Pp]roperties\.(\w+)", bicep))
        assert read == names
    assert {kind for rule in rules for kind in rule["Properties"]} == {
        "FilterType",
        "CorrelationFilter",
    }
    assert {name for rule in rules for name in rule["Properties"]["CorrelationFilter"]} == {"Label"}


def test_the_parameters_file_names_parameters_and_gives_all_that_are_needed() -> None:
    given = json.loads((AZURE / "main.parameters.json").read_text())["parameters"]
    known = declared(MAIN, "parameter")
    needed = {one for one, node in known.items() if "=" not in [text(c) for c in node.children]}
    assert needed <= given.keys() <= known.keys()
    assert known.keys() - given.keys() == {"thisMonth"}, "each month's first, by its default"


def test_defaults_of_the_parameters_file_are_those_of_bicep() -> None:
    given = json.loads((AZURE / "main.parameters.json").read_text())["parameters"]
    known = declared(MAIN, "parameter")
    for name, said in given.items():
        variable = re.fullmatch(r"\$\{([A-Z_]+)(?:=(.*))?\}", said["value"])
        assert variable, name
        if variable[2] is not None:
            default = text(known[name]).rpartition("=")[2].strip().strip("'")
            assert default == variable[2], name


def test_azd_deploys_both_apps_as_they_were_packaged() -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert (azure["infra"]["path"], azure["infra"]["module"]) == ("infra/azure", "main")
    assert set(azure["services"]) == set(APPS)
    for app, service in azure["services"].items():
        assert service["dist"] == f".local/package/{app}.zip"
        assert service["hooks"]["prepackage"]["run"] == f"make package APP={app}"
    assert "union(tags, { 'azd-service-name': app })" in (AZURE / "modules/app.bicep").read_text()


def test_a_budget_keeps_the_month_that_it_was_made_in() -> None:
    """Azure refuses another one: *Start date of budgets cannot be updated*."""
    main = MAIN.read_text()
    given = json.loads((AZURE / "main.parameters.json").read_text())["parameters"]
    assert given["budgetStart"]["value"] == "${BACKSTOP_BUDGET_START=}"
    assert "output BACKSTOP_BUDGET_START string = budgetAmount > 0 ? budgetFrom : ''" in main
    assert "var budgetFrom = empty(budgetStart) ? thisMonth : budgetStart" in main


def test_what_the_doctor_needs_is_an_output_by_the_name_that_it_reads() -> None:
    """`azd env get-values` hands it over: nothing is to be copied by hand."""
    outputs = {name for name in declared(MAIN, "output") if name.startswith("BACKSTOP_")}
    settings = read_settings(dict.fromkeys(outputs, "https://kept.example/"))
    asked = ("tables", "bus", "logs_workspace", "blobs", "signing_key", "public_url")
    assert all(getattr(settings, name) for name in (*asked, "own_subscription"))


def test_outputs_become_variables_of_azd() -> None:
    assert [name for name in declared(MAIN, "output") if not OUTPUT_OF_AZD.fullmatch(name)] == []


def test_the_workbook_asks_the_workspace() -> None:
    """Bicep puts the workspace in place of these words, and reads no longer file."""
    contents = (AZURE / "generated/workbook.json").read_text()
    assert contents.count('"Azure Monitor"') == 1
    assert json.loads(contents)["fallbackResourceIds"] == ["Azure Monitor"]
    assert "'\"Azure Monitor\"'" in (AZURE / "modules/workbook.bicep").read_text()
    assert len(contents) < 131_072
