"""Quieting: what is held back is told once, and goes on when nothing holds it any more."""

import msgspec
import pytest

from shared.domain.event import EventKind
from shared.domain.incidents.incident import DeliveryOutcome, Incident, Severity, State, Step
from shared.domain.incidents.triage import triage
from shared.domain.noise.grouping import Group
from shared.domain.noise.noise import Surroundings
from shared.domain.noise.quiet import Quiet, QuietRule
from shared.domain.noise.quieting import Weighed, defer, go_on, keep_quiet, proceed, weigh
from shared.domain.noise.storm import Storm
from shared.domain.windows import Once
from tests.shared.domain.incidents.incidents import ENDPOINT, NOW, SERVICE, SHARD, at, fired, opened

STORMY = Quiet(rule=QuietRule.STORM, sentence="a storm rages.")
PATCHED = Quiet(rule=QuietRule.MAINTENANCE, sentence="patches.")
POLICY = msgspec.structs.replace(SERVICE.policy, storm_alerts=2)
TOUCHY = msgspec.structs.replace(SERVICE, policy=POLICY)
COUNT = Storm(service=SERVICE.name)
NOON = at(3)


def changed(step: Step) -> Incident:
    assert step.incident is not None, step.reason
    return step.incident


def kinds(step: Step) -> list[EventKind]:
    return [event.kind for event in step.events]


# Held back, and going on.


def test_what_holds_an_incident_back_is_told_with_its_reason() -> None:
    step = keep_quiet(opened(), (PATCHED, STORMY), NOW)
    assert changed(step).quiet == (PATCHED, STORMY)
    assert kinds(step) == [EventKind.QUIETED]
    assert step.events[0].what == "keeps quiet: maintenance, storm"
    assert step.events[0].why == "maintenance: patches. storm: a storm rages."


def test_the_same_rule_is_told_once_whatever_its_sentence_says() -> None:
    held = changed(keep_quiet(opened(), (STORMY,), NOW))
    louder = msgspec.structs.replace(STORMY, sentence="a storm of 12 rages.")
    assert keep_quiet(held, (louder,), NOW).incident is None


def test_another_rule_is_told_beside_it() -> None:
    held = changed(keep_quiet(opened(), (STORMY,), NOW))
    step = keep_quiet(held, (PATCHED, STORMY), NOW)
    assert step.events[0].what == "keeps quiet: maintenance"
    assert changed(step).quiet == (PATCHED, STORMY)


def test_an_incident_goes_on_where_it_stood() -> None:
    held = changed(keep_quiet(opened(), (STORMY,), NOW))
    step = go_on(held, (), NOW)
    assert (changed(step).quiet, changed(step).state) == ((), State.OPENED)
    assert (step.commands, step.events[0].why) == ((), "over: storm")
    assert kinds(step) == [EventKind.RESUMED]


def test_what_would_have_been_moved_is_diagnosed_and_decided_anew() -> None:
    decided = msgspec.structs.replace(opened(), state=State.HELD)
    held = changed(defer(decided, (PATCHED,), NOW))
    step = go_on(held, (), NOW)
    assert held.deferred
    assert (changed(step).state, changed(step).deferred) == (State.OPENED, False)
    assert step.commands == ("diagnose",)


@pytest.mark.parametrize("grave", [True, False])
def test_nothing_that_was_deferred_is_forgotten_when_one_rule_follows_another(grave: bool) -> None:
    severity = Severity.SEV1 if grave else Severity.SEV2
    held = msgspec.structs.replace(
        opened(), severity=severity, state=State.HELD, deferred=True, quiet=(STORMY,)
    )
    window = Once(start=NOON, end=at(60), reason="patches")
    patched = msgspec.structs.replace(SERVICE, maintenance=(window,))
    now_held = held
    for now in (NOON, NOON, at(60), at(60)):
        step = proceed(now_held, patched, Surroundings(), now)
        now_held = step.incident or now_held
    assert (now_held.state, now_held.deferred, now_held.quiet) == (State.OPENED, False, ())


