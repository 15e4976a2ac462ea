"""What a reading of the endpoint means for an open intent: the first rule that applies wins."""

from typing import Any

import msgspec
import pytest

from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.intent import MAXIMUM_WRITES, Intent, Move, judge, late_write
from tests.fakes.scene import NOW, PLAN, SNAPSHOT

BEFORE, AFTER, FOREIGN = PLAN.before, PLAN.after, {"v3": 100}


def intent(writes: int = 0) -> Intent:
    return Intent(plan=PLAN, fence=1, opened_at=NOW, writes=writes)


def reading(traffic: dict[str, int], **changes: Any) -> EndpointSnapshot:
    return msgspec.structs.replace(SNAPSHOT, traffic=traffic, **changes)


TOUCHED = {"last_modified": "later"}


@pytest.mark.parametrize(
    ("writes", "snapshot", "move"),
    [
        (0, reading(BEFORE), Move.WRITE),
        (0, reading(AFTER, **TOUCHED), Move.CONFIRM),
        (0, reading(FOREIGN, **TOUCHED), Move.ABORT),
        (0, reading(BEFORE, **TOUCHED), Move.ABORT),
        (1, reading(AFTER, **TOUCHED), Move.CONFIRM),
        (1, reading(BEFORE), Move.WRITE),
        (1, reading(BEFORE, **TOUCHED, state="Failed"), Move.WRITE),
        (1, reading(BEFORE, **TOUCHED), Move.ESCALATE),
        (1, reading(FOREIGN, **TOUCHED), Move.ESCALATE),
        (1, reading({"v1": 50, "v2": 50}, **TOUCHED), Move.ESCALATE),
        (MAXIMUM_WRITES, reading(BEFORE), Move.ESCALATE),
        (MAXIMUM_WRITES, reading(AFTER), Move.CONFIRM),
    ],
)
def test_what_is_read_says_what_to_do(writes: int, snapshot: EndpointSnapshot, move: Move) -> None:
    assert judge(intent(writes), snapshot).move is move


@pytest.mark.parametrize("traffic", [BEFORE, AFTER, FOREIGN])
@pytest.mark.parametrize("writes", [0, 1, MAXIMUM_WRITES])
def test_as_long_as_an_operation_is_in_flight_nothing_can_be_said(
    traffic: dict[str, int], writes: int
) -> None:
    assert judge(intent(writes), reading(traffic, state="Updating")).move is Move.WAIT


LATER = {"v1": 100, "v2": 0}


@pytest.mark.parametrize(
    ("unheard", "snapshot", "told"),
    [
        (1, reading(LATER, **TOUCHED), True),
        (0, reading(LATER, **TOUCHED), False),
        (1, reading(LATER), False),
        (1, reading(FOREIGN, **TOUCHED), False),
    ],
    ids=["written again", "every answer was heard", "not written again", "serves another"],
)
def test_a_request_that_may_have_come_late_is_told(
    unheard: int, snapshot: EndpointSnapshot, told: bool
) -> None:
    settled = reading(LATER).fingerprint
    ended = msgspec.structs.replace(intent(2), unheard=unheard, settled=settled)

    assert bool(late_write(ended, snapshot)) is told


def test_who_moved_the_traffic_instead_is_told_by_where_it_is() -> None:
    judged = judge(intent(1), reading({"v3": 70, "v2": 30}))

    assert judged.why.endswith("which is now v2 30 %, v3 70 %")
