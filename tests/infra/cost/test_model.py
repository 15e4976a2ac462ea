"""What a month costs: rules are counted from the files, and the documents show what is computed."""

from pathlib import Path

import msgspec
import pytest

from infra.cost.__main__ import CATALOG, COUNTS, MODEL, advice, months, table
from infra.cost.model import Month, copies, month, price_of
from infra.cost.prices import FILE, Prices, RulePrice, read_prices
from shared.adapters.catalog import load_catalog
from shared.domain.detection.rules import rules_of
from tests.docs.documents import read

PRICES = read_prices()
SERVICE = load_catalog(CATALOG).services[MODEL]


@pytest.fixture(scope="module")
def computed() -> list[Month]:
    return months(PRICES)


def with_series(price: float) -> Prices:
    rules = {minutes: RulePrice(rule=1.0, series=price) for minutes in PRICES.rules}
    return msgspec.structs.replace(PRICES, rules=rules)


def test_a_rule_costs_its_base_and_each_further_series() -> None:
    (rule, *_) = rules_of(SERVICE)
    split = msgspec.structs.replace(rule, time_series=4)
    assert price_of(split, with_series(0.1)) == pytest.approx(1.3)


def test_one_service_has_its_own_rules_and_series(computed: list[Month]) -> None:
    rules = rules_of(SERVICE)
    assert computed[0].rules == len(rules)
    assert computed[0].series == sum(rule.time_series for rule in rules)
    assert [one.services for one in computed] == list(COUNTS)


def test_the_parts_are_the_whole(computed: list[Month]) -> None:
    for one in computed:
        parts = (one.alert_rules, one.functions, one.bus, one.storage, one.logs)
        assert sum(parts) == pytest.approx(one.total)


def test_rules_of_their_own_are_cheaper_only_where_series_are_dear() -> None:
    few = copies(SERVICE, 3)
    cheap, dear = month(few, with_series(0.1)), month(few, with_series(1.1))
    assert cheap.shared_rules < cheap.alert_rules
    assert dear.shared_rules > dear.alert_rules
    assert cheap.breakeven == pytest.approx(10.0)


def test_what_runs_on_demand_is_charged_for_a_second_at_least() -> None:
    """A tick is done in half of one, on an instance that is there only while it works."""
    seconds = msgspec.structs.replace(PRICES.usage, tick_runs_s=PRICES.functions.least_s)
    longer = msgspec.structs.replace(PRICES.usage, tick_runs_s=2 * PRICES.functions.least_s)
    usual, whole, twice = (
        month([SERVICE], msgspec.structs.replace(PRICES, usage=usage)).functions
        for usage in (PRICES.usage, seconds, longer)
    )
    assert usual == pytest.approx(whole)
    assert twice > whole


def test_backstop_pays_for_its_own_logs_and_for_every_row_of_a_request() -> None:
    dear = msgspec.structs.replace(PRICES, logs=msgspec.structs.replace(PRICES.logs, free_gb=0.0))
    none, one, two = (month(copies(SERVICE, count), dear).logs for count in (0, 1, 2))
    told = PRICES.usage.per_service
    share = told.failing_share + (1 - told.failing_share) * told.kept_share
    rows = told.requests * told.rows_per_request * share
    assert none > 0
    assert two - one >= rows * told.row_kb / 1_000_000 * PRICES.logs.gb


def test_a_price_that_is_misspelt_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(FILE.read_text().replace("free_gb", "fre_gb"))
    with pytest.raises(msgspec.ValidationError, match="fre_gb"):
        read_prices(file)


def test_the_documents_show_what_is_computed(computed: list[Month]) -> None:
    text = read("docs/operations.md").text
    assert table(computed) in text
    assert advice(computed) in text
    assert f"list prices of {PRICES.region}, {PRICES.as_of}" in text
