"""Noise: what holds an incident's pages and its automation back, and for how long at most."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.catalog import Dependency, Service
from shared.domain.incidents.escalation import next_page
from shared.domain.incidents.incident import Incident, Page, Severity, State
from shared.domain.noise.grouping import Group
from shared.domain.noise.noise import Surroundings, depends_on, quiets
from shared.domain.noise.quiet import QuietRule, holding_automation, holding_pages
from shared.domain.noise.storm import Storm
from shared.domain.windows import Once
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, SERVICE, TARGET, alter

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(seconds=SERVICE.policy.flap_window_s)
GRAVE = alter(INCIDENT, opened_at=NOW, state=State.OPENED)
MINOR = alter(GRAVE, severity=Severity.SEV2, state=State.ESCALATED)
PARENT = alter(INCIDENT, id="INC-35-261123-AAAAAAAA", service="policy-search", opened_at=NOW)
TELLING = alter(PARENT, service=SERVICE.name, state=State.ESCALATED, storm=True)
STORM = Storm(service=SERVICE.name, until=NOW + 10 * MINUTE, incident=TELLING.id)
NOTHING = Surroundings()
RAGING = Surroundings(storm=STORM, storm_incident=TELLING)
PATCHED = alter(
    SERVICE, maintenance=(Once(start=NOW - MINUTE, end=NOW + 60 * MINUTE, reason="patches"),)
)
GROUP = Group(
    service=SERVICE.name,
    target=TARGET,
    incident=GRAVE.id,
    openings=tuple(NOW - number * MINUTE for number in (20, 15, 10, 0)),
    paged=(NOW - 20 * MINUTE, NOW - 15 * MINUTE),
)


def rules(
    incident: Incident = GRAVE,
    around: Surroundings = NOTHING,
    *,
    service: Service = SERVICE,
    now: datetime = NOW,
) -> dict[str, tuple[bool, bool]]:
    """What holds now: (pages, automation) by rule, in the order in which they are asked."""
    found = quiets(incident, service, around, now)
    return {quiet.rule.value: (quiet.pages, quiet.automation) for quiet in found}


def sentence(incident: Incident, around: Surroundings, service: Service = SERVICE) -> str:
    (quiet,) = quiets(incident, service, around, NOW)
    return quiet.sentence


def below(*parents: Incident, **more: Any) -> Surroundings:
    return Surroundings(parents=parents, **more)


def test_usually_nothing_keeps_quiet() -> None:
    assert rules() == {}


def test_a_resolved_incident_is_not_held() -> None:
    assert rules(alter(GRAVE, state=State.RESOLVED), RAGING, service=PATCHED) == {}


def test_the_rules_are_asked_in_their_order() -> None:
    around = alter(RAGING, parents=(PARENT,), group=GROUP)
    assert list(rules(around=around, service=PATCHED)) == [rule.value for rule in QuietRule]


# Maintenance.


def test_maintenance_holds_everything_until_its_end() -> None:
    assert rules(service=PATCHED) == {"maintenance": (True, True)}
    assert rules(service=PATCHED, now=NOW + 60 * MINUTE) == {}


def test_maintenance_says_why_and_until_when() -> None:
    assert sentence(GRAVE, Surroundings(), PATCHED) == (
        "fnol-summary is in maintenance until 15:05 UTC (patches): nobody is paged and nothing is"
        " moved until then."
    )


# Inhibition.


def test_a_grave_incident_of_what_it_depends_on_holds_everything() -> None:
    assert rules(around=below(PARENT)) == {"inhibition": (True, True)}
    assert sentence(GRAVE, below(PARENT)) == (
        "fnol-summary depends on policy-search, which has INC-35-261123-AAAAAAAA (SEV1): nobody is"
        " paged and nothing is moved until that is mitigated."
    )


@pytest.mark.parametrize(
    "changes",
    [{"state": State.MITIGATED}, {"state": State.RESOLVED}, {"severity": Severity.SEV2}],
)
def test_one_that_is_over_or_mild_holds_nothing(changes: dict[str, Any]) -> None:
    assert rules(around=below(alter(PARENT, **changes))) == {}


def test_after_five_minutes_without_an_answer_a_grave_one_pages_all_the_same() -> None:
    for minutes, pages in ((4.9, True), (5, False), (700, False)):
        found = rules(around=below(PARENT), now=NOW + minutes * MINUTE)
        assert found == {"inhibition": (pages, True)}


SEEN = alter(PARENT, acknowledged_at=NOW, acknowledged_by="ada")


def test_once_somebody_has_the_parent_the_child_waits_for_an_hour() -> None:
    for minutes, pages in ((59, True), (60, False), (700, False)):
        found = rules(around=below(SEEN), now=NOW + minutes * MINUTE)
        assert found == {"inhibition": (pages, True)}


@pytest.mark.parametrize("parent", [PARENT, SEEN])
@pytest.mark.parametrize("child", [GRAVE, MINOR])
def test_a_parent_that_nobody_has_looked_at_for_half_a_day_holds_nothing(
    parent: Incident, child: Incident
) -> None:
    assert rules(child, below(parent), now=NOW + 720 * MINUTE) == {}


def test_a_graver_one_pages_whoever_has_the_parent() -> None:
    worst = alter(GRAVE, severity=Severity.SEV0)
    milder = alter(SEEN, severity=Severity.SEV1)
    assert rules(worst, below(milder)) == {"inhibition": (False, True)}


def test_a_mild_one_waits_for_the_parent_in_any_case() -> None:
    found = rules(MINOR, below(PARENT), now=NOW + 60 * MINUTE)
    assert found == {"inhibition": (True, True)}


@pytest.mark.parametrize(("minutes", "held"), [(-1, True), (1, False)])
def test_of_two_that_depend_on_each_other_the_one_that_opened_first_is_the_parent(
    minutes: int, held: bool
) -> None:
    other = alter(PARENT, opened_at=NOW + minutes * MINUTE)
    around = below(other, mutual=frozenset({other.service}))
    assert bool(rules(around=around)) is held


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_a_circle_of_dependencies_never_silences_all_of_its_incidents(
    opened: list[int],
) -> None:
    ring = [
        alter(PARENT, id=f"INC-{n}", service=f"s{n}", opened_at=NOW + minutes * MINUTE)
        for n, minutes in enumerate(opened)
    ]
    held = [
        bool(rules(one, below(ring[n - 1], mutual=frozenset({ring[n - 1].service}))))
        for n, one in enumerate(ring)
    ]
    assert not all(held)


def depending(name: str, *needs: str) -> Service:
    return alter(SERVICE, name=name, dependencies=tuple(Dependency(name=one) for one in needs))


def test_dependencies_are_followed_through_others_and_around() -> None:
    catalog = {one.name: one for one in (depending("a", "b"), depending("b", "c", "a"))}
    assert depends_on(catalog, "a", "c")
    assert depends_on(catalog, "b", "a")
    assert not depends_on(catalog, "c", "a")


# Storm.


def test_a_storm_freezes_automation_and_holds_the_pages_of_all_others() -> None:
    assert rules(around=RAGING) == {"storm": (True, True)}
    assert sentence(GRAVE, RAGING) == (
        "fnol-summary has a storm of 0 or more different alerts: INC-35-261123-AAAAAAAA pages for"
        " all of them, and nothing is moved until it is calm."
    )


def test_the_incident_that_tells_of_the_storm_pages() -> None:
    assert rules(TELLING, RAGING) == {}


def test_a_storm_that_is_over_holds_nothing() -> None:
    assert rules(around=RAGING, now=NOW + 10 * MINUTE) == {}


def test_when_nobody_answers_the_storm_grave_ones_page_all_the_same() -> None:
    assert rules(around=RAGING, now=NOW + 5 * MINUTE) == {"storm": (False, True)}
    assert rules(MINOR, RAGING, now=NOW + 5 * MINUTE) == {"storm": (True, True)}


def test_a_storm_whose_incident_a_person_ended_holds_no_pages() -> None:
    ended = alter(RAGING, storm_incident=alter(TELLING, state=State.RESOLVED))
    assert rules(around=ended) == {"storm": (False, True)}


# Flapping.


def test_a_target_that_was_paged_for_twice_in_the_window_pages_no_third_time() -> None:
    around = Surroundings(group=GROUP)
    assert rules(around=around) == {"flapping": (True, False)}
    assert sentence(GRAVE, around) == (
        "opened 4 times in 30 min, and 2 pages were sent: nobody is paged before 14:15 UTC."
    )


def test_no_flapping_silences_beyond_the_window() -> None:
    around = Surroundings(group=GROUP)
    until = GROUP.paged[0] + WINDOW
    assert rules(around=around, now=until - MINUTE) == {"flapping": (True, False)}
    assert rules(around=around, now=until) == {}


def test_whoever_was_woken_is_followed_by_the_next_however_it_flaps() -> None:
    page = Page(contact="Ada", at=NOW, reason="opened")
    assert rules(alter(GRAVE, pages=(page,)), Surroundings(group=GROUP)) == {}


def test_one_page_in_the_window_is_no_flapping() -> None:
    assert rules(around=Surroundings(group=alter(GROUP, paged=GROUP.paged[:1]))) == {}


def test_a_person_is_asked_for_after_a_rollback_however_it_flaps() -> None:
    failed = alter(GRAVE, state=State.ESCALATED, automatic_rollbacks=1)
    assert rules(failed, Surroundings(group=GROUP)) == {}


def test_what_wakes_nobody_does_not_flap() -> None:
    calm = alter(MINOR, state=State.OPENED)
    assert rules(calm, Surroundings(group=GROUP)) == {}


# Nothing that is held back is lost.


@given(
    parent_ends=st.integers(0, 40),
    acknowledged=st.booleans(),
    storm_ends=st.integers(0, 40),
    patched_until=st.integers(1, 40),
    paged_before=st.lists(st.integers(1, 30), max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_a_grave_incident_that_outlasts_all_that_holds_it_is_paged(
    parent_ends: int,
    acknowledged: bool,
    storm_ends: int,
    patched_until: int,
    paged_before: list[int],
) -> None:
    paged = tuple(NOW - minutes * MINUTE for minutes in sorted(paged_before, reverse=True))
    window = Once(start=NOW - MINUTE, end=NOW + patched_until * MINUTE, reason="patches")
    service = alter(SERVICE, maintenance=(window,))
    seen = NOW if acknowledged else None

    def around(now: datetime) -> Surroundings:
        over = State.MITIGATED if now >= NOW + parent_ends * MINUTE else State.OPENED
        return Surroundings(
            parents=(alter(PARENT, state=over, acknowledged_at=seen),),
            storm=alter(STORM, until=NOW + storm_ends * MINUTE),
            storm_incident=alter(TELLING, acknowledged_at=seen),
            group=alter(GROUP, paged=paged),
        )

    ticks = [NOW + number * MINUTE for number in range(42)]
    paged_at = [
        now
        for now in ticks
        if next_page(GRAVE, service, now, quiets(GRAVE, service, around(now), now))
    ]
    assert paged_at
    assert all(holding_pages(quiets(GRAVE, service, around(now), now)) is None for now in paged_at)
    last = quiets(GRAVE, service, around(ticks[-1]), ticks[-1])
    assert holding_automation(last) is None
