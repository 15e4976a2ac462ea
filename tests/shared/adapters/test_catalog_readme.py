"""The catalog's README: its examples are in order, and its tables name every field there is."""

import re
from pathlib import Path

import pytest

from shared.adapters.catalog import Reading, read_catalog
from shared.domain.slos.slo import BURN_ALERTS, BudgetAction, BurnAlert
from tests.shared.adapters.test_catalog import HEAD, SHIPPED, SLO, SOUND
from tests.shared.adapters.test_catalog_objectives import WATCHED

README = (SHIPPED / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
SERVICE = BLOCKS[0]


def block(part: str) -> str:
    (found,) = [one for one in BLOCKS[1:] if part in one]
    return str(found)


def read(folder: Path, text: str) -> Reading:
    (folder / "quotes.yaml").write_text(text, encoding="utf-8")
    return read_catalog(folder)


def test_the_example_is_in_order_and_needs_no_advice(tmp_path: Path) -> None:
    found = read(tmp_path, SERVICE)
    assert found.catalog.mistakes == ()
    assert found.reports[0].advice == []
    service = found.catalog.services["quotes"]
    assert [(slo.sli, slo.latency_ms) for slo in service.slos] == [
        ("availability", None),
        ("latency", 2_000),
    ]


def test_the_quality_objective_can_be_added_to_the_example(tmp_path: Path) -> None:
    found = read(tmp_path, f"{SERVICE}---\n{block('sli: quality')}")
    assert found.catalog.mistakes == ()
    indicator = found.catalog.services["quotes"].slos[-1].indicator
    assert (indicator.label_source, indicator.least_labelled) == ("judge", 0.05)


def test_the_alert_policy_can_be_added_to_the_example(tmp_path: Path) -> None:
    found = read(tmp_path, SERVICE + block("alertPolicyRef"))
    assert found.catalog.mistakes == ()
    assert found.reports[0].advice == []
    assert found.catalog.services["quotes"].slos[-1].alerts[0].burn_rate == 10


def test_the_budget_policy_can_be_added_to_the_example(tmp_path: Path) -> None:
    head, mark, rest = SERVICE.partition("---\n")
    found = read(tmp_path, head + block("error_budget:") + mark + rest)
    assert found.catalog.mistakes == ()
    assert [step.spent for step in found.catalog.services["quotes"].slos[0].budget_policy] == [
        0.5,
        0.8,
        1.0,
    ]


def test_every_action_of_a_budget_has_its_row() -> None:
    assert set(
        re.findall(r"^\| `(\w+)` \|", README.partition("| `action` |")[2], re.MULTILINE)
    ) == set(BudgetAction)


@pytest.mark.parametrize("alert", BURN_ALERTS, ids=lambda one: one.long_window)
def test_the_usual_alerts_are_told_as_they_are(alert: BurnAlert) -> None:
    (row,) = re.findall(rf"^\| {alert.burn_rate:g} .*$", README, re.MULTILINE)
    windows = f"`{alert.short_window}`, `{alert.long_window}`"
    assert f"| {windows} | {alert.severity} | {alert.action} |" in row


@pytest.mark.parametrize(
    ("text", "after", "indent"),
    [
        (HEAD + SLO, "spec:\n", "  "),
        (f"{HEAD}  policy:\n    id: a\n{SLO}", "  policy:\n", "    "),
        (f"{HEAD}  policy:\n    emergency:\n      burn_rate: 9\n{SLO}", "emergency:\n", "      "),
        (f"{HEAD}  error_budget:\n    - spent: 1\n{SLO}", "- spent: 1\n", "      "),
        (SOUND, "  service: quotes\n", "  "),
        (WATCHED, "  alertWhenBreaching: true\n", "  "),
        (WATCHED, "  severity: SEV1\n", "  "),
        (WATCHED.replace("spec: {target: ticket}", "spec:\n  target: ticket"), "ticket\n", "  "),
        (WATCHED.replace("{kind: burnrate,", "{unheard: 1, kind: burnrate,"), "", ""),
        (SOUND.replace("[{target:", "[{unheard: 1, target:"), "", ""),
        (SOUND.replace("isRolling: true", "isRolling: true, unheard: 1"), "", ""),
        (SOUND.replace("      ratioMetric:\n", "      ratioMetric:\n        unheard: 1\n"), "", ""),
    ],
)
def test_every_field_that_may_be_written_is_explained(
    tmp_path: Path, text: str, after: str, indent: str
) -> None:
    """An unknown field is answered with those there are: all of them are in the tables."""
    told = read(tmp_path, text.replace(after, f"{after}{indent}unheard: 1\n", 1) if after else text)
    (mistake,) = [one for one in told.catalog.mistakes if one.field.endswith(".unheard")]
    fields = mistake.allowed.rpartition("one of ")[2].split(", ")
    assert len(fields) > 1 or "target" in fields
    explained = {
        word for said in re.findall(r"`([^`\n]+)`", README) for word in re.findall(r"\w+", said)
    }
    assert set(fields) - explained == set()
