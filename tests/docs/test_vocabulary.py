"""Words and counts that a document takes from the code are all of the code's, and no other."""

import json
import re
from enum import StrEnum

import pytest

from responders.people.handle import ACTIONS
from shared.adapters.queries import names
from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Verdict
from shared.domain.decisions.intent import IntentState
from shared.domain.decisions.rules import RULES
from shared.domain.diagnosis.diagnosis import Cause
from shared.domain.incidents.incident import DeliveryOutcome, State
from shared.domain.noise.quiet import QuietRule
from tests.docs.documents import ROOT, read


def table_after(name: str, header: str) -> set[str]:
    """The code words in the first column of the table whose head begins so."""
    _, found, rest = read(name).text.partition(f"| {header} ")
    assert found, header
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize(
    ("name", "header", "words", "beside"),
    [
        ("README.md", "mode", Mode, set()),
        ("docs/architecture.md", "rule | when", QuietRule, set()),
        ("docs/operations.md", "you read", QuietRule, set()),
        ("docs/runbooks/detect.md", "`state`", State, {"resolved"}),
        ("docs/runbooks/diagnose.md", "`attribution.cause`", Cause, set()),
        ("docs/runbooks/rollback.md", "`verdict`", Verdict, set()),
        ("docs/runbooks/rollback.md", "`intent.state`", IntentState, set()),
    ],
)
def test_a_table_has_every_word(
    name: str, header: str, words: type[StrEnum], beside: set[str]
) -> None:
    assert table_after(name, header) == {word.value for word in words} - beside


def test_the_states_of_a_delivery() -> None:
    told = table_after("docs/api.md", "`state`")
    assert told == {outcome.value for outcome in DeliveryOutcome} | {"accepted"}


def test_the_states_of_an_incident() -> None:
    text = read("docs/api.md").text
    listed = re.search(r"`state` is ((?:`\w+`[,\sor]*)+)", text)
    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == [state.value for state in State]


def test_the_actions_of_people() -> None:
    assert table_after("docs/api.md", "action") == set(ACTIONS)


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_the_number_of_rules(name: str) -> None:
    told = re.search(r"\b(\d+)(?: ordered)? rules\b", read(name).text)
    assert told
    assert int(told[1]) == len(RULES)


def test_the_subscriptions_of_the_bus() -> None:
    topology = json.loads((ROOT / "infra/servicebus.json").read_text())
    [namespace] = topology["UserConfig"]["Namespaces"]
    made = {
        (topic["Name"], subscription["Name"])
        for topic in namespace["Topics"]
        for subscription in topic["Subscriptions"]
    }
    text = read("docs/architecture.md").text
    told = set(re.findall(r"^\| `(work|changes)` \| `(\w+)` \|", text, re.MULTILINE))
    assert told == made


def test_the_queries_that_the_runbook_names() -> None:
    named = set(re.findall(r"`(\w+)\.kql`", read("docs/runbooks/diagnose.md").text))
    assert named
    assert named <= set(names())
