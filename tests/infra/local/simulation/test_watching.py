"""What a newcomer sees of the watching: the rules as they stand, the workbook's rows."""

import pytest

from infra.generate.workbook import ORDER
from infra.local.foundry.seed import SERVICE
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.rules import Rules
from infra.local.simulation.watching import panels_of, rules_of
from tests.infra.local.simulation.test_rules import look, serve
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


@pytest.mark.parametrize(("value", "text"), [(0.123456, "0.1235"), (None, ""), ("v1", "v1")])
def test_values_are_short(value: object, text: str) -> None:
    from infra.local.simulation.watching import _text

    assert _text(value) == text
