"""Whatever is posted is an alert or RejectedInput, and its keys depend on no order."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.alerts.alert import Alert, parse_alert
from shared.errors import RejectedInput

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
BODIES = {path.stem: path.read_bytes() for path in Path(__file__).parents[3].glob("events/*.json")}
COMMON = sorted(name for name in BODIES if "legacy" not in name)


def event(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(BODIES[name])
    return document


def parse(document: object) -> Alert:
    return parse_alert(json.dumps(document).encode(), NOW)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["Sev2", "Resolved", "Fired", "Prometheus", "2026-11-20T09:14:07Z", "SEV٣"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document where something else may stand."""
    yield path
    inside = value.items() if isinstance(value, dict) else []
    listed = enumerate(value) if isinstance(value, list) else []
    for name, inner in [*inside, *listed]:
        yield from places(inner, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], junk: object) -> object:
    if not path:
        return junk
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], junk)
    return copy


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_wrong_type_anywhere_costs_a_field_never_the_alert(data: st.DataObject) -> None:
    document = event(data.draw(st.sampled_from(COMMON)))
    path = data.draw(st.sampled_from([place for place in places(document) if len(place) > 2]))
    alert = parse(replaced(document, path, data.draw(JUNK)))
    assert alert.rule
    assert alert.summary
    assert alert.fired_at.utcoffset() is not None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes_are_an_alert_or_refused(data: st.DataObject) -> None:
    body = bytearray(BODIES[data.draw(st.sampled_from(COMMON))])
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(RejectedInput):
        assert isinstance(parse_alert(bytes(body), NOW), Alert)


@given(st.binary(max_size=200), JUNK)
def test_random_bytes_and_documents_are_an_alert_or_refused(noise: bytes, junk: object) -> None:
    for body in (noise, json.dumps(junk).encode("utf-8", "surrogatepass")):
        with pytest.raises(RejectedInput):
            parse_alert(body, NOW)


def shuffled(value: Any, draw: Any) -> Any:
    """The same document with the members of every object and the dimensions in another order."""
    if isinstance(value, list):
        inner = [shuffled(one, draw) for one in value]
        return draw(st.permutations(inner))
    if isinstance(value, dict):
        return {name: shuffled(value[name], draw) for name in draw(st.permutations(list(value)))}
    return value


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_keys_do_not_depend_on_any_order(data: st.DataObject) -> None:
    document = event(data.draw(st.sampled_from(COMMON)))
    turned = parse(shuffled(document, data.draw))
    plainly = parse(document)
    assert turned.delivery_key == plainly.delivery_key
    assert turned.correlation_key == plainly.correlation_key
