"""Events outside incidents: each says who, what, when and why, as an auditor asks for it."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.coverage import EVERYTHING
from shared.domain.decisions.control import KillSwitch, tell_turned
from shared.domain.decisions.known_good import tell_earned
from shared.domain.decisions.release import Registration, Release, tell_registered
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.ledger.completeness import complete
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, KNOWN_GOOD, NOW

SWITCH = KillSwitch(scope="fnol-summary", on=True, by="Dana", reason="strange", at=NOW)
LATER = NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    "event",
    [
        tell_registered(GOOD_RELEASE, None),
        tell_earned("fnol-summary", KNOWN_GOOD),
        tell_turned(None, SWITCH),
    ],
    ids=lambda event: event.kind,
)
def test_it_is_complete_and_the_same_fact_has_the_same_id(event: ChangeEvent) -> None:
    assert complete(event) == ()
    assert event.incident == ""


def test_what_happened_earlier_says_so() -> None:
    event = happened(
        EventKind.NOTED, "id", "service", LATER, actor="a", what="b", why="c", happened_at=NOW
    )

    assert (event.happened_at, event.recorded_at) == (NOW, LATER)


def test_a_kill_switch_is_told_with_what_it_was_before() -> None:
    off = msgspec.structs.replace(SWITCH, scope=EVERYTHING, on=False, at=LATER)

    first, second = tell_turned(None, SWITCH), tell_turned(SWITCH, off)

    assert first.what == "turned the kill switch of fnol-summary on"
    assert second.what == "turned the kill switch of all services off"
    assert (first.before, second.before["on"], second.after["on"]) == ({"on": False}, True, False)
    assert first.id != second.id


def test_a_registration_has_no_unknown_fields_but_a_stored_release_may() -> None:
    stored = msgspec.to_builtins(GOOD_RELEASE)

    assert msgspec.convert({**stored, "of_tomorrow": 1}, type=Release) is not None
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(stored, type=Registration)
