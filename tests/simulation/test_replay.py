"""A failed run is told so that a newcomer understands it, in the shortest schedule that fails."""

import msgspec
import pytest

from tests.simulation.guards import GUARDS
from tests.simulation.promises import Promise, number_of
from tests.simulation.report import explain, in_words
from tests.simulation.shrink import Shrinker, deviations
from tests.simulation.spine import Faults, Run, play
from tests.simulation.timeline import ending, heading, lines

FENCE = next(guard for guard in GUARDS if guard.name == "fence")
NEEDLESS = Faults(outages=(("teams", 900.0, 910.0),), lost_answers=(4_000,))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run without a guard, with more faults than it needs to fail."""
    FENCE.remove(monkeypatch)
    stops = [trial.faults.stops for trial in FENCE.trials() if trial.faults]
    faults = [msgspec.structs.replace(NEEDLESS, stops=one) for one in stops]
    runs = (play(seed, one) for seed, one in enumerate(faults))
    return next(run for run in runs if number_of(run.broken) in FENCE.breaks)


def test_the_shortest_schedule_has_no_needless_fault_and_breaks_the_same_promise(
    broken: Run,
) -> None:
    shortest = Shrinker(broken).shrink()

    assert number_of(shortest.broken) is number_of(broken.broken)
    assert shortest.faults == Faults(stops=broken.faults.stops)
    assert deviations(shortest) <= deviations(broken)


def test_a_failure_names_the_promise_the_seed_and_how_to_see_it(broken: Run) -> None:
    told = explain(broken)

    assert "a plan changes the endpoint once" in told
    assert "a worker stops at turn" in told
    assert f"make replay SEED={broken.seed}" in told


def test_the_timeline_shows_what_changed_the_faults_and_the_breach(broken: Run) -> None:
    again = play(broken.seed, broken.faults, broken.scene, broken.choices, notes=True)
    told = list(lines(again))

    assert any(line.kind == "fault" and "stops for" in line.what for line in told)
    assert any("MOVES the traffic" in line.what for line in told)
    assert told[-1].kind == "breach"
    assert ending(again).startswith("BROKEN: promise 2")


def test_a_run_that_keeps_its_promises_is_shown_as_well() -> None:
    run = play(7, Faults(), notes=True)
    told = list(lines(run))

    assert "no faults" in heading(run)
    assert any(line.what.startswith("TELLS moved all traffic") for line in told)
    assert [line.at for line in told] == sorted(line.at for line in told)
    assert ending(run).startswith(f"all {len(Promise)} promises kept; the incident is mitigated")


def test_every_turn_is_shown_on_demand() -> None:
    run = play(7, Faults(), notes=True)

    assert len(list(lines(run, every_turn=True))) > len(list(lines(run))) + 500


def test_faults_are_told_in_words() -> None:
    faults = Faults(kills=(3,), outages=(("bus", 1.0, 9.0),), switch=40)

    assert in_words(faults) == (
        "a worker dies at turn 3; bus is out from 1 to 9 s; the kill switch is turned on at turn 40"
    )
