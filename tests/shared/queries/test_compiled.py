"""The compiled queries are valid Kusto: by Microsoft's analyser, for objectives of every kind."""

from datetime import timedelta

import pytest

from infra.local.logs.analyser import analyse, missing
from shared.adapters import queries
from shared.domain.diagnosis.telemetry import Query
from shared.domain.slos.burn_query import budget_query, burn_query
from shared.domain.slos.compile import window_query
from shared.domain.slos.slo import BURN_ALERTS
from tests.shared.domain.slos.services import ANSWERED, JUDGED, QUICK, UNTHROTTLED, service

QUOTED = service('it"s', ANSWERED)
MIXED = [
    service("a", ANSWERED, QUICK, JUDGED),
    service("b", JUDGED, UNTHROTTLED),
    service("c", UNTHROTTLED),
]
COMPILED: dict[str, Query] = {
    "one objective": burn_query(QUOTED),
    "three objectives": burn_query(MIXED[0]),
    "labels first": burn_query(MIXED[1]),
    "budgets of requests": budget_query([QUOTED, MIXED[2]]),
    "budgets of all": budget_query([*MIXED, QUOTED], ["2h", "1d"]),
}
RULES = {
    slo.name: window_query('it"s', slo, BURN_ALERTS[0], ["region", "deployment"])
    for slo in (ANSWERED, QUICK, UNTHROTTLED, JUDGED)
}


@pytest.mark.usefixtures("kept_analyser")
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_no_compiled_query_has_an_error_and_each_returns_the_columns_that_it_names() -> None:
    lag, width = timedelta(minutes=2), timedelta(minutes=1)
    texts = {name: queries.render(one, Lag=lag, Bin=width) for name, one in COMPILED.items()}
    found = analyse(texts | RULES)

    assert {name: one.errors for name, one in found.items()} == dict.fromkeys(found, ())
    for name, query in COMPILED.items():
        described = [f"{column}:{kusto}" for column, kusto in query.columns.items()]
        assert list(found[name].columns) == described
