"""Objectives as OpenSLO documents: what they refer to, who hears of a burn, what a budget does."""

from pathlib import Path

import pytest

from shared.adapters.catalog import read_catalog
from shared.adapters.catalog_report import Report
from shared.domain.catalog import CatalogMistake, Service
from shared.domain.incidents.incident import Severity
from shared.domain.slos.slo import (
    AlertAction,
    BudgetAction,
    BudgetStep,
    BurnAlert,
    Indicator,
    usual_alerts,
)
from tests.shared.adapters.test_catalog import HEAD, SLO, SOUND

SLI = """\
---
apiVersion: openslo/v1
kind: SLI
metadata:
  name: helpful
  labels: {sli: quality}
  annotations: {backstop/label-source: judge, backstop/least-labelled: "0.2"}
spec:
  ratioMetric:
    total:
      metricSource:
        type: LogAnalytics
        spec:
          query: AppEvents | where Name == "backstop.judgement"
    bad:
      metricSource:
        type: LogAnalytics
        spec:
          query: |
            AppEvents
            | where Name == "backstop.judgement"
            | where tostring(Properties["backstop.judgement"]) == "bad"
"""
POLICY = """\
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: fast-burn}]
  notificationTargets: [{targetRef: desk}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata:
  name: fast-burn
  annotations: {backstop/short-window: 30m, backstop/minimum-requests: "120"}
spec:
  severity: SEV1
  condition: {kind: burnrate, op: gte, threshold: 6, lookbackWindow: 6h}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: desk}
spec: {target: ticket}
"""
REFERS = SLO.partition("  indicator:\n")[0].replace(", labels: {sli: availability}", "")
REFERS += "  indicatorRef: helpful\n" + SLO[SLO.index("  timeWindow:") :]
WATCHED = SOUND + "  alertPolicies: [{alertPolicyRef: fast}]\n" + POLICY
INLINE = """\
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: slow}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {name: slow-burn, annotations: {backstop/minimum-requests: "500"}}
            spec:
              severity: SEV3
              condition: {kind: burnrate, op: gte, threshold: 1, lookbackWindow: 3d}
"""


def reading(folder: Path, text: str) -> tuple[Service | None, Report]:
    (folder / "quotes.yaml").write_text(text, encoding="utf-8")
    found = read_catalog(folder)
    return found.catalog.services.get("quotes"), found.reports[0]


def sound(folder: Path, text: str) -> Service:
    service, report = reading(folder, text)
    assert report.mistakes == []
    assert service
    return service


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def only(found: list[CatalogMistake], field: str) -> CatalogMistake:
    (one,) = [one for one in found if one.field == field]
    return one


def test_the_parts_of_an_indicator_are_cut_from_its_queries(tmp_path: Path) -> None:
    (slo,) = sound(tmp_path, SOUND).slos
    assert slo.indicator == Indicator(table="AppRequests", good="Success")


def test_a_quality_indicator_says_who_labels_and_how_much_must_be_labelled(tmp_path: Path) -> None:
    (slo,) = sound(tmp_path, HEAD + REFERS + SLI).slos
    assert slo.sli == "quality"
    assert slo.indicator == Indicator(
        table="AppEvents",
        where='Name == "backstop.judgement"',
        good='not(tostring(Properties["backstop.judgement"]) == "bad")',
        label_source="judge",
        least_labelled=0.2,
    )


def test_two_objectives_may_share_an_indicator(tmp_path: Path) -> None:
    second = REFERS.replace("quotes-availability", "quotes-strict").replace("0.995", "0.999")
    slos = sound(tmp_path, HEAD + REFERS + second + SLI).slos
    assert [slo.name for slo in slos] == ["quotes-availability", "quotes-strict"]
    assert slos[0].indicator == slos[1].indicator


def test_a_mistake_in_a_shared_document_is_told_once(tmp_path: Path) -> None:
    second = REFERS.replace("quotes-availability", "quotes-strict")
    text = HEAD + REFERS + second + SLI.replace("judge,", "jury,")
    _, report = reading(tmp_path, text)
    (mistake,) = report.mistakes
    assert (mistake.field, mistake.line) == (
        "metadata.annotations.backstop/label-source",
        line_of(text, "  annotations"),
    )


