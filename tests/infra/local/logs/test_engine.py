from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.logs import engine
from infra.local.logs.store import TelemetryStore
from tests.infra.local.logs.workspace import NOW, make_store


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store() as made:
        yield made


def first(store: TelemetryStore, text: str) -> tuple[object, ...]:
    return store.query(text).rows[0]


def test_make_series_is_the_documentations_example(store: TelemetryStore) -> None:
    answer = first(
        store,
        """
        let data = datatable(timestamp: datetime, metric: real)[
            datetime(2016-12-31T06:00), 50, datetime(2017-01-01), 4, datetime(2017-01-02), 3,
            datetime(2017-01-03), 4, datetime(2017-01-03T03:00), 6, datetime(2017-01-05), 8,
            datetime(2017-01-05T13:40), 13, datetime(2017-01-06), 4, datetime(2017-01-07), 3,
            datetime(2017-01-08), 8, datetime(2017-01-08T21:00), 8, datetime(2017-01-09), 2,
            datetime(2017-01-09T12:00), 11, datetime(2017-01-10T05:00), 5];
        data
        | make-series avg(metric) on timestamp
            from datetime(2017-01-01) to datetime(2017-01-10) step 1d
        | project avg_metric
        """,
    )

    assert answer == ("[4.0, 3.0, 5.0, 0.0, 10.5, 4.0, 3.0, 8.0, 6.5]",)


def test_make_series_without_a_range_is_refused(store: TelemetryStore) -> None:
    with pytest.raises(engine.QueryRefused, match="say from, to and step"):
        store.query("AppRequests | make-series count() on TimeGenerated step 1h")


def test_a_series_spreads_over_several_columns(store: TelemetryStore) -> None:
    answer = first(
        store,
        """
        print y = dynamic([2, 5, 6, 8, 11, 15, 17, 18, 25, 26, 30, 30])
        | extend (RSquare, Slope) = series_fit_line(y)
        | project RSquare = round(RSquare, 3), Slope = round(Slope, 3)
        """,
    )

    assert answer == (0.983, 2.731)


def test_percentiles_become_one_column_each(store: TelemetryStore) -> None:
    answer = store.query("range x from 1 to 100 step 1 | summarize percentiles(x, 50, 95)")

    assert [name for name, _ in answer.columns] == ["percentile_x_50", "percentile_x_95"]


def test_serialized_rows_see_the_row_before(store: TelemetryStore) -> None:
    answer = store.query("range x from 1 to 3 step 1 | serialize Before = prev(x)")

    assert answer.rows == [(1, None), (2, 1), (3, 2)]


def test_a_running_sum_follows_the_order(store: TelemetryStore) -> None:
    text = "range x from 1 to 3 step 1 | order by x desc | extend Sum = row_cumsum(x)"

    assert store.query(text).rows == [(3, 3), (2, 5), (1, 6)]


def test_a_take_may_name_a_number(store: TelemetryStore) -> None:
    answer = store.query("let Limit = int(2);\nrange x from 1 to 9 step 1 | take Limit")

    assert len(answer.rows) == 2


def test_the_clock_is_the_stores(store: TelemetryStore) -> None:
    assert first(store, "print now(), ago(1h)") == (
        NOW.replace(tzinfo=None),
        (NOW - timedelta(hours=1)).replace(tzinfo=None),
    )


def test_a_string_is_a_value_whatever_it_holds(store: TelemetryStore) -> None:
    text = 'let Name = "\\"; DROP TABLE AppRequests; //";\nprint Name'

    assert first(store, text) == ('"; DROP TABLE AppRequests; //',)


def test_one_translation_serves_other_values_at_another_time() -> None:
    query = (
        'let Since = datetime({});\nlet Service = "{}";\nlet Bin = 1s;\n'
        "let End = bin(now(), Bin);\nprint Service, End - Since"
    )
    engine.translate.cache_clear()

    answers = []
    for second, service in enumerate(["a", "b"]):
        now = datetime(2026, 11, 23, 12, 0, second, tzinfo=UTC)
        with make_store(now) as store:
            answers += store.query(query.format("2026-11-23T12:00:00Z", service)).rows

    assert answers == [("a", timedelta(0)), ("b", timedelta(seconds=1))]
    assert engine.translate.cache_info().misses == 2  # the query and its End


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("AppRequests | wher", "SyntaxError"),
        ("AppRequests | where Foo == 1", "SemanticError"),
        ("NoSuchTable | count", "SemanticError"),
        ("AppRequests | evaluate pivot(Name)", "SemanticError"),
        (".drop table AppRequests", "SemanticError"),
    ],
)
def test_a_wrong_query_is_refused_by_kind(store: TelemetryStore, text: str, code: str) -> None:
    with pytest.raises(engine.QueryRefused) as refusal:
        store.query(text)

    assert refusal.value.code == code


def test_a_query_that_takes_too_long_is_interrupted(store: TelemetryStore) -> None:
    numbers = "range {0} from 1 to 3000000 step 1 | extend k = {0} % 2"
    endless = (
        f"{numbers.format('x')} | join kind=inner ({numbers.format('y')}) on k | summarize sum(y)"
    )

    with pytest.raises(engine.QueryTimedOut):
        store.query(endless, timeout_s=0.2)
