"""Two workers: every schedule with at most one fault, of each kind at each turn it can befall.

Where both carry out one plan, that is without a bound, but for faults that make both come back at
the same moment: there a schedule has at most MOST_BACK context switches. Where each has a plan for
the same endpoint, it is without a bound as long as nothing goes wrong, and with at most MOST_TWO
where something does. The soak (BACKSTOP_SOAK above 1) drops both bounds.
"""

from collections.abc import Callable
from functools import cache

import pytest

from tests.batteries.soak import SOAK
from tests.simulation.writing.explore import Explored, Explorer
from tests.simulation.writing.replay import report
from tests.simulation.writing.schedule import MOST_SKEW_S, Kind, Schedule

MOST_BACK = None if SOAK > 1 else 3
MOST_TWO = None if SOAK > 1 else 2
COME_BACK = {Kind.SLEEP: MOST_BACK, Kind.OUT: MOST_BACK}
KINDS = [kind for kind in Kind if kind is not Kind.SKEW]  # which is by how much: see the seeds

type Note = Callable[[str, object], None]


def explore(plans: int, *kinds: Kind, switches: int | None = None) -> Explored:
    explored = Explorer(Schedule(workers=2, plans=plans), kinds, switches).run()
    assert not explored.broken, report(explored.broken[0])
    return explored


@cache
def points_without_a_fault(plans: int, switches: int | None = None) -> int:
    return explore(plans, switches=switches).points


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
class TestOneFaultAnywhere:
    def test_one_plan(self, kind: Kind, record_property: Note) -> None:
        explored = explore(1, kind, switches=COME_BACK.get(kind))
        record_property("schedules", explored.branches)

        assert explored.points > points_without_a_fault(1)

    def test_two_plans_for_one_endpoint(self, kind: Kind, record_property: Note) -> None:
        explored = explore(2, kind, switches=MOST_TWO)
        record_property("schedules", explored.branches)

        assert explored.points > points_without_a_fault(2, MOST_TWO)


@pytest.mark.parametrize("plans", [1, 2])
def test_every_schedule_without_a_fault(plans: int) -> None:
    explored = explore(plans)

    assert explored.points > 300
    assert explored.ended > 10
    assert explored.unseen == 0


@pytest.mark.parametrize("plans", [1, 2])
def test_every_schedule_of_clocks_that_are_ten_minutes_apart(plans: int) -> None:
    """Then a lease protects nobody: the other worker takes it for one that is over."""
    apart = Schedule(workers=2, plans=plans, skews=(MOST_SKEW_S, 0.0))

    explored = Explorer(apart).run()

    assert not explored.broken, report(explored.broken[0])
    assert explored.points > points_without_a_fault(plans)


def test_more_context_switches_are_more_schedules() -> None:
    points = [explore(1, switches=most).points for most in (0, 1, 2, 3)]

    assert points == sorted(set(points))
