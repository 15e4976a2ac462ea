"""Translates every shipped query before the first alert needs it: no alert pays for parsing.

A translation is kept by its text, in which only timespans and whole numbers are left: the caller
gives those that its world uses, the rest is stand-ins.
"""

from datetime import timedelta

from infra.local.logs.store import TelemetryStore
from shared.adapters import queries


def warm_up(
    store: TelemetryStore, *, lag_s: float, bin_s: float, window: timedelta = timedelta(hours=1)
) -> None:
    """Ask every shipped query once, about nobody; takes a second or two."""
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
        store.query(queries.render(name, **values))