def test_an_alert_policy_names_windows_severity_and_who_hears_of_it(tmp_path: Path) -> None:
    (slo,) = sound(tmp_path, WATCHED).slos
    assert slo.alerts == (
        BurnAlert(
            burn_rate=6.0,
            short_window="30m",
            long_window="6h",
            severity=Severity.SEV1,
            action=AlertAction.TICKET,
            minimum_requests=120,
        ),
    )


def test_policies_may_stand_within_the_objective(tmp_path: Path) -> None:
    (alert,) = sound(tmp_path, SOUND + INLINE).slos[0].alerts
    assert (alert.short_window, alert.long_window) == ("6h", "3d")
    assert alert.action is AlertAction.TICKET


def test_an_objective_without_policies_has_the_usual_ones(tmp_path: Path) -> None:
    (slo,) = sound(tmp_path, SOUND).slos
    assert slo.alerts == usual_alerts(0.995, 28)


@pytest.mark.parametrize(
    "row",
    [
        ("alertPolicyRef: fast", "alertPolicyRef: fat", "alertPolicyRef: fat",
         "spec.alertPolicies[0].alertPolicyRef", "'fat' is unknown", "did you mean fast?"),
        ("[{alertPolicyRef: fast}]", "[]", "  alertPolicies", "spec.alertPolicies", "names none",
         "leave it out"),
        ("Breaching: true", "Breaching: false", "  alertWhenBreaching", "spec.alertWhenBreaching",
         "cannot be chosen", "true"),
        ("[{conditionRef: fast-burn}]", "[]", "  conditions", "spec.conditions", "0 conditions",
         "exactly one"),
        ("name: desk", "name: bell", "[{targetRef: desk", "spec.notificationTargets[0].targetRef",
         "'desk' is unknown", "bell"),
        ("target: ticket", "target: fax", "spec: {target: fax", "spec.target", "'fax' is unknown",
         "page"),
        ("burnrate", "burnrat", "  condition: {", "spec.condition.kind", "unknown", "burnrate"),
        ("op: gte", "op: lte", "  condition: {", "spec.condition.op", "'lte' is unknown", "gte"),
        ("threshold: 6", "threshold: 0", "  condition: {", "spec.condition.threshold", "0 is not",
         "above 0"),
        ("threshold: 6", "threshold: 201", "  condition: {", "spec.condition.threshold",
         "201 can never be reached", "at most 200"),
        ("lookbackWindow: 6h", "lookbackWindow: 2h", "  condition: {",
         "spec.condition.lookbackWindow", "'2h' is unknown", "6h"),
        ("short-window: 30m", "short-window: 6h", "  annotations: {backstop/sh",
         "metadata.annotations.backstop/short-window", "not the shorter", "shorter than 6h"),
        (', backstop/minimum-requests: "120"', "", "  annotations: {backstop/sh",
         "metadata.annotations.backstop/minimum-requests", "is missing", ""),
        ("severity: SEV1", "severity: high", "  severity", "spec.severity", "unknown", "SEV1"),
        ("severity: SEV1", "severity: SEV1\n  severty: SEV1", "  severty", "spec.severty",
         "is unknown", "did you mean severity?"),
        ("kind: AlertNotificationTarget\nmetadata: {name: desk}",
         "kind: AlertCondition\nmetadata: {name: fast-burn}", "metadata: {name: fast-burn}",
         "metadata.name", "occurs twice", "one document of each name"),
    ],
)  # fmt: skip
def test_a_mistaken_policy_says_where_and_what_would_be_right(
    tmp_path: Path, row: tuple[str, str, str, str, str, str]
) -> None:
    old, new, place, field, problem, allowed = row
    assert old in WATCHED
    text = WATCHED.replace(old, new, 1)
    service, report = reading(tmp_path, text)
    assert service is None
    mistake = only(report.mistakes, field)
    assert mistake.line == line_of(text, place)
    assert problem in mistake.problem
    assert allowed in mistake.allowed


@pytest.mark.parametrize("kind", ["SLI", "AlertPolicy", "AlertCondition"])
def test_what_nothing_refers_to_is_refused(tmp_path: Path, kind: str) -> None:
    document = SLI.replace("kind: SLI", f"kind: {kind}")
    _, report = reading(tmp_path, SOUND + document)
    (mistake,) = report.mistakes
    assert "is used by nothing" in mistake.problem