def test_what_was_deferred_goes_on_although_no_rule_was_ever_told() -> None:
    held = msgspec.structs.replace(opened(), state=State.HELD, deferred=True)
    step = proceed(held, SERVICE, Surroundings(), NOON)
    assert step.commands == ("diagnose",)
    assert step.events[0].why == "nothing holds automation back"


@pytest.mark.parametrize("state", [State.ESCALATED, State.ACTING, State.MITIGATED])
def test_what_has_moved_on_meanwhile_is_not_begun_again(state: State) -> None:
    moved = msgspec.structs.replace(opened(), state=state, deferred=True, quiet=(PATCHED,))
    step = go_on(moved, (), NOW)
    assert (changed(step).state, step.commands) == (state, ())


def test_deferring_what_was_told_before_tells_nothing() -> None:
    held = changed(keep_quiet(opened(), (PATCHED,), NOW))
    step = defer(held, (PATCHED,), NOW)
    assert changed(step).deferred
    assert step.events == ()


# What the tick does with an open incident.


def pages(**changes: object) -> Step:
    """What is done about a grave incident that was kept quiet, unless the changes say otherwise."""
    held = msgspec.structs.replace(opened(), **{"quiet": (PATCHED,), **changes})
    return proceed(held, SERVICE, Surroundings(), NOON)


def test_first_it_is_told_that_it_goes_on_then_somebody_is_paged() -> None:
    assert kinds(pages()) == [EventKind.RESUMED]
    assert kinds(pages(quiet=())) == [EventKind.PAGED]


def test_of_what_nobody_is_paged_for_nothing_is_told() -> None:
    assert pages(quiet=(), acknowledged_at=NOON).events == ()


def test_what_is_held_back_is_told_and_nobody_is_paged() -> None:
    window = Once(start=at(0), end=at(60), reason="patches")
    service = msgspec.structs.replace(SERVICE, maintenance=(window,))
    assert kinds(proceed(opened(), service, Surroundings(), NOON)) == [EventKind.QUIETED]


def test_automation_goes_on_although_a_flapping_target_is_not_paged_for_yet() -> None:
    decided = msgspec.structs.replace(opened(), state=State.HELD)
    held = changed(defer(decided, (PATCHED,), NOON))
    group = Group(service=SERVICE.name, target=ENDPOINT).opened(held)
    around = Surroundings(group=group.woke(at(0)).woke(at(1)))
    step = proceed(held, SERVICE, around, NOON)
    assert (kinds(step), step.commands) == ([EventKind.RESUMED], ("diagnose",))
    then = proceed(changed(step), SERVICE, around, NOON)
    assert (kinds(then), changed(then).quiet[0].rule) == ([EventKind.QUIETED], "flapping")
    assert proceed(changed(then), SERVICE, around, NOON).events == ()


def test_what_is_over_is_told_although_another_rule_holds_still() -> None:
    held = msgspec.structs.replace(opened(), quiet=(PATCHED, STORMY), deferred=True)
    step = go_on(held, (STORMY,), NOON)
    assert (step.events[0].what, step.events[0].why) == ("is held back less", "over: maintenance")
    assert (changed(step).quiet, changed(step).deferred, step.commands) == ((STORMY,), True, ())


@pytest.mark.parametrize(("until", "kind"), [(10, EventKind.PAGED), (3, EventKind.RESOLVED)])
def test_the_incident_of_a_storm_ends_with_it_whatever_else_holds_it(
    until: int, kind: EventKind
) -> None:
    parent = msgspec.structs.replace(opened(service="policy-search"), opened_at=at(-60))
    telling = msgspec.structs.replace(opened(), state=State.ESCALATED, storm=True)
    storm = msgspec.structs.replace(COUNT, until=at(until), incident=telling.id)
    around = Surroundings(parents=(parent,), storm=storm, storm_incident=telling)
    assert kinds(proceed(telling, SERVICE, around, NOON)) == [kind]


