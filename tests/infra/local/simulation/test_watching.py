"""What a newcomer sees of the watching: the rules as they stand, the workbook's rows."""

import pytest

from infra.generate.workbook import ORDER
from infra.local.foundry.seed import SERVICE
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.rules import Rules
from infra.local.simulation.watching import MOST_ROWS, panels_of, rules_of
from tests.infra.local.simulation.test_rules import NOW, SECOND, look, serve
from tests.infra.local.simulation.test_rules import rules as rules  # noqa: PLC0414 - a fixture
from tests.infra.local.simulation.test_rules import store as store  # noqa: PLC0414 - a fixture


def test_every_rule_of_the_service_says_what_it_fires_for(
    store: TelemetryStore, rules: Rules
) -> None:
    serve(store, "swedencentral", good=50, bad=20)
    serve(store, "westeurope", good=400)
    look(rules)

    shown = {rule["name"]: rule for rule in rules_of(rules, SERVICE)}

    assert len(shown) == len(rules.firing)
    fires = {name: rule["firing"] for name, rule in shown.items() if rule["firing"]}
    assert fires == {"fnol-summary-availability-part-14.4x-1h": ["region, swedencentral"]}
    assert rules_of(rules, "another") == []


def test_the_workbook_has_a_panel_for_each_question(store: TelemetryStore, rules: Rules) -> None:
    serve(store, "westeurope", good=40)

    panels = panels_of(store, rules.services, SERVICE)

    assert len(panels) == 1 + len(ORDER)
    by_title = {panel.title: panel for panel in panels}
    budgets = by_title["Error budgets of all services"]
    assert {row[1] for row in budgets.rows} == {slo.name for slo in rules.services[0].slos}
    (version,) = by_title["Versions side by side"].rows
    assert version[0] == "v1"
    assert by_title["What changed"].rows == ()


def test_a_chart_is_read_from_now_backwards(store: TelemetryStore, rules: Rules) -> None:
    for minutes_ago in (50, 1, 20):
        serve(store, "westeurope", good=40, ago=60 * minutes_ago * SECOND)

    panels = {panel.title: panel for panel in panels_of(store, rules.services, SERVICE)}

    times = [row[0] for row in panels["Errors by deployment, and what changed when"].rows]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)


def test_of_many_rows_the_newest_are_shown_and_the_rest_is_counted(
    store: TelemetryStore, rules: Rules
) -> None:
    for number in range(MOST_ROWS + 3):
        store.append("AppEvents", [change(number)])

    panels = {panel.title: panel for panel in panels_of(store, rules.services, SERVICE)}

    changes = panels["What changed"]
    assert [row[2] for row in changes.rows] == [f"did {number}" for number in range(MOST_ROWS)]
    assert changes.left_out == 3


def change(number: int) -> dict[str, object]:
    """What the ledger took so many seconds ago, as it is told to the workspace."""
    said = {"event": f"event-{number}", "kind": "release.registered", "what": f"did {number}"}
    return {
        "TimeGenerated": NOW - (number + 5) * SECOND,
        "AppRoleName": SERVICE,
        "Name": "backstop.change",
        "Properties": {f"backstop.{name}": value for name, value in said.items()},
    }


@pytest.mark.parametrize(("value", "text"), [(0.123456, "0.1235"), (None, ""), ("v1", "v1")])
def test_values_are_short(value: object, text: str) -> None:
    from infra.local.simulation.watching import _text

    assert _text(value) == text
