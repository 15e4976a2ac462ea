"""Translates every query before the first alert needs it: no alert pays for parsing.

A translation is kept by its text, in which only timespans and whole numbers are left: the caller
gives those that its world uses, the rest is stand-ins.
"""

from collections.abc import Sequence
from datetime import timedelta

from infra.local.logs.engine import KNOWN, know
from infra.local.logs.kept import keep, recall
from infra.local.logs.store import TelemetryStore
from shared.adapters import queries
from shared.domain.catalog import Service
from shared.domain.slos.balance import further_windows
from shared.domain.slos.burn_query import budget_query, burn_query


def warm_up(
    store: TelemetryStore,
    services: Sequence[Service] = (),
    *,
    lag_s: float,
    bin_s: float,
    window: timedelta = timedelta(hours=1),
) -> None:
    """Know every query, the shipped about nobody, the compiled about the services.

    Takes a second or two the first time, then next to nothing.
    """
    recalled = recall()
    now = store.now()
    by_type: dict[str, queries.Value] = {
        "string": "",
        "datetime": now,
        "real": 1000.0,
        "int": 4,
    }
    by_name: dict[str, queries.Value] = {
        "Lag": timedelta(seconds=lag_s),
        "Bin": timedelta(seconds=bin_s),
        "Window": window,
    }
    for name in queries.names():
        wanted = queries.load(name).parameters
        values = {key: by_name[key] if key in by_name else by_type[wanted[key]] for key in wanted}
        know(queries.render(name, **values))
    alike = {tuple(slo.indicator for slo in one.slos): one for one in services}
    compiled = [burn_query(service) for service in alike.values()]
    if services:
        compiled.append(budget_query(services, further_windows(services)))
    for query in compiled:
        know(queries.render(query, Lag=by_name["Lag"], Bin=by_name["Bin"]))
    if len(KNOWN) > recalled:
        keep()
