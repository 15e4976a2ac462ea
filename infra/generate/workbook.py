"""The workbook of the deployment: how much budget is left, what burns it, what changed, the cost.

The budgets are counted by the compiled query that pages and `GET /api/slos` use; every other panel
is one file of `panels/`, whose head says its title and looks. `{Service}` and its like are filled
in by the workbook's own parameters.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from shared.adapters import queries
from shared.domain.catalog import Catalog, Service
from shared.domain.slos.burn_query import budget_query
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.kql import quote, real
from shared.domain.slos.slo import WINDOWS

PANELS = Path(__file__).parent / "panels"
ORDER = ("incidents", "errors", "changes", "versions", "outcomes", "cost", "health")
LAG = timedelta(minutes=2)
WORKSPACE = "microsoft.operationalinsights/workspaces"
FILLED = {
    "{Service}": "'{Service}'",
    "{From}": "{Time:start}",
    "{Until}": "{Time:end}",
    "{Bin}": "{Time:grain}",
}
_HEAD = re.compile(r"^// (\w+): (.*)\n", re.MULTILINE)

type Item = dict[str, Any]


def workbook_file(catalog: Catalog) -> bytes:
    """The file's content: a workbook of Azure Monitor, of the services in the catalog."""
    services = tuple(catalog.services[name] for name in sorted(catalog.services))
    items = [
        _heading(),
        _parameters([service.name for service in services]),
        _panel("budgets", "Error budgets of all services", "table", budgets(services)),
        *(_shipped(name) for name in ORDER),
    ]
    workbook = {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": ["Azure Monitor"],
    }
    return msgspec.json.format(msgspec.json.encode(workbook)) + b"\n"


def budgets(services: Sequence[Service]) -> str:
    """Budget left and burn rates of every objective of all services, in one query.

    Columns: Service, Slo, Objective, BudgetLeft (percent; below 0 it is overspent) and a burn rate
    a window; null where nothing was counted, or too few of the answers were judged.
    """
    query = budget_query(services)
    counted = queries.render(query, Lag=LAG, Bin=timedelta(minutes=1))
    rows = [
        f"  {quote(service.name)}, {quote(slo.name)}, {real(slo.objective)}, "
        f"{real(slo.indicator.least_labelled)}"
        for service in services
        for slo in service.slos
    ]
    promised = "datatable(Service: string, Slo: string, Objective: real, Least: real) ["
    rate = {one: _rate(one, labels=f"A{one}" in query.columns) for one in (BUDGET, *WINDOWS)}
    rates = [f"Burn{window} = {rate[window]}" for window in WINDOWS]
    names = ["Service", "Slo", "Objective", "BudgetLeft", *(f"Burn{one}" for one in WINDOWS)]
    return "\n".join(
        [
            counted,
            f"| lookup kind=inner ({promised}\n{',\n'.join(rows)}]) on Service, Slo",
            f"| extend BudgetLeft = 100.0 * (1.0 - {rate[BUDGET]}),",
            f"    {',\n    '.join(rates)}",
            f"| project {', '.join(names)}",
            "| order by BudgetLeft asc",
        ]
    )


def panel(name: str, values: Mapping[str, str]) -> str:
    """The query of one panel, with `values` for its parameters, those of `FILLED`."""
    text = _HEAD.sub("", (PANELS / f"{name}.kql").read_text())
    for parameter, value in values.items():
        text = text.replace(parameter, value)
    return text


def title(name: str) -> str:
    """What the workbook writes above a panel."""
    return _head(name)["title"]


def _head(name: str) -> dict[str, str]:
    return dict(_HEAD.findall((PANELS / f"{name}.kql").read_text()))


def _rate(window: str, *, labels: bool) -> str:
    """Bad by total over the share that may be bad; null where that cannot be told."""
    known = f"T{window} > 0" + (f" and T{window} >= Least * A{window}" if labels else "")
    return f"iff({known}, 1.0 * B{window} / T{window} / (1.0 - Objective), real(null))"


def _shipped(name: str) -> Item:
    head = _head(name)
    return _panel(name, head["title"], head["looks"], panel(name, FILLED))


def _panel(name: str, title: str, looks: str, query: str) -> Item:
    content = {
        "version": "KqlItem/1.0",
        "query": query,
        "size": 0,
        "title": title,
        "noDataMessage": "Nothing was told in this time.",
        "queryType": 0,
        "resourceType": WORKSPACE,
        "visualization": looks,
    }
    return {"type": 3, "content": content, "name": name}


def _heading() -> Item:
    said = (
        "## Backstop\n"
        "What the services tell, and what Backstop does about it. Incidents are decided on its\n"
        "own console, and its ledger is the record: this page is their echo in the workspace."
    )
    return {"type": 1, "content": {"json": said}, "name": "heading"}


def _parameters(names: Sequence[str]) -> Item:
    choices = [{"value": name, "label": name, "selected": not at} for at, name in enumerate(names)]
    service = {
        "version": "KqlParameterItem/1.0",
        "name": "Service",
        "type": 2,
        "isRequired": True,
        "jsonData": msgspec.json.encode(choices).decode(),
        "value": names[0] if names else "",
    }
    hours = [3_600_000 * hours for hours in (1, 4, 12, 24, 72, 168)]
    time = {
        "version": "KqlParameterItem/1.0",
        "name": "Time",
        "type": 4,
        "isRequired": True,
        "typeSettings": {"selectableValues": [{"durationMs": one} for one in hours]},
        "value": {"durationMs": hours[1]},
    }
    content = {
        "version": "KqlParameterItem/1.0",
        "parameters": [service, time],
        "style": "pills",
        "queryType": 0,
        "resourceType": WORKSPACE,
    }
    return {"type": 9, "content": content, "name": "parameters"}
