"""Who watches Backstop: rules of Azure's own, which tell people without anything of Backstop's."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.logs.analyser import analyse, missing
from infra.local.logs.store import TelemetryStore
from infra.package.package import ROOT
from shared.errors import Refused
from tests.infra.azure.bicep import AZURE, body_of, resources, text, value
from tests.infra.local.logs.workspace import NOW, make_store

SITE = "func-backstop-responder-token"
QUERY = (AZURE / "watchdog.kql").read_text().replace("{site}", SITE)
DONE = "Executed 'Functions.tick' (Succeeded, Id=7, Duration=212ms)"
SHUT_OUT = f"tick: {Refused('tables', 'AuthorizationPermissionMismatch')}"
THRESHOLD = 3
RULES = "Microsoft.Insights/scheduledQueryRules"


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store() as made:
        yield made


def told(message: str, times: int, *, site: str = SITE, ago_min: int = 1) -> list[dict[str, Any]]:
    place = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/{site}"
    row = {"TimeGenerated": NOW - timedelta(minutes=ago_min), "_ResourceId": place}
    return [row | {"Message": message, "FunctionName": "tick"}] * times


def fires(store: TelemetryStore, *rows: dict[str, Any]) -> bool:
    store.append("FunctionAppLogs", list(rows))
    ((worked,),) = store.query(QUERY).rows
    return int(str(worked)) < THRESHOLD


def test_an_app_that_ticks_is_left_alone(store: TelemetryStore) -> None:
    begun = "Executing 'Functions.tick' (Reason='Timer fired', Id=7)"
    assert not fires(store, *told(begun, 9), *told(DONE, 9))


def test_an_app_that_says_nothing_at_all_is_told_of(store: TelemetryStore) -> None:
    assert fires(store)


def test_what_another_app_does_or_was_done_long_ago_is_no_life(store: TelemetryStore) -> None:
    others = told(DONE, 90, site="func-backstop-executor-token")
    assert fires(store, *others, *told(DONE, 90, ago_min=16))


def test_an_app_that_its_tables_refuse_is_told_of_though_it_ticks(store: TelemetryStore) -> None:
    """It can open no incident about that, so it pages nobody."""
    assert fires(store, *told(DONE, 90), *told(SHUT_OUT, 90))


@pytest.mark.parametrize("job", ["ready_responder", "ready_executor"])
def test_an_app_that_may_not_keep_its_report_is_told_of(store: TelemetryStore, job: str) -> None:
    """Its ticks begin, because it may read; what it finds it may not write."""
    narrowed = f"tick: {job}: {Refused('tables', 'AuthorizationPermissionMismatch')}"
    assert fires(store, *told(DONE, 90), *told(narrowed, 90))


def test_another_job_that_is_refused_is_none_of_its_business(store: TelemetryStore) -> None:
    other = f"tick: page_all_due: {Refused('tables', 'AuthorizationPermissionMismatch')}"
    assert not fires(store, *told(DONE, 90), *told(other, 90))


def test_what_is_looked_for_is_what_the_app_says() -> None:
    assert "async def tick(" in (ROOT / "function_app.py").read_text()
    said = (ROOT / "shared/protocol/tick.py").read_text()
    assert 'log.warning("tick: %s", error)' in said
    assert 'log.warning("tick: %s: %s", job.name, error)' in said
    assert QUERY.count('"tick: tables is unavailable"') == 1
    assert SHUT_OUT.startswith("tick: tables is unavailable")


def test_a_moment_without_tables_is_none_of_its_business(store: TelemetryStore) -> None:
    assert not fires(store, *told(DONE, 90), *told(SHUT_OUT, 60))


@pytest.mark.usefixtures("kept_analyser")
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_the_query_is_kusto() -> None:
    found = analyse({"watchdog": QUERY})["watchdog"]
    assert found.errors == ()
    assert found.columns == ("Worked:long",)


def test_the_rules_compare_what_the_query_measures() -> None:
    ((_, rule),) = [one for one in resources(RULES) if one[0].stem == "watchdog"]
    said = text(rule)
    for line in (
        "metricMeasureColumn: 'Worked'",
        "operator: 'LessThan'",
        f"threshold: {THRESHOLD}",
        "windowSize: 'PT15M'",
        "replace(query, '{site}', app.site)",
    ):
        assert line in said


def test_who_is_told_is_told_by_azure_alone() -> None:
    ((_, group),) = [
        one for one in resources("Microsoft.Insights/actionGroups") if one[0].stem == "watchdog"
    ]
    said = text(body_of(group))
    assert "emailReceivers" in said
    assert "armRoleReceivers" in said
    assert "responderUrl" not in said
    assert value(body_of(group), "properties.enabled") == "true"


def test_no_rule_waits_for_its_table() -> None:
    """A new workspace knows some tables only once something has come: Azure would refuse the rule.

    The queries are held to Microsoft's analyser here.
    """
    found = resources(RULES)
    assert {path.stem for path, _ in found} == {"alerts", "watchdog"}
    for _, node in found:
        assert value(body_of(node), "properties.skipQueryValidation") == "true"