def test_a_reference_without_any_document_is_refused(tmp_path: Path) -> None:
    _, report = reading(tmp_path, HEAD + REFERS)
    mistake = only(report.mistakes, "spec.indicatorRef")
    assert "there is no SLI in this file" in mistake.problem


def test_two_objectives_of_one_name_are_refused(tmp_path: Path) -> None:
    _, report = reading(tmp_path, SOUND + SLO)
    assert [one.problem for one in report.mistakes] == ["SLO quotes-availability occurs twice"] * 2


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("", "spec.policy"),
        ("  policy: {burn_rate: 3}\n", "spec.policy.burn_rate"),
        (
            "  policy: {burn_rate: 2, emergency: {severity: SEV1, burn_rate: 10}}\n",
            "spec.policy.emergency",
        ),
    ],
)
def test_a_burn_that_no_objective_can_have_moves_no_traffic(
    tmp_path: Path, policy: str, field: str
) -> None:
    text = (HEAD + policy + SLO).replace("0.995", "0.6")
    _, report = reading(tmp_path, text)
    mistake = only(report.mistakes, field)
    assert "can never be reached" in mistake.problem
    assert "at most 2.5" in mistake.allowed


def test_an_alert_that_one_bad_request_fires_is_advised_against(tmp_path: Path) -> None:
    text = WATCHED.replace('"120"', '"33"')
    service, report = reading(tmp_path, text)
    assert service
    advice = only(report.advice, "metadata.annotations.backstop/minimum-requests")
    assert advice.line == line_of(text, '"33"')
    assert (advice.problem, advice.allowed) == (
        "one bad request of 33 would fire it",
        '"34" or more',
    )


@pytest.mark.parametrize(
    ("policy", "advice"),
    [
        ("{minimum_requests: 50}", ["one bad request of 50 burns 4 times too fast"]),
        ("{minimum_requests: 51}", []),
        ("{minimum_requests: 20, burn_rate: 20}", []),
        ("{burn_rate: 4}", []),
    ],
)
def test_traffic_that_one_bad_request_could_move_is_advised_against(
    tmp_path: Path, policy: str, advice: list[str]
) -> None:
    service, report = reading(tmp_path, f"{HEAD}  policy: {policy}\n{SLO}")
    assert service
    told = [one for one in report.advice if one.field == "spec.policy.minimum_requests"]
    assert [(one.line, one.problem) for one in told] == [(17, problem) for problem in advice]


def test_a_spent_budget_freezes_promotions_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    (slo,) = sound(tmp_path, SOUND).slos
    assert slo.budget_policy == (BudgetStep(spent=1.0, action=BudgetAction.FREEZE),)


def test_the_steps_of_a_budget_policy_come_least_spent_first(tmp_path: Path) -> None:
    steps = "  error_budget: [{spent: 1, action: freeze}, {spent: 0.5, action: ticket}]\n"
    (slo,) = sound(tmp_path, HEAD + steps + SLO).slos
    assert slo.budget_policy == (
        BudgetStep(spent=0.5, action=BudgetAction.TICKET),
        BudgetStep(spent=1.0, action=BudgetAction.FREEZE),
    )


@pytest.mark.parametrize(
    ("step", "field", "problem"),
    [
        ("{spent: 1, action: frezze}", "spec.error_budget[0].action", "'frezze' is unknown"),
        ("{spent: 80, action: page}", "spec.error_budget[0].spent", "80 is not allowed"),
        ("{spent: 1}", "spec.error_budget[0].action", "is missing"),
    ],
)
def test_a_mistaken_step_says_where(tmp_path: Path, step: str, field: str, problem: str) -> None:
    _, report = reading(tmp_path, f"{HEAD}  error_budget: [{step}]\n{SLO}")
    mistake = only(report.mistakes, field)
    assert mistake.line == 17
    assert problem in mistake.problem


def test_a_budget_policy_that_freezes_nothing_is_advised_against(tmp_path: Path) -> None:
    _, report = reading(tmp_path, f"{HEAD}  error_budget: []\n{SLO}")
    assert only(report.advice, "spec.error_budget").line == 17
