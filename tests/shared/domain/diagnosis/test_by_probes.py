"""By probes: a version is at fault where it fails by name what the known good passes."""

import msgspec
import pytest

from shared.domain.decisions.endpoint import ProbeReport
from shared.domain.diagnosis.by_probes import diagnose_by_probes, suspects, worth_probing
from shared.domain.diagnosis.diagnosis import Cause, Diagnosis, Ground, Health
from shared.domain.signals.reading import Judged, Reading, Source
from tests.shared.domain.decisions.worked_case import (
    BLAMED_FAILS,
    GOOD_PROBE,
    INCIDENT,
    NOW,
    POLICY,
    SERVICE,
    SNAPSHOT,
    ago,
    alter,
)

READING = Reading(
    about="fnol-availability",
    source=Source.TELEMETRY_HELPER,
    judged=Judged.BREACH,
    good=40,
    total=80,
    window_s=60,
    ended_at=ago(1),
    region="swedencentral",
)
TOLD = alter(INCIDENT, signals_only=True, reading=READING)
THIRD = alter(BLAMED_FAILS, deployment="v3", answered_by={"v3": 20})


def found(**reports: ProbeReport | None) -> Diagnosis | None:
    return diagnose_by_probes(TOLD, SERVICE, "v1", {"v1": GOOD_PROBE, **reports}, NOW)


def test_the_version_that_fails_beside_the_known_good_is_blamed_by_contrast() -> None:
    diagnosis = found(v2=BLAMED_FAILS)
    assert diagnosis is not None
    assert (diagnosis.health, diagnosis.attribution.cause) == (Health.BREACHED, Cause.VERSION)
    assert diagnosis.attribution.version == "v2"
    assert diagnosis.attribution.grounds == (Ground.CONTRAST,)
    assert diagnosis.sentence == (
        "50 % of 80 requests fail in swedencentral, a signal says; probes of v2 fail, too, and"
        " those of v1 pass."
    )


def test_it_has_the_counts_of_the_signal_and_no_burn_of_the_logs() -> None:
    diagnosis = found(v2=BLAMED_FAILS)
    assert diagnosis is not None
    assert (diagnosis.requests, diagnosis.bad_requests, diagnosis.bad_share) == (80, 40, 0.5)
    assert (diagnosis.affected, diagnosis.regions_hit) == (
        "region=swedencentral",
        ("swedencentral",),
    )
    assert diagnosis.onset_at == READING.began_at
    assert diagnosis.burns == ()


def test_of_two_that_fail_the_first_is_named() -> None:
    diagnosis = found(v3=THIRD, v2=BLAMED_FAILS)
    assert diagnosis is not None
    assert diagnosis.attribution.version == "v3"


@pytest.mark.parametrize(
    "report",
    [
        None,
        alter(BLAMED_FAILS, passed=20),
        alter(BLAMED_FAILS, passed=19),
        alter(BLAMED_FAILS, sent=4, passed=0),
        alter(BLAMED_FAILS, answered_by={"v1": 20}),
        alter(BLAMED_FAILS, answered_by={"v2": 9, "v1": 11}),
    ],
)
def test_what_does_not_surely_fail_by_name_is_not_blamed(report: ProbeReport | None) -> None:
    assert found(v2=report) is None


@pytest.mark.parametrize(
    "good",
    [None, alter(GOOD_PROBE, passed=18), alter(GOOD_PROBE, answered_by={"v2": 20})],
)
def test_where_the_known_good_is_no_better_nobody_is_blamed(good: ProbeReport | None) -> None:
    assert found(v1=good, v2=BLAMED_FAILS) is None


def test_without_a_signals_counts_there_is_nothing_to_tell() -> None:
    reports = {"v1": GOOD_PROBE, "v2": BLAMED_FAILS}
    assert diagnose_by_probes(INCIDENT, SERVICE, "v1", reports, NOW) is None


def test_whoever_serves_is_asked_the_largest_share_first() -> None:
    split = alter(SNAPSHOT, traffic={"v1": 50, "old": 10, "v2": 40, "v0": 0})
    assert suspects(split, "V1") == ("v2", "old")


@pytest.mark.parametrize(
    ("changes", "worth"),
    [
        ({}, True),
        ({"signals_only": False}, False),
        ({"reading": None}, False),
        ({"reading": alter(READING, total=49)}, False),
    ],
)
def test_what_is_worth_the_probes(changes: dict[str, object], worth: bool) -> None:
    assert worth_probing(msgspec.structs.replace(TOLD, **changes), POLICY) is worth