# What noise makes of an alert.


def weighed(
    number: int = 0,
    *,
    around: Surroundings,
    joined: Incident | None = None,
) -> Weighed:
    alert = fired(number, rule=f"rule-{number}")
    step = triage(alert, service=TOUCHY, claim=None, open_incident=joined, now=NOON, shard=SHARD)
    return weigh(step, alert, service=TOUCHY, around=around, shard=SHARD, now=NOON)


def test_an_alert_that_nothing_holds_back_is_as_triage_left_it() -> None:
    found = weighed(around=Surroundings())
    assert kinds(found.step) == [EventKind.INCIDENT_OPENED]
    assert (found.step.reason, found.storm, found.began) == ("", None, None)


def test_an_alert_in_maintenance_opens_an_incident_that_is_diagnosed_and_says_why() -> None:
    window = Once(start=at(0), end=at(60), reason="patches")
    service = msgspec.structs.replace(SERVICE, maintenance=(window,))
    step = triage(fired(1), service=service, claim=None, open_incident=None, now=NOON, shard=SHARD)
    found = weigh(
        step, fired(1), service=service, around=Surroundings(), shard=SHARD, now=NOON
    ).step
    assert (found.outcome, found.commands) == (DeliveryOutcome.OPENED, ("diagnose",))
    assert kinds(found) == [EventKind.INCIDENT_OPENED, EventKind.QUIETED]
    assert found.reason.startswith("maintenance: fnol-summary is in maintenance until 10:00 UTC")


def test_what_joins_is_told_by_its_delivery_with_both_rules() -> None:
    parent = msgspec.structs.replace(opened(service="policy-search"), opened_at=NOON)
    around = Surroundings(parents=(parent,))
    found = weighed(1, around=around, joined=opened())
    assert found.step.reason.startswith("grouping: another alert about the same target inhib")


def test_a_second_different_alert_begins_the_storm_and_opens_its_incident() -> None:
    first = weighed(0, around=Surroundings(storm=COUNT))
    assert (first.storm is not None, first.began) == (True, None)
    second = weighed(1, around=Surroundings(storm=first.storm))
    assert second.began is not None
    assert second.storm is not None
    telling = changed(second.began)
    assert telling.storm
    assert second.storm.incident == telling.id
    assert [quiet.rule for quiet in changed(second.step).quiet] == ["storm"]


def test_a_storm_that_rages_already_opens_no_second_incident() -> None:
    storm = COUNT
    for number in range(6):
        found = weighed(number, around=Surroundings(storm=storm))
        storm = found.storm or storm
        assert (found.began is not None) is (number == 1)


def test_the_third_opening_of_a_target_that_was_paged_for_twice_flaps() -> None:
    group = Group(service=SERVICE.name, target=ENDPOINT, openings=(at(0), at(1)))
    paged = group.woke(at(0)).woke(at(1))
    found = weighed(2, around=Surroundings(group=paged))
    assert found.step.reason.startswith("flapping: opened 3 times in 30 min, and 2 pages")
    assert [quiet.rule for quiet in changed(found.step).quiet] == ["flapping"]


def test_an_alert_that_nobody_owns_makes_no_storm() -> None:
    step = triage(fired(1), service=None, claim=None, open_incident=None, now=NOON, shard=SHARD)
    found = weigh(step, fired(1), service=None, around=Surroundings(), shard=SHARD, now=NOON)
    assert (found.storm, changed(found.step).severity) == (None, Severity.SEV2)


def test_an_end_holds_nothing_back() -> None:
    ended = Step(incident=opened(), outcome=DeliveryOutcome.RESOLVED)
    raging = msgspec.structs.replace(COUNT, until=at(60))
    around = Surroundings(storm=raging)
    found = weigh(ended, fired(1), service=SERVICE, around=around, shard=SHARD, now=NOON)
    assert found == Weighed(step=ended)
