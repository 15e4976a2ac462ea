"""What Azure Monitor would refuse of a rule: one valid rule, spoiled in one thing."""

import msgspec
import pytest

from shared.domain.detection.limits import mistakes
from shared.domain.detection.rule import (
    WINDOWS_MIN,
    AlertRule,
    RuleKind,
    Split,
    iso,
    minutes,
    window_over,
)

FINE = AlertRule(
    name="quotes-slow",
    kind=RuleKind.BURN,
    display_name="Quotes are slow",
    description="",
    severity=2,
    service="quotes",
    query="AppRequests | where TimeGenerated >= ago(5m) | summarize Burn = count() by Target",
    window="PT5M",
    measure_column="Burn",
    resource_id_column="Target",
    threshold=1,
)


def spoiled(query: str) -> AlertRule:
    return msgspec.structs.replace(FINE, query=query)


def test_a_rule_in_order_has_no_mistake() -> None:
    assert mistakes(FINE) == ()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("| union AppEvents", "union"),
        ('| search "x"', "search"),
        ("| take 10", "take"),
        ("| limit 10", "limit"),
        ("| where ingestion_time() > ago(1m)", "ingestion_time("),
        ("| join AppEvents on OperationId", "join"),
        ("| extend X = toscalar(AppEvents | count)", "toscalar"),
        ('| where "a" in (workspace("w").AppEvents)', "workspace("),
    ],
)
def test_what_a_one_minute_rule_cannot_ask_is_named(step: str, said: str) -> None:
    assert mistakes(spoiled(f"{FINE.query}\n{step}")) == (f"{said} is not allowed",)


def test_functions_over_other_tables_are_refused_with_every_let() -> None:
    assert "let is not allowed" in mistakes(spoiled(f"let E = AppEvents; {FINE.query}"))


@pytest.mark.parametrize(
    "named",
    [
        '| where AppRoleName == "union-search" // take all',
        "| where AppRoleName == 'take this'",
        '| where AppRoleName == @"c:\\" and Target != "join"',
        "| where AppRoleName == @'c:\\' and Target != 'join'",
        "| where AppRoleName == \"it's\" // don't join",
    ],
)
def test_words_in_texts_and_comments_are_no_operators(named: str) -> None:
    assert mistakes(spoiled(f"{FINE.query}\n{named}")) == ()


def test_what_stands_between_two_texts_is_read() -> None:
    step = """| where AppRoleName != "it's" | union AppEvents | where Target != "it's" """

    assert mistakes(spoiled(f"{FINE.query}\n{step}")) == ("union is not allowed",)


@pytest.mark.parametrize(("back", "fits"), [("5m", True), ("6m", False), ("1h", False)])
def test_a_query_looks_no_further_back_than_its_window(back: str, fits: bool) -> None:
    rule = spoiled(FINE.query.replace("5m", back))

    assert (mistakes(rule) == ()) is fits


@pytest.mark.parametrize(
    "change",
    [
        {"window": "P3D"},
        {"window": "PT7M"},
        {"window": "PT1M"},  # shorter than the five minutes between two looks
        {"evaluation_frequency": "PT2M"},
        {"severity": 5},
        {"name": "quotes/slow"},
        {"name": "quotes."},
        {"name": "q" * 261},
        {"measure_column": "Rate"},
        {"resource_id_column": "Resource"},
        {"dimensions": (Split(name="Region"),)},
        {"dimensions": (Split(name="Burn"),) * 7},
    ],
    ids=str,
)
def test_a_frame_that_azure_does_not_know_is_refused(change: dict[str, object]) -> None:
    assert mistakes(msgspec.structs.replace(FINE, **change))


@pytest.mark.parametrize("length", WINDOWS_MIN)
def test_durations_are_read_as_they_are_written(length: int) -> None:
    assert minutes(iso(length)) == length
    assert window_over(length) == iso(length)


def test_a_window_is_the_shortest_that_holds_what_is_asked() -> None:
    assert [window_over(length) for length in (7, 61, 361)] == ["PT10M", "PT2H", "P1D"]
    with pytest.raises(ValueError, match="two days"):
        window_over(2881)


@pytest.mark.parametrize(("frequency", "looks"), [("PT1M", 10), ("PT5M", 3)])
def test_an_alert_resolves_after_as_many_clean_looks_as_in_azure(
    frequency: str, looks: int
) -> None:
    assert msgspec.structs.replace(FINE, evaluation_frequency=frequency).clean_looks == looks
