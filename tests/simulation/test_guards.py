"""Guards taken away one by one: the right promise must break, or the guard is not proven."""

import pytest

from tests.simulation.guards import GUARDS, Guard, hunt
from tests.simulation.promises import number_of


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_missing_guard_breaks_its_promise(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    guard.remove(monkeypatch)

    runs, broken = hunt(guard)

    assert broken, f"{guard.remove.__doc__} Nobody noticed in {runs} runs."
    assert number_of(broken) in guard.breaks, broken


def test_there_are_enough_of_them() -> None:
    assert len(GUARDS) >= 20
