"""Signals: read strictly, judged by the objective, and then an alert like any other."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerts.alert import Condition
from shared.domain.noise.grouping import find_service, target_of
from shared.domain.signals.reading import Judged, Source
from shared.domain.signals.signal import (
    MAX_BODY,
    Signal,
    alert_of,
    may_tell,
    owner_of,
    read_signal,
)
from shared.domain.slos.slo import BURN_ALERTS, Indicator, Slo
from shared.errors import RejectedInput
from tests.fakes.services import catalog_of
from tests.shared.domain.decisions.worked_case import NOW, TARGET
from tests.shared.domain.signals.told import APP, RECEIVED, SIGNAL, TELLING, body


def alter(**changes: object) -> Signal:
    return msgspec.structs.replace(SIGNAL, **changes)


def test_what_was_posted_is_read() -> None:
    assert read_signal(body(), RECEIVED) == SIGNAL


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ""}, "empty-field"),
        ({"service": ""}, "empty-field"),
        ({"id": "x" * 129}, "too-long"),
        ({"region": "x" * 129}, "too-long"),
        ({"good": 81}, "wrong-counts"),
        ({"good": -1}, "wrong-counts"),
        ({"good": 0, "total": 10**10}, "wrong-counts"),
        ({"window": "2h"}, "wrong-window"),
        ({"window": "soon"}, "wrong-window"),
        ({"ended_at": "2026-11-23T14:04:59"}, "wrong-time"),
        ({"ended_at": (NOW - timedelta(minutes=16)).isoformat()}, "too-old"),
        ({"ended_at": (NOW + timedelta(minutes=2)).isoformat()}, "too-early"),
        ({"source": "azure"}, "wrong-field"),
        ({"good": "40"}, "wrong-field"),
        ({"prompt": "unknown fields are refused"}, "wrong-field"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        read_signal(body(**changes), RECEIVED)
    assert refused.value.reason == reason


@given(st.binary(max_size=200) | st.just(b"[" * 5000) | st.just(b" " * (MAX_BODY + 1)))
def test_whatever_comes_is_read_or_refused(noise: bytes) -> None:
    with pytest.raises(RejectedInput):
        read_signal(noise, RECEIVED)


def test_it_becomes_an_alert_about_the_services_own_target() -> None:
    alert = alert_of(SIGNAL, TELLING)
    assert (alert.kind, alert.condition, alert.severity) == ("signal", Condition.FIRED, 1)
    assert find_service(alert, catalog_of(TELLING)) == TELLING
    assert target_of(alert, TELLING) == TARGET
    assert alert.summary == (
        "telemetry-helper: fnol-availability in swedencentral: 40 of 80 good within 1m, the budget"
        " burns 50.0 times too fast"
    )


def test_the_same_signal_again_is_the_same_delivery_and_the_next_the_same_trouble() -> None:
    first, again, later = (alert_of(alter(id=name), TELLING) for name in ("a", "a", "b"))
    assert first.delivery_key == again.delivery_key != later.delivery_key
    assert first.correlation_key == later.correlation_key


@pytest.mark.parametrize(
    "changes", [{"region": ""}, {"slo": "fnol-latency"}, {"source": Source.HEALTH_CHECK}]
)
def test_another_objective_region_or_source_is_another_trouble(changes: dict[str, object]) -> None:
    assert alert_of(alter(**changes), TELLING).correlation_key != (
        alert_of(SIGNAL, TELLING).correlation_key
    )


@pytest.mark.parametrize(("good", "judged"), [(80, Judged.KEPT), (79, Judged.KEPT)])
def test_what_shows_no_breach_is_an_end(good: int, judged: Judged) -> None:
    alert = alert_of(alter(good=good), TELLING)
    assert alert.reading is not None
    assert alert.reading.judged is judged
    began = SIGNAL.ended_at - timedelta(seconds=54)  # but for a tenth of the window
    assert (alert.condition, alert.at) == (Condition.RESOLVED, began)


def test_an_objective_is_found_by_its_name_or_by_its_kind() -> None:
    by_kind = alert_of(alter(slo="", sli="latency"), TELLING)
    assert by_kind.reading is not None
    assert by_kind.reading.about == "fnol-latency"
    with pytest.raises(RejectedInput, match="fnol-availability, fnol-latency"):
        alert_of(alter(slo="other"), TELLING)


@pytest.mark.parametrize("source", Source)
def test_who_says_that_it_counted_makes_no_few_requests_enough(source: Source) -> None:
    alert = alert_of(alter(source=source, good=0, total=49), TELLING)
    assert alert.reading is not None
    assert alert.reading.judged is Judged.TOO_FEW


@pytest.mark.parametrize("named", [{"slo": "right"}, {"slo": "", "sli": "quality"}])
def test_labels_have_no_fast_lane(named: dict[str, object]) -> None:
    labels = Indicator(table="AppEvents", good="true", label_source="judge", least_labelled=0.05)
    right = Slo(name="right", sli="quality", objective=0.95, indicator=labels)
    service = msgspec.structs.replace(TELLING, slos=(*TELLING.slos, right))
    with pytest.raises(RejectedInput, match=r"no-fast-lane: right: .*labelled"):
        alert_of(alter(**named), service)


def test_an_objective_whose_alerts_are_all_slow_has_no_fast_lane() -> None:
    slow = Slo(name="slow", sli="availability", objective=0.99, alerts=BURN_ALERTS[2:])
    service = msgspec.structs.replace(TELLING, slos=(slow,))
    with pytest.raises(RejectedInput, match="no-fast-lane: slow: "):
        alert_of(alter(slo="slow"), service)


def test_a_service_that_nobody_knows_is_refused() -> None:
    with pytest.raises(RejectedInput, match="unknown-service"):
        owner_of(alter(service="other"), catalog_of(TELLING))


def test_only_the_apps_that_its_file_names_tell_of_a_service() -> None:
    assert may_tell(TELLING, APP.upper())
    assert not may_tell(TELLING, "0a1b2c3d-0000-4000-8000-00000000bbbb")
    assert not may_tell(TELLING, "")
    assert not may_tell(msgspec.structs.replace(TELLING, signals=()), APP)
