"""Every shipped query is valid Kusto: by Microsoft's analyser, against the schema of the tables."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.logs.analyser import Analysis, analyse, missing
from shared.adapters import queries

SOME_VALUE: dict[str, queries.Value] = {
    "string": "fnol-summary",
    "datetime": datetime(2026, 11, 23, 12, tzinfo=UTC),
    "timespan": timedelta(minutes=1),
    "int": 4,
    "real": 800.0,
}

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


def rendered(name: str) -> str:
    wanted = queries.load(name).parameters
    return queries.render(name, **{key: SOME_VALUE[kusto] for key, kusto in wanted.items()})


@pytest.fixture(scope="module")
def analysed(kept_analyser: None) -> dict[str, Analysis]:
    return analyse({name: rendered(name) for name in queries.names()})


@pytest.mark.parametrize("name", queries.names())
def test_a_query_has_no_error(analysed: dict[str, Analysis], name: str) -> None:
    assert analysed[name].errors == ()


@pytest.mark.parametrize("name", queries.names())
def test_a_query_returns_the_columns_that_it_describes(
    analysed: dict[str, Analysis], name: str
) -> None:
    described = [f"{column}:{kusto}" for column, kusto in queries.load(name).columns.items()]

    assert list(analysed[name].columns) == described
