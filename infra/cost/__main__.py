"""`python -m infra.cost`: what 1, 10, 50 and 500 services like the shipped one cost a month."""

import sys
from pathlib import Path

from infra.cost.model import Month, copies, month
from infra.cost.prices import Prices, read_prices
from shared.adapters.catalog import load_catalog

CATALOG = Path(__file__).resolve().parents[2] / "shared" / "catalog"
MODEL = "fnol-summary"
COUNTS = (1, 10, 50, 500)
HEAD = (
    "services",
    "rules",
    "series",
    "alert rules",
    "functions",
    "bus",
    "storage",
    "logs",
    "total",
)


def months(prices: Prices) -> list[Month]:
    """One a count, of services like the shipped one."""
    model = load_catalog(CATALOG).services[MODEL]
    return [month(copies(model, count), prices) for count in COUNTS]


def table(found: list[Month]) -> str:
    """As the documents show it."""
    rows = [HEAD, tuple("---:" for _ in HEAD), *(_row(one) for one in found)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def advice(found: list[Month]) -> str:
    """When rules of their own for each service are cheaper than one rule for all of them."""
    return "\n".join(_advice(one) for one in found)


def _advice(one: Month) -> str:
    own, shared = f"{one.alert_rules:,.0f}", f"{one.shared_rules:,.0f}"
    if own == shared:
        return f"- {one.services} services: {own} either way."
    cheaper = "a rule a service" if one.alert_rules < one.shared_rules else "one rule for all"
    said = f"- {one.services} services: {own} with rules of their own, {shared} as one: {cheaper}"
    if one.breakeven is None:
        return f"{said}."
    return f"{said}, until a series costs {one.breakeven:.1f} times its price."


def _row(one: Month) -> tuple[str, ...]:
    money = (one.alert_rules, one.functions, one.bus, one.storage, one.logs, one.total)
    counts = (one.services, one.rules, one.series)
    return (*(f"{count:,}" for count in counts), *(f"{amount:,.0f}" for amount in money))


def main() -> int:
    """Print the table and the advice."""
    prices = read_prices()
    found = months(prices)
    where = f"{prices.currency} a month, list prices of {prices.region}, {prices.as_of}"
    sys.stdout.write(f"{where}\n\n{table(found)}\n\n{advice(found)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
