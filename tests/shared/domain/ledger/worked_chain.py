"""A worked chain that the tests of the ledger change in one thing."""

from datetime import timedelta

from shared.domain.event import ChangeEvent, EventKind
from shared.domain.ledger.chain import append
from tests.shared.domain.decisions.worked_case import NOW, alter

PARTITION = "07-202611"
LENGTH = 40


def event(number: int, **changes: object) -> ChangeEvent:
    """One of the events of a partition."""
    made = ChangeEvent(
        id=f"INC-07-261123-0A1B2C3D-{number:04d}",
        kind=EventKind.DECIDED,
        service="fnol-summary",
        incident="INC-07-261123-0A1B2C3D",
        sequence=number,
        actor="backstop",
        what=f"decided {number}",
        why="policy",
        policy="default",
        policy_hash="9a",
        happened_at=NOW,
        recorded_at=NOW + timedelta(seconds=number),
        before={"v1": 0, "v2": 100},
        after={"v2": 0, "v1": 100},
    )
    return alter(made, **changes)


EVENTS = tuple(event(number) for number in range(1, LENGTH + 1))
HEAD, ROWS = append(None, EVENTS, PARTITION)
