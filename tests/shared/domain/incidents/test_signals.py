"""Signals in triage: one incident with the alerts that follow, and who tells of it is kept."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.alerts.alert import Alert
from shared.domain.incidents.incident import DeliveryOutcome, Incident, Severity, State, Step
from shared.domain.incidents.silence import counts_until, fall_silent
from shared.domain.signals.reading import Judged, Reading, Source
from shared.domain.signals.signal import make_alert
from tests.shared.domain.incidents.incidents import SERVICE, World, at, fired


def signal(minute: float, judged: Judged = Judged.BREACH, good: int = 40) -> Alert:
    reading = Reading(
        about="fnol-availability",
        source=Source.TELEMETRY_HELPER,
        judged=judged,
        good=good,
        total=80,
        window_s=60,
        ended_at=at(minute),
        region="swedencentral",
    )
    return make_alert(
        SERVICE, reading, unique=f"s-{minute}-{judged}", severity=Severity.SEV1, said="40 of 80"
    )


def only(world: World) -> Incident:
    (incident,) = world.incidents.values()
    return incident


def test_a_signal_opens_an_incident_that_is_looked_into_by_logs_and_by_probes() -> None:
    world = World()
    step = world.take(signal(1))
    assert step.outcome is DeliveryOutcome.OPENED
    assert step.commands == ("diagnose", "corroborate")
    assert only(world).signals_only
    reading = only(world).reading
    assert reading is not None
    assert (reading.good, reading.bad, reading.began_at) == (40, 40, at(0))


def test_the_alert_that_follows_is_the_same_incident_and_another_source() -> None:
    world = World().take_all([signal(1), fired(2)])
    assert only(world).alerts == 2
    assert not only(world).signals_only
    assert world.steps[1].commands == ("diagnose",)


def test_a_signal_that_follows_an_alert_changes_nothing_of_that() -> None:
    world = World().take_all([fired(1), signal(2)])
    assert not only(world).signals_only
    assert only(world).reading is not None


@pytest.mark.parametrize("kind", ["activity-log", "budget", "service-health", "resource-health"])
def test_a_notice_has_measured_nothing(kind: str) -> None:
    notice = msgspec.structs.replace(fired(2), kind=kind)
    assert only(World().take_all([signal(1), notice])).signals_only


def test_the_next_signal_of_the_same_trouble_joins_with_its_counts() -> None:
    world = World().take_all([signal(1), signal(2, good=20)])
    reading = only(world).reading
    assert world.steps[1].outcome is DeliveryOutcome.JOINED
    assert reading is not None
    assert reading.good == 20


def test_what_shows_no_breach_opens_nothing() -> None:
    world = World().take_all([signal(1, Judged.KEPT, 80)])
    assert (world.steps[0].outcome, world.incidents) == (DeliveryOutcome.REMEMBERED, {})


def test_what_shows_no_breach_ends_what_signals_began() -> None:
    world = World().take_all([signal(1), signal(5, Judged.KEPT, 80)])
    assert only(world).state is State.RESOLVED


def test_it_ends_nothing_that_an_alert_began() -> None:
    world = World().take_all([signal(1), fired(2), signal(5, Judged.KEPT, 80)])
    assert only(world).state is State.OPENED


@pytest.mark.parametrize("before", [(), (signal(1),)])
def test_too_few_requests_begin_nothing_and_end_nothing(before: tuple[Alert, ...]) -> None:
    world = World().take_all([*before, signal(5, Judged.TOO_FEW, 0)])
    assert world.steps[-1].outcome is DeliveryOutcome.REMEMBERED
    assert world.steps[-1].reason == "counts: too few to tell anything"
    assert len(world.open()) == len(before)


def test_a_breach_that_comes_after_its_end_is_not_begun_again() -> None:
    late = signal(1)
    world = World().take_all([signal(2), signal(5, Judged.KEPT, 80), late])
    assert world.steps[-1].outcome is DeliveryOutcome.SUPPRESSED
    assert late.fired_at + timedelta(minutes=4) == at(5)


@pytest.mark.parametrize("known", [True, False], ids=["its key still fires", "it had ended"])
def test_what_was_counted_after_the_recovery_wakes_a_person(known: bool) -> None:
    world = _mitigated(known=known, recovered=3)

    late = world.take(signal(3.9))
    assert late.incident is not None
    assert late.incident.state is (State.MITIGATED if known else State.ESCALATED)

    back = world.take(signal(4.1))
    assert back.incident is not None
    assert (back.incident.state, back.incident.unexplained) == (State.ESCALATED, True)


def test_it_is_no_matter_of_the_incident_that_somebody_has_acknowledged() -> None:
    world = _mitigated(known=True, recovered=3, acknowledged_at=at(2))
    assert world.take(signal(3.9)).outcome is DeliveryOutcome.JOINED
    assert world.take(signal(4.1)).outcome is DeliveryOutcome.OPENED


def test_an_alert_that_still_fires_is_no_news() -> None:
    world = World().take_all([fired(1)])
    _change(world, state=State.MITIGATED, recovered_at=at(3))
    assert _one(world.take(fired(5))).state is State.MITIGATED


def test_a_signal_that_nobody_repeats_ends_where_customers_are_well() -> None:
    incident = only(_mitigated(known=True, recovered=3))
    assert fall_silent(incident, SILENT - SECOND).incident is None

    ended = _one(fall_silent(incident, SILENT))
    assert (ended.state, ended.firing) == (State.RESOLVED, ())


@pytest.mark.parametrize("state", [one for one in State if one is not State.MITIGATED])
def test_silence_proves_nothing_where_nobody_found_out(state: State) -> None:
    world = World().take_all([signal(1)])
    _change(world, state=state)
    assert fall_silent(only(world), at(100)).incident is None


def test_a_signal_that_is_repeated_counts_longer() -> None:
    world = World().take_all([signal(1), signal(2), signal(1.5)])
    _change(world, state=State.MITIGATED, recovered_at=at(3))
    assert fall_silent(only(world), SILENT).incident is None
    assert fall_silent(only(world), SILENT + 60 * SECOND).incident is not None


def test_the_silence_of_signals_ends_no_alert_of_azure() -> None:
    world = World().take_all([signal(1), fired(2)])
    _change(world, state=State.MITIGATED, recovered_at=at(3))

    incident = _one(fall_silent(only(world), SILENT))
    assert (incident.state, len(incident.firing)) == (State.MITIGATED, 1)
    assert fall_silent(incident, at(100)).incident is None


def test_backstops_own_health_check_tells_its_ends_itself() -> None:
    reading = signal(1).reading
    assert counts_until(reading) == SILENT
    assert reading is not None
    assert counts_until(msgspec.structs.replace(reading, window_s=0)) is None


SECOND = timedelta(seconds=1)
SILENT = at(1 + 1 + 5)


def _one(step: Step) -> Incident:
    assert step.incident is not None
    return step.incident


def _change(world: World, **changes: object) -> None:
    incident = only(world)
    world.incidents[incident.id] = msgspec.structs.replace(incident, **changes)


def _mitigated(*, known: bool, recovered: float, **changes: object) -> World:
    """A signal's incident whose customers are well again; `known`: its end was never told."""
    world = World().take_all([signal(1)])
    firing = only(world).firing if known else ()
    _change(world, state=State.MITIGATED, recovered_at=at(recovered), firing=firing, **changes)
    return world


def test_the_opening_says_that_a_signal_told_and_keeps_what_was_counted() -> None:
    (event,) = World().take(signal(1)).events
    assert event.why == "a signal of Sev1 on a tier 1 service: SEV1"
    assert event.evidence["counted"] == {
        "about": "fnol-availability",
        "source": "telemetry-helper",
        "good": 40,
        "total": 80,
        "window_s": 60,
    }
