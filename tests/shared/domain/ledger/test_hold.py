"""A legal hold: what it keeps from the purge, and how it is told."""

from datetime import datetime, timedelta

import pytest

from shared.domain.ledger.completeness import complete
from shared.domain.ledger.hold import LegalHold, is_held, tell_hold
from tests.shared.domain.decisions.worked_case import NOW, alter
from tests.shared.domain.ledger.worked_chain import ROWS

HOLD = LegalHold(
    scope="fnol-summary",
    service="fnol-summary",
    by="tenant/ada",
    role="Auditor",
    reason="a claim",
    at=NOW,
)
RECORDED = datetime.fromisoformat(ROWS[0].recorded_at)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("scope", ["*", "fnol-summary", "INC-07-261123-0A1B2C3D"])
def test_it_keeps_an_incident_a_service_or_everything(scope: str) -> None:
    assert is_held(ROWS[0], [alter(HOLD, scope=scope)])


def test_it_keeps_nothing_else_and_nothing_when_it_is_lifted() -> None:
    assert not is_held(ROWS[0], [alter(HOLD, scope="policy-search")])
    assert not is_held(ROWS[0], [alter(HOLD, on=False)])
    assert not is_held(ROWS[0], [])


def test_of_what_was_touched_and_says_nothing_any_hold_keeps_all() -> None:
    touched = alter(ROWS[0], body="{")
    assert is_held(touched, [alter(HOLD, scope="policy-search")])
    assert not is_held(touched, [])


@pytest.mark.parametrize(
    ("since", "until", "held"),
    [
        (RECORDED, None, True),
        (RECORDED + SECOND, None, False),
        (None, RECORDED, False),
        (None, RECORDED + SECOND, True),
        (RECORDED - SECOND, RECORDED + SECOND, True),
    ],
)
def test_of_a_period_it_keeps_what_was_recorded_in_it(
    since: datetime | None, until: datetime | None, *, held: bool
) -> None:
    assert is_held(ROWS[0], [alter(HOLD, since=since, until=until)]) is held


def test_placing_and_lifting_are_fit_for_the_ledger() -> None:
    placed, lifted = tell_hold(None, HOLD), tell_hold(HOLD, alter(HOLD, on=False))
    assert (complete(placed), complete(lifted)) == ((), ())
    assert (placed.what, lifted.what) == (
        "placed a legal hold on the records of fnol-summary",
        "lifted a legal hold on the records of fnol-summary",
    )
    assert (lifted.role, lifted.before["on"]) == ("Auditor", True)
