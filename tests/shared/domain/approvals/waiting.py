"""One plan that waits, from which the tests of approvals change one thing at a time.

Backstop asks for one person; a pipeline deployed what is there, and nobody has decided yet.
"""

from datetime import timedelta
from typing import Any

import msgspec

from shared.domain.approvals.approval import Approval, ApprovalRequest, Ruling, ask
from shared.domain.approvals.may_decide import Forbidden, Wish, may_decide
from shared.domain.approvals.steps import wait
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Mode
from shared.domain.decisions.decide import decide
from shared.domain.incidents.incident import Incident, Severity
from tests.fakes.callers import TENANT, person
from tests.shared.domain.decisions.worked_case import CASE as AUTOMATIC_CASE
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, POLICY, SERVICE, alter

APPROVER, COMMANDER, RESPONDER = AppRole.APPROVER, AppRole.COMMANDER, AppRole.RESPONDER
ALICE = person(APPROVER)
BOB = person(APPROVER, id=f"{TENANT}/b0b00000-0000-4000-8000-000000000002", name="Bob Brown")
CHIEF = person(COMMANDER, id=f"{TENANT}/c41ef000-0000-4000-8000-000000000003", name="Chi Chen")
CASE = alter(AUTOMATIC_CASE, service=alter(SERVICE, mode=Mode.APPROVE))
DECISION = decide(CASE)
assert DECISION.plan is not None
PLAN = DECISION.plan
REQUEST = ask(
    DECISION,
    POLICY,
    requested_by="backstop",
    deployers=(),
    key="a key that nobody knows",
    now=NOW,
)
LATER = NOW + timedelta(minutes=1)


def request(**changes: Any) -> ApprovalRequest:
    """The request with something changed."""
    return alter(REQUEST, **changes)


def waiting(**changes: Any) -> Approval:
    """Nobody has decided yet."""
    return Approval(request=request(**changes))


def with_rulings(approval: Approval, *rulings: Ruling) -> Approval:
    """The same request, decided about."""
    return alter(approval, rulings=(*approval.rulings, *rulings))


def incident(**changes: Any) -> Incident:
    """The incident, waiting."""
    step = wait(alter(INCIDENT, **changes), REQUEST, NOW)
    assert step.incident is not None
    return step.incident


def wish(approval: Approval, **changes: Any) -> Wish:
    """An approval of what waits."""
    asked = approval.request
    said = Wish(plan_hash=asked.plan.hash, nonce=asked.nonce, approve=True)
    return msgspec.structs.replace(said, **changes)


def decided(
    approval: Approval,
    by: Caller,
    *,
    severity: Severity = Severity.SEV1,
    graded_by: str = "",
    later: timedelta = timedelta(minutes=1),
    **said: Any,
) -> Ruling | Forbidden:
    """What becomes of it when this person says so, in an incident that is so bad."""
    incident = graded(severity, graded_by)
    return may_decide(approval, wish(approval, **said), by, incident=incident, now=NOW + later)


def graded(severity: Severity, by: str = "") -> Incident:
    """An incident that is so bad: by what was found out, or by somebody's word."""
    return alter(INCIDENT, severity=severity, graded_by=by)


def ruled(approval: Approval, by: Caller, **said: Any) -> Ruling:
    """The same, where it is a ruling."""
    found = decided(approval, by, **said)
    assert isinstance(found, Ruling), found
    return found


def refused(approval: Approval, by: Caller, **said: Any) -> str:
    """Why it is none."""
    found = decided(approval, by, **said)
    assert isinstance(found, Forbidden), found
    return found.why
