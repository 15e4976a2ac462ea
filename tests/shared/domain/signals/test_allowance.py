"""The allowance: so many signals at once of a service, and none of another's."""

from datetime import timedelta

from shared.domain.signals.allowance import SERVICES, SIGNALS_WITHIN, WITHIN, Allowance
from tests.shared.domain.decisions.worked_case import NOW


def test_so_many_are_taken_and_the_next_is_told_how_long_to_wait() -> None:
    allowance = Allowance(most=2)
    assert [allowance.wait_s("a", NOW) for _ in range(2)] == [0, 0]
    assert allowance.wait_s("a", NOW + timedelta(seconds=15)) == 5


def test_one_service_costs_another_nothing() -> None:
    allowance = Allowance(most=1)
    assert [allowance.wait_s(name, NOW) for name in ("a", "b")] == [0, 0]


def test_a_little_later_it_begins_anew() -> None:
    allowance = Allowance(most=1)
    allowance.wait_s("a", NOW)
    assert allowance.wait_s("a", NOW + WITHIN) == 0


def test_a_thousand_ends_do_not_keep_out_what_begins() -> None:
    allowance = Allowance()
    waits = [allowance.wait_s("a", NOW, begins=False) for _ in range(1000)]
    assert waits.count(0) == SIGNALS_WITHIN
    assert allowance.wait_s("a", NOW) == 0


def test_only_so_many_services_are_remembered() -> None:
    allowance = Allowance(most=1)
    for number in range(SERVICES + 1):
        allowance.wait_s(str(number), NOW)
    assert allowance.wait_s("0", NOW) == 0
    assert allowance.wait_s(str(SERVICES), NOW) > 0
