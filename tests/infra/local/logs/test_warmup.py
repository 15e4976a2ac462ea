from datetime import timedelta
from typing import Any

import msgspec

from infra.local.logs import engine
from infra.local.logs.warmup import warm_up
from shared.adapters import queries
from shared.domain.slos.burn_query import burn_query
from tests.infra.local.logs.workspace import NOW, make_store
from tests.shared.domain.incidents.situations import SERVICE


def test_after_it_no_query_is_translated_again() -> None:
    with make_store() as store:
        warm_up(store, [SERVICE], lag_s=2.0, bin_s=5.0)
        before = engine.translate.cache_info().misses

        window: dict[str, Any] = {"Lag": timedelta(seconds=2), "Bin": timedelta(seconds=5)}
        wanted: dict[str, Any] = {"Service": "fnol-summary", "Since": NOW - timedelta(hours=1)}
        store.query(queries.render("soak", **window, **wanted, LatencyThresholdMs=1234.5))
        store.query(queries.render("onset", **window, **wanted))
        another = msgspec.structs.replace(SERVICE, name="another")
        store.query(queries.render(burn_query(another), **window))

    assert engine.translate.cache_info().misses == before
