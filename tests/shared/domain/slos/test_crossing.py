"""Lines that an error budget crosses: once each, left only well below, unmoved by silent logs."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.slos.balance import Balance, Count, Status
from shared.domain.slos.crossing import BudgetState, LineKind, cross, handed_on, lines
from shared.domain.slos.slo import AlertAction, BudgetAction, BudgetStep, BurnAlert, Slo
from tests.shared.domain.incidents.situations import NOW
from tests.shared.domain.slos.services import ANSWERED

SLOW = BurnAlert(
    burn_rate=1.0,
    short_window="6h",
    long_window="3d",
    action=AlertAction.TICKET,
    minimum_requests=9,
)
FAST = BurnAlert(burn_rate=14.4, short_window="5m", long_window="1h")
POLICY = tuple(
    BudgetStep(spent=spent, action=action)
    for spent, action in (
        (0.5, BudgetAction.TICKET),
        (0.75, BudgetAction.PAGE),
        (0.9, BudgetAction.APPROVE),
        (0.9, BudgetAction.ROLL_BACK),
        (1.0, BudgetAction.FREEZE),
    )
)
SLO: Slo = msgspec.structs.replace(ANSWERED, alerts=(FAST, SLOW), budget_policy=POLICY)
NOTHING = BudgetState(service="a", slo="answered")
STEPS = ["ticket-at-0.5", "page-at-0.75", "approve-at-0.9", "roll_back-at-0.9", "freeze-at-1"]


def balance(spent: float | None, *, short: float | None = 0.0, long: float | None = 0.0) -> Balance:
    windows = {"6h": Count(total=9, burn=short), "3d": Count(total=90, burn=long)}
    left = None if spent is None else 1.0 - spent
    return Balance(service="a", slo=SLO, status=Status.OK, left=left, windows=windows)


def crossed(state: BudgetState) -> list[str]:
    return [one.name for one in state.crossed if one.holds]


def after(*spent: float | None) -> BudgetState:
    """The state after a look at each."""
    state = NOTHING
    for one in spent:
        state = cross(state, balance(one), NOW)
    return state


@pytest.mark.parametrize(
    ("spent", "names"),
    [
        (None, []),
        (0.0, []),
        (0.49, []),
        (0.5, STEPS[:1]),
        (0.75, STEPS[:2]),
        (0.9, STEPS[:4]),
        (1.0, STEPS),
        (7.0, STEPS),
    ],
)
def test_every_line_up_to_what_is_spent_is_crossed(spent: float | None, names: list[str]) -> None:
    assert crossed(after(spent)) == names


def test_what_is_crossed_is_not_crossed_again() -> None:
    once = after(1.2)
    later = cross(once, balance(1.3), NOW + timedelta(minutes=5))

    assert later == once


@pytest.mark.parametrize(
    ("back", "names"), [(0.96, STEPS), (0.95, STEPS[:4]), (0.86, STEPS[:4]), (0.85, STEPS[:2])]
)
def test_a_line_is_left_only_well_below_it(back: float, names: list[str]) -> None:
    assert crossed(after(1.0, back)) == names


@pytest.mark.parametrize(
    ("at", "looks", "held"),
    [(0.0, (0.0, 0.0), True), (0.04, (0.04, 0.03), True), (0.04, (0.04, 0.019), False)],
)
def test_a_line_near_nothing_does_not_flap(at: float, looks: tuple[float, ...], held: bool) -> None:
    step = BudgetStep(spent=at, action=BudgetAction.APPROVE)
    low = msgspec.structs.replace(SLO, budget_policy=(step,))
    state = NOTHING
    for spent in looks:
        state = cross(state, msgspec.structs.replace(balance(spent), slo=low), NOW)

    assert bool(crossed(state)) is held


def test_a_budget_that_nobody_can_tell_crosses_and_leaves_nothing() -> None:
    assert after(1.0, None) == after(1.0)


def test_a_line_that_no_file_draws_any_more_is_left() -> None:
    bare = msgspec.structs.replace(SLO, budget_policy=(), alerts=())
    promised = msgspec.structs.replace(balance(None), slo=bare)

    assert crossed(cross(after(1.0), promised, NOW)) == []
    assert crossed(cross(after(1.0), None, NOW)) == []


def test_what_was_left_stays_until_it_was_handed_on_and_can_be_crossed_anew() -> None:
    left = after(1.0, 0.0)
    assert not left.settled
    assert all(one.ended_at == NOW for one in left.crossed)

    for name in STEPS:
        left = handed_on(left, name)
    assert left == NOTHING
    assert crossed(cross(left, balance(0.6), NOW)) == STEPS[:1]


def test_what_holds_is_settled_once_it_was_handed_on() -> None:
    state = after(0.5)
    assert not state.settled
    assert handed_on(state, STEPS[0]).settled
    assert handed_on(state, STEPS[0]).holding(BudgetAction.TICKET) != ()


@pytest.mark.parametrize(
    ("short", "long", "burns"),
    [
        (1.0, 1.0, True),
        (0.99, 5.0, False),
        (5.0, 0.99, False),
        (None, 5.0, False),
        (5.0, None, False),
    ],
)
def test_a_slow_burn_needs_both_windows(
    short: float | None, long: float | None, burns: bool
) -> None:
    state = cross(NOTHING, balance(0.0, short=short, long=long), NOW)

    assert crossed(state) == (["burn-1-over-3d"] if burns else [])


def test_only_alerts_beyond_what_rules_look_back_over_are_watched() -> None:
    found = [line for line in lines(balance(0.0)) if line.kind is LineKind.BURN]

    assert [(line.name, line.action) for line in found] == [("burn-1-over-3d", BudgetAction.TICKET)]


def test_too_little_traffic_in_the_short_window_is_no_slow_burn() -> None:
    few = balance(0.0, short=9.0, long=9.0)
    few = msgspec.structs.replace(few, windows={**few.windows, "6h": Count(total=8, burn=9.0)})

    assert crossed(cross(NOTHING, few, NOW)) == []


def test_a_slow_burn_ends_well_below_its_rate() -> None:
    burning = cross(NOTHING, balance(0.0, short=2.0, long=2.0), NOW)

    assert crossed(cross(burning, balance(0.0, short=0.95, long=2.0), NOW)) == ["burn-1-over-3d"]
    assert crossed(cross(burning, balance(0.0, short=0.9, long=2.0), NOW)) == []


@given(st.lists(st.none() | st.floats(0.0, 2.0), max_size=12))
def test_each_crossing_is_one_whatever_the_budget_does(looks: list[float | None]) -> None:
    """Between two crossings of one line the budget came back by more than the margin."""
    state = NOTHING
    for spent in looks:
        before = set(crossed(state))
        state = cross(state, balance(spent), NOW)
        for one in list(state.crossed):
            state = handed_on(state, one.name)
        for step in SLO.budget_policy:
            name = f"{step.action}-at-{step.spent:g}"
            if name in before and name not in crossed(state):
                assert spent is not None
                assert spent <= step.spent - 0.05
            if name not in before and name in crossed(state):
                assert spent is not None
                assert spent >= step.spent
