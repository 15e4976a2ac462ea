from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from infra.local.logs.store import TelemetryStore
from tests.infra.local.logs.workspace import NOW, make_store


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store() as made:
        yield made


def test_a_row_is_seen_by_the_next_query(store: TelemetryStore) -> None:
    store.append("AppRequests", [{"Name": "POST /score"}])

    assert store.query("AppRequests | project Name, ItemCount, TimeGenerated").rows == [
        ("POST /score", 1, NOW.replace(tzinfo=None))
    ]


def test_rows_of_many_threads_all_arrive(store: TelemetryStore) -> None:
    def write(worker: int) -> None:
        for number in range(150):
            store.append("AppEvents", [{"Name": f"{worker}-{number}"}])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
        answers = list(threads.map(store.query, ["AppEvents | summarize dcount(Name)"] * 4))

    assert [answer.rows for answer in answers] == [[(600,)]] * 4


def test_properties_are_read_by_key(store: TelemetryStore) -> None:
    store.append("AppTraces", [{"Properties": {"backstop.region": 'west"europe'}}])

    answer = store.query('AppTraces | project tostring(Properties["backstop.region"])')

    assert answer.rows == [('west"europe',)]


def test_times_are_kept_in_utc_to_the_microsecond(store: TelemetryStore) -> None:
    east = timezone(timedelta(hours=2))
    store.append("AppEvents", [{"TimeGenerated": datetime(2026, 1, 1, 1, 30, 0, 1, tzinfo=east)}])

    expected = datetime(2025, 12, 31, 23, 30, 0, 1, tzinfo=UTC).replace(tzinfo=None)
    assert store.query("AppEvents | project TimeGenerated").rows == [(expected,)]


def test_a_timespan_cuts_every_table_half_open(store: TelemetryStore) -> None:
    hour = timedelta(hours=1)
    store.append("AppEvents", [{"TimeGenerated": NOW - hour * back} for back in (3, 2, 1, 0)])

    cut = store.query("AppEvents | count", timespan=(NOW - 2 * hour, NOW))

    assert cut.rows == [(2,)]


def test_a_hurried_query_sees_a_past_that_went_by_faster(store: TelemetryStore) -> None:
    second = timedelta(seconds=1)
    store.append("AppEvents", [{"TimeGenerated": NOW - second * back} for back in (0, 10, 30, 31)])
    ages = "AppEvents | project Age = now() - TimeGenerated | order by Age asc"

    answer = store.query_hurried(ages, window=timedelta(minutes=5), pace=10.0)

    assert answer.rows == [(timedelta(0),), (timedelta(seconds=100),), (timedelta(minutes=5),)]
    assert store.query("AppEvents | where TimeGenerated >= ago(15s) | count").rows == [(2,)]
    assert store.query("AppEvents | count").rows == [(4,)]


def test_the_activity_log_has_no_properties(store: TelemetryStore) -> None:
    store.append("AzureActivity", [{"Caller": "anna", "OperationNameValue": "X/WRITE"}])

    assert store.query("AzureActivity | project Caller").rows == [("anna",)]


def test_an_unknown_column_is_named(store: TelemetryStore) -> None:
    with pytest.raises(ValueError, match="Latency"):
        store.append("AppRequests", [{"Latency": 3}])


def test_an_unknown_table_is_named(store: TelemetryStore) -> None:
    with pytest.raises(KeyError, match="Nowhere"):
        store.append("Nowhere", [{}])


def test_a_file_outlives_its_store(tmp_path: Path) -> None:
    path = str(tmp_path / "telemetry.duckdb")
    first = TelemetryStore(path)
    first.append("AppEvents", [{"Name": "kept"}])
    first.close()

    second = TelemetryStore(path)
    answer = second.query("AppEvents | project Name")
    second.close()

    assert answer.rows == [("kept",)]
