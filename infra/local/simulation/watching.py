"""What a newcomer wants to see of the watching: each alert rule, and the rows of the workbook.

In Azure these are pages of the portal. Here they are the same rules, as they stand after their last
look, and the same queries, asked of the local logs.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from infra.generate.workbook import ORDER, budgets, panel, title
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.rules import Rules
from shared.adapters.queries import render_literal
from shared.domain.catalog import Service

MOST_ROWS = 24
AT = "TimeGenerated"
SINCE, WIDTH = "1h", "5m"


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One panel of the workbook for one service: its first rows, as text; of a chart the newest.

    `left_out` counts the rows behind them.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


def rules_of(rules: Rules, service: str) -> list[dict[str, Any]]:
    """Every rule of a service: what it watches, how often it looks, and what it fires for now."""
    return [
        {
            "name": firing.rule.name,
            "title": firing.rule.display_name,
            "every": firing.rule.evaluation_frequency,
            "window": firing.rule.window,
            "series": firing.rule.time_series,
            "firing": [_where(series) for series in firing.firing],
        }
        for firing in rules.firing
        if firing.rule.service == service
    ]


def panels_of(store: TelemetryStore, services: Sequence[Service], service: str) -> list[Panel]:
    """The workbook's panels over the last hour. Blocks: give it a thread."""
    asked = [("Error budgets of all services", budgets(services))]
    asked += [(title(name), _filled(name, service)) for name in ORDER]
    return [_panel(store, heading, query) for heading, query in asked]


def _filled(name: str, service: str) -> str:
    values = {
        "{Service}": render_literal(service, "string"),
        "{From}": f"ago({SINCE})",
        "{Until}": "now()",
        "{Bin}": WIDTH,
    }
    return panel(name, values)


def _panel(store: TelemetryStore, heading: str, query: str) -> Panel:
    result = store.query(query)
    columns = tuple(name for name, _ in result.columns)
    every = newest_first(columns, result.rows)
    rows = tuple(tuple(_text(value) for value in row) for row in every[:MOST_ROWS])
    return Panel(title=heading, columns=columns, rows=rows, left_out=len(every) - len(rows))


def newest_first(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """A chart's rows read from now backwards; what has no time keeps its order."""
    if AT not in columns:
        return list(rows)
    at = columns.index(AT)
    return sorted(rows, key=lambda row: row[at], reverse=True)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value).removesuffix("+00:00")[:120]


def _where(series: Sequence[tuple[str, str]]) -> str:
    return ", ".join(value for _, value in series) or "the whole service"
