"""The four runbooks are real: their commands parse, their queries answer, their approvers may.

Their requests are run against a world by the test of docs/api.md, which has one.
"""

import re
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import function_app
from infra.local.logs.analyser import analyse, missing
from shared.adapters.catalog import load_catalog
from shared.domain.authority.permissions import Permission, permission_of
from tests.docs.documents import ROOT, Document, read
from tests.infra.local.logs.workspace import NOW, make_store
from tests.shared.queries import telemetry

RUNBOOKS = [
    read(f"docs/runbooks/{name}.md") for name in ("detect", "diagnose", "rollback", "verify")
]
QUERIES = ROOT / "shared" / "queries"

_FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_CURL = re.compile(r'curl -H "\$ME" "\$BACKSTOP(/[^"?]*)[^"]*"( --data .+)?')
_LOOK = "look"
_AZ = {
    "show": {"--query"},
    "invoke": {"--deployment-name", "--request-file"},
    "update": {"--traffic"},
}
_ANYWHERE = {"--name", "--resource-group", "--workspace-name"}

named = pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda one: one.path.stem)


def fenced(runbook: Document, language: str) -> list[str]:
    """The fenced blocks of a language, also those within a list."""
    return [text for _, of, text in _FENCED.findall(runbook.text) if of == language]


def commands(runbook: Document, program: str) -> list[str]:
    lines = "".join(fenced(runbook, "sh")).splitlines()
    return [line.strip() for line in lines if line.split()[:1] == [program]]


def requests_of_runbooks() -> list[str]:
    """Every request of the four, in the order of an incident."""
    return [command for runbook in RUNBOOKS for command in commands(runbook, "curl")]


def opened_by(command: str) -> tuple[str, Permission]:
    """What a request does, in the word of a runbook's table, and who may."""
    found = _CURL.fullmatch(command)
    assert found, command
    path, verb = found[1], "POST" if found[2] else "GET"
    for name, method, route, _ in function_app.ROUTES:
        match = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", f"/{route}"), path)
        if match and method == verb:
            action = match.groupdict().get("action", "")
            return path.rpartition("/")[2] if found[2] else _LOOK, permission_of(name, action)
    raise AssertionError(f"no route for {verb} {path}")


def told(runbook: Document) -> dict[str, set[str]]:
    """The runbook's table of who may do what."""
    rows = runbook.text.partition("| what | who may |\n|---|---|\n")[2].partition("\n\n")[0]
    cells = [row.strip("| ").split(" | ") for row in rows.splitlines()]
    return {
        what: set(who.split(", "))
        for whats, who in cells
        for what in (re.findall(r"`([^`]+)`", whats) or [whats])
    }


@named
def test_who_may_is_who_the_door_lets_in(runbook: Document) -> None:
    opened = [opened_by(command) for command in commands(runbook, "curl")]
    assert told(runbook) == {
        what: {role.value for role in permission.people} for what, permission in opened
    }


@named
def test_the_commands_are_those_of_a_shell(runbook: Document) -> None:
    blocks = fenced(runbook, "sh")
    assert blocks
    subprocess.run(["sh", "-n"], input="\n".join(blocks), text=True, check=True, timeout=10)


@named
def test_bodies_are_json(runbook: Document) -> None:
    for command in commands(runbook, "curl"):
        words = shlex.split(command)
        if "--data" in words:
            assert isinstance(msgspec.json.decode(words[words.index("--data") + 1]), dict)


def test_what_is_done_by_hand_names_an_endpoint_and_options_that_there_are() -> None:
    endpoints = {
        target.id.rpartition("/")[2]
        for service in load_catalog(ROOT / "shared/catalog").services.values()
        for target in service.targets
    }
    found = [shlex.split(line) for runbook in RUNBOOKS for line in commands(runbook, "az")]
    assert {words[3] for words in found} == set(_AZ)
    for words in found:
        assert words[:3] == ["az", "ml", "online-endpoint"]
        given = dict(zip(words[4::2], words[5::2], strict=True))
        assert set(given) == _ANYWHERE | _AZ[words[3]]
        assert given["--name"] in endpoints


def queries() -> dict[str, str]:
    """Every query that a runbook shows, and every shipped one that it tells to run."""
    shown = {
        f"{runbook.path.stem}-{number}": text
        for runbook in RUNBOOKS
        for number, text in enumerate(fenced(runbook, "kql"))
    }
    lets = shown.pop("diagnose-0")
    names = re.findall(r"`(\w+)\.kql`", read("docs/runbooks/diagnose.md").text)
    return shown | {name: lets + (QUERIES / f"{name}.kql").read_text() for name in names}


@pytest.mark.usefixtures("kept_analyser")
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_no_query_is_rejected_by_the_analyser() -> None:
    assert {name: one.errors for name, one in analyse(queries()).items() if one.errors} == {}


@pytest.fixture(scope="module")
def answers() -> dict[str, list[dict[str, Any]]]:
    """What each query answers where the telemetry is known."""
    with make_store(NOW) as store:
        store.append("AppRequests", telemetry.requests())
        store.append("AppDependencies", telemetry.tool_calls())
        store.append("AppTraces", telemetry.safety_traces())
        found = {}
        for name, text in queries().items():
            result = store.query(text)
            columns = [column for column, _ in result.columns]
            found[name] = [dict(zip(columns, row, strict=True)) for row in result.rows]
        return found


def test_every_query_of_a_runbook_runs(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers.keys() == queries().keys()
    silent = {name for name, rows in answers.items() if not rows}
    assert silent == {"index_freshness", "activity"}  # of which nothing is known here


def test_the_figures_of_a_runbook_are_true(answers: dict[str, list[dict[str, Any]]]) -> None:
    own = [row for row in telemetry.requests() if row["AppRoleName"] == telemetry.SERVICE]
    customers = [row for row in own if "backstop.probe" not in row["Properties"]]
    (arriving,) = answers["detect-0"]
    hour = telemetry.within(own, NOW - timedelta(hours=1), NOW)
    assert arriving["Requests"] == telemetry.weigh(hour)
    assert arriving["Failed"] == telemetry.weigh(hour, telemetry.is_failed)
    day = telemetry.within(customers, NOW - timedelta(days=1), NOW)
    version = telemetry.prop("backstop.deployment")
    for row in answers["rollback-0"]:
        served = [one for one in day if version(one) == row["Version"]]
        bad = telemetry.weigh(served, telemetry.is_failed)
        assert row["Requests"] == telemetry.weigh(served)
        assert row["BadPercent"] == pytest.approx(100 * bad / row["Requests"], abs=0.051)
    assert sum(row["Failed"] for row in answers["diagnose-1"]) == arriving["Failed"]
    lately = telemetry.within(customers, NOW - timedelta(minutes=10), NOW)
    assert sum(row["Requests"] for row in answers["verify-0"]) == telemetry.weigh(lately)


def test_the_links_of_the_four_lead_through_an_incident() -> None:
    after = {"detect": "diagnose.md", "diagnose": "rollback.md", "rollback": "verify.md"}
    for runbook in RUNBOOKS[:-1]:
        assert after[runbook.path.stem] in [Path(link).name for link in runbook.links]
