from collections import Counter
from datetime import timedelta

import pytest

from infra.local.logs.history import History, seed_history
from infra.local.logs.store import TelemetryStore
from tests.infra.local.logs.workspace import NOW, make_store

PLAN = History(service="fnol-summary", until=NOW, days=2, outcome_weeks=2)


def seeded(plan: History, text: str) -> list[tuple[object, ...]]:
    with make_store() as store:
        seed_history(store, plan)
        return store.query(text).rows


def test_the_same_plan_writes_the_same_rows() -> None:
    text = "AppRequests | project TimeGenerated, OperationId, DurationMs, tostring(Properties)"

    assert seeded(PLAN, text) == seeded(PLAN, text)


def test_the_past_ends_where_it_should() -> None:
    [(first, last)] = seeded(PLAN, "AppRequests | summarize min(TimeGenerated), max(TimeGenerated)")

    end = NOW.replace(tzinfo=None)
    assert end - timedelta(days=2) <= first < end - timedelta(days=1)  # type: ignore[operator]
    assert end - timedelta(hours=2) < last < end  # type: ignore[operator]


def test_it_is_healthy() -> None:
    [(total, failed)] = seeded(
        PLAN, "AppRequests | summarize sum(ItemCount), sumif(ItemCount, Success == false)"
    )

    assert failed <= 0.01 * total  # type: ignore[operator]
    assert total > 500  # type: ignore[operator]


def test_every_request_and_call_names_a_customer_of_its_region() -> None:
    rows = seeded(
        PLAN,
        """
        union AppRequests, AppDependencies
        | extend Region = tostring(Properties["backstop.region"])
        | extend Tenant = tostring(Properties["backstop.tenant"])
        | distinct Region, Tenant
        """,
    )

    assert len({tenant for _, tenant in rows}) == len(rows) == 2 * len(PLAN.regions)
    assert all(tenant for _, tenant in rows)


def test_every_request_called_the_model_and_was_checked() -> None:
    counted = seeded(
        PLAN,
        """
        union withsource = T AppRequests, AppDependencies, AppTraces
        | where tostring(Properties["gen_ai.operation.name"]) != "execute_tool"
        | summarize dcount(OperationId) by T
        """,
    )
    operations = {row[0]: row[1] for row in counted}

    assert operations.keys() == {"AppRequests", "AppDependencies", "AppTraces"}
    assert len(set(operations.values())) == 1


def test_outcomes_have_their_shares_and_the_office_its_hours() -> None:
    rows = seeded(
        PLAN,
        """
        AppEvents | where Name == "backstop.outcome"
        | project tostring(Properties["backstop.outcome"]), hourofday(TimeGenerated)
        """,
    )
    outcomes = Counter(outcome for outcome, _ in rows)
    by_day = Counter(7 <= hour < 19 for _, hour in rows)  # type: ignore[operator]

    assert outcomes["accepted"] / len(rows) == pytest.approx(0.78, abs=0.05)
    assert by_day[True] > 4 * by_day[False]


def test_it_says_how_many_rows_it_took() -> None:
    store = TelemetryStore(now=lambda: NOW)
    taken = seed_history(store, PLAN)
    [(kept,)] = store.query("union AppRequests, AppDependencies, AppTraces, AppEvents | count").rows
    store.close()

    assert taken == kept


def test_it_tells_once_a_minute_at_most_how_many_were_answered_well() -> None:
    [(rows, answers, minutes)] = seeded(
        PLAN,
        """
        AppEvents | where Name == "backstop.answered"
        | summarize count(), sum(tolong(Properties["backstop.answered"])),
            dcount(bin(TimeGenerated, 1m))
        """,
    )
    [(well,)] = seeded(PLAN, "AppRequests | summarize countif(Success)")

    assert rows == minutes < well  # type: ignore[operator]
    assert answers == pytest.approx(well, abs=5)
