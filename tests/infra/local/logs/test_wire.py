from datetime import UTC, datetime, timedelta

import pytest

from infra.local.logs import wire
from infra.local.logs.engine import Result

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kusto", "spelled"),
    [
        (datetime(2026, 11, 23, 12, 0, 0, 5), "datetime", "2026-11-23T12:00:00.0000050Z"),  # noqa: DTZ001
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "timespan", "1.02:03:04"),
        (timedelta(milliseconds=-1500), "timespan", "-00:00:01.5000000"),
        (float("nan"), "real", "NaN"),
        (float("-inf"), "real", "-Infinity"),
        (None, "long", None),
        (True, "bool", True),
        ('["a"]', "dynamic", '["a"]'),
        (["a"], "dynamic", '["a"]'),
    ],
)
def test_cells_are_spelled_as_the_service_spells_them(
    value: object, kusto: str, spelled: object
) -> None:
    result = Result(columns=[("x", kusto)], rows=[(value,)])

    [table] = wire.render_tables(result, 10)["tables"]

    assert table["columns"] == [{"name": "x", "type": kusto}]
    assert table["rows"] == [[spelled]]


def test_too_many_rows_are_cut_and_said_to_be() -> None:
    result = Result(columns=[("x", "long")], rows=[(1,), (2,), (3,)])

    body = wire.render_tables(result, 2)

    assert body["tables"][0]["rows"] == [[1], [2]]
    assert body["error"]["code"] == "PartialError"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("PT1H", NOON - timedelta(hours=1), NOON),
        ("PT3600.0S", NOON - timedelta(hours=1), NOON),
        ("P1DT2M", NOON - timedelta(days=1, minutes=2), NOON),
        ("2026-11-20T00:00:00Z/PT5M", *(datetime(2026, 11, 20, 0, m, tzinfo=UTC) for m in (0, 5))),
        ("2026-11-20/2026-11-21T00:00:00Z", *(datetime(2026, 11, d, tzinfo=UTC) for d in (20, 21))),
    ],
)
def test_timespans_are_iso_8601(text: str, start: datetime, end: datetime) -> None:
    assert wire.parse_timespan(text, NOON) == (start, end)


def test_no_timespan_is_no_limit() -> None:
    assert wire.parse_timespan(None, NOON) is None


@pytest.mark.parametrize("text", ["PT", "1h", "2026-11-20/soon"])
def test_a_timespan_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO|iso"):
        wire.parse_timespan(text, NOON)
