"""The page of a plan that waits for a person: in the future tense only as long as it waits."""

from datetime import timedelta

import pytest

from shared.domain.approvals.approval import Approval
from shared.domain.incidents.incident import State
from shared.domain.views.approval_page import ApprovalPage, present_approval
from shared.domain.views.incident_page import Dossier
from tests.shared.domain.approvals.waiting import (
    ALICE,
    LATER,
    REQUEST,
    incident,
    ruled,
    waiting,
    with_rulings,
)
from tests.shared.domain.decisions.worked_case import SERVICE, alter

APPROVED = with_rulings(waiting(), ruled(waiting(), ALICE))
REFUSED = with_rulings(waiting(), ruled(waiting(), ALICE, approve=False, reason="Not now."))


def shown(approval: Approval, state: State = State.WAITING, *, late: bool = False) -> ApprovalPage:
    dossier = Dossier(incident=alter(incident(), state=state), service=SERVICE)
    now = REQUEST.expires_at + timedelta(minutes=1) if late else LATER
    return present_approval(approval, dossier, ALICE, "token", now)


@pytest.mark.parametrize(
    ("page", "deadline", "labels"),
    [
        (shown(waiting()), "Expires in 14 min", ("Now", "If approved")),
        (shown(waiting(), late=True), "Expired", ("Before", "Not done")),
        (shown(waiting(), State.RESOLVED), "Would have expired", ("Before", "Not done")),
        (shown(APPROVED, State.ACTING), "Would have expired", ("Before", "As approved")),
        (shown(REFUSED, State.HELD, late=True), "Would have expired", ("Before", "Not done")),
    ],
    ids=["waits", "expired", "overtaken", "approved", "refused"],
)
def test_what_is_over_is_told_as_what_became_of_it(
    page: ApprovalPage, deadline: str, labels: tuple[str, str]
) -> None:
    assert page.deadline == deadline
    assert tuple(split.label for split in page.splits) == labels
