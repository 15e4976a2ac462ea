"""A stateful rule: it fires once for a series, and resolves when it has been well for a while."""

import msgspec

from infra.local.simulation.evaluation import Reading
from infra.local.simulation.firing import Firing
from shared.domain.detection.rule import FailingPeriods
from tests.infra.local.simulation.test_evaluation import RULE


def reading(region: str = "north", *, measured: float = 12.0, fires: bool = True) -> Reading:
    return Reading(series=(("Region", region),), target="/e", measured=measured, fires=fires)


def told(firing: Firing, *readings: Reading) -> list[tuple[str, bool]]:
    """The regions whose alert begins (True) or ends at this look."""
    return [(one.series[0][1], begins) for one, begins in firing.take(readings)]


def test_a_series_fires_once_while_it_is_found() -> None:
    firing = Firing(rule=RULE)

    assert told(firing, reading()) == [("north", True)]
    assert told(firing, reading(measured=40.0)) == []


def test_series_fire_and_end_apart() -> None:
    firing = Firing(rule=RULE)

    assert told(firing, reading("north")) == [("north", True)]
    assert told(firing, reading("north"), reading("south")) == [("south", True)]
    assert [told(firing, reading("south")) for _ in range(3)] == [[], [], [("north", False)]]


def test_it_ends_after_clean_looks_in_a_row() -> None:
    firing = Firing(rule=RULE)  # of five minutes: three

    assert told(firing, reading()) == [("north", True)]
    assert [told(firing), told(firing)] == [[], []]
    assert told(firing, reading()) == []
    assert [told(firing) for _ in range(3)] == [[], [], [("north", False)]]
    assert told(firing) == []


def test_it_can_fire_again_after_its_end() -> None:
    firing = Firing(rule=RULE)
    told(firing, reading())
    for _ in range(3):
        told(firing)

    assert told(firing, reading()) == [("north", True)]


def test_what_is_below_the_threshold_is_not_found() -> None:
    assert told(Firing(rule=RULE), reading(fires=False)) == []


def test_enough_of_the_last_looks_must_find_it() -> None:
    periods = FailingPeriods(number_of_evaluation_periods=3, min_failing_periods_to_alert=2)
    firing = Firing(rule=msgspec.structs.replace(RULE, failing_periods=periods))

    assert told(firing, reading()) == []
    assert [told(firing), told(firing), told(firing)] == [[], [], []]
    assert told(firing, reading()) == []  # the first one is forgotten
    assert told(firing) == []
    assert told(firing, reading()) == [("north", True)]


def test_a_rule_of_every_minute_asks_for_ten_clean_looks() -> None:
    firing = Firing(rule=msgspec.structs.replace(RULE, evaluation_frequency="PT1M"))
    told(firing, reading())

    assert [told(firing) for _ in range(9)] == [[]] * 9
    assert told(firing) == [("north", False)]
