"""Who may decide about a plan: one valid case, one thing changed, one plain sentence."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.approvals.approval import Approval, Ruling
from shared.domain.approvals.may_decide import (
    DECIDERS,
    Forbidden,
    may_decide,
    needs_waiver,
    why_not,
)
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.incidents.incident import Severity
from tests.fakes.callers import TENANT, app, person
from tests.shared.domain.approvals.waiting import (
    ALICE,
    APPROVER,
    BOB,
    CHIEF,
    COMMANDER,
    LATER,
    graded,
    refused,
    request,
    ruled,
    waiting,
    wish,
    with_rulings,
)
from tests.shared.domain.decisions.worked_case import NOW

GRAVE = [Severity.SEV0, Severity.SEV1]
MINOR = [Severity.SEV2, Severity.SEV3]


def test_an_approver_may_approve() -> None:
    ruling = ruled(waiting(), ALICE, reason="v1 is fine")
    assert (ruling.approved, ruling.by, ruling.role) == (True, ALICE.id, "Approver")
    assert (ruling.at, ruling.reason, ruling.alone) == (LATER, "v1 is fine", False)
    assert with_rulings(waiting(), ruling).is_settled


def test_a_commander_may_approve_like_anybody() -> None:
    ruling = ruled(waiting(), CHIEF)
    assert (ruling.role, ruling.alone) == ("Commander", False)


def test_alone_is_no_waiver_where_none_is_needed() -> None:
    assert not ruled(waiting(), CHIEF, alone=True, reason="now").alone


def test_a_program_never_decides() -> None:
    assert "Only a person" in refused(waiting(), app(APPROVER, COMMANDER))


@pytest.mark.parametrize("role", [role for role in AppRole if role not in DECIDERS])
def test_no_other_role_decides(role: AppRole) -> None:
    assert "role Approver or Commander" in refused(waiting(), person(role))


@pytest.mark.parametrize("changes", [{"plan_hash": "0" * 32}, {"nonce": "another"}])
def test_only_the_plan_that_waits_is_decided_about(changes: dict[str, str]) -> None:
    assert "another plan" in refused(waiting(), ALICE, **changes)


@pytest.mark.parametrize("approve", [True, False])
def test_an_expired_request_is_dead(approve: bool) -> None:
    late = timedelta(seconds=900)
    why = refused(waiting(), ALICE, later=late, approve=approve, reason="late")
    assert why == "The request expired at 14:20:00 UTC; nothing was moved."
    assert ruled(waiting(), ALICE, later=late - timedelta(microseconds=1)).approved


@pytest.mark.parametrize("approve", [True, False])
def test_who_asked_may_stop_it_and_not_approve_it(approve: bool) -> None:
    mine = waiting(requested_by=ALICE.id)
    if approve:
        assert "what they asked for" in refused(mine, ALICE)
    else:
        assert not ruled(mine, ALICE, approve=False, reason="changed my mind").approved


def test_who_deployed_either_version_does_not_approve_unless_policy_lets_them() -> None:
    mine = waiting(deployers=(ALICE.id,))
    assert "You deployed" in refused(mine, ALICE)
    assert ruled(mine, BOB).approved
    assert ruled(waiting(deployers=(ALICE.id,), deployer_may_approve=True), ALICE).approved


def test_nobody_counts_twice() -> None:
    two = waiting(quorum=2)
    once = with_rulings(two, ruled(two, ALICE))
    assert not once.is_settled
    assert "another person must" in refused(once, ALICE)
    assert with_rulings(once, ruled(once, BOB)).is_settled


def test_what_is_decided_stays_decided() -> None:
    given_ = with_rulings(waiting(), ruled(waiting(), ALICE))
    assert refused(given_, BOB) == f"Already approved by {ALICE.id}."
    no = with_rulings(waiting(), ruled(waiting(), ALICE, approve=False, reason="not now"))
    assert refused(no, BOB) == f"Already refused by {ALICE.id}."


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_refusal_says_why(reason: str) -> None:
    assert "needs a reason" in refused(waiting(), ALICE, approve=False, reason=reason)


@pytest.mark.parametrize("severity", GRAVE)
@pytest.mark.parametrize(
    "changes", [{"quorum": 3}, {"requested_by": CHIEF.id}, {"deployers": (CHIEF.id,)}]
)
def test_a_commander_alone_waives_the_rest_in_an_emergency(
    severity: Severity, changes: dict[str, object]
) -> None:
    asked = waiting(**changes)
    ruling = ruled(asked, CHIEF, severity=severity, alone=True, reason="customers wait")
    assert (ruling.alone, ruling.role) == (True, "Commander")
    assert with_rulings(asked, ruling).is_settled


@pytest.mark.parametrize("severity", MINOR)
def test_nobody_is_alone_in_what_is_minor(severity: Severity) -> None:
    why = refused(waiting(quorum=2), CHIEF, severity=severity, alone=True, reason="now")
    assert severity.value in why


def test_nobody_makes_the_emergency_themselves_in_which_they_approve_alone() -> None:
    asked = waiting(requested_by=CHIEF.id)
    own = refused(asked, CHIEF, graded_by=CHIEF.id, alone=True, reason="now")
    assert own == "It is a SEV1 by your word alone: another person must decide."
    assert ruled(asked, CHIEF, graded_by=ALICE.id, alone=True, reason="now").alone


def test_alone_needs_a_commander_and_a_reason() -> None:
    assert "Only a commander" in refused(waiting(quorum=2), ALICE, alone=True, reason="now")
    assert "needs a reason" in refused(waiting(quorum=2), CHIEF, alone=True, reason=" ")


def test_the_page_says_beforehand_what_may_be_done() -> None:
    mine = waiting(requested_by=CHIEF.id)
    grave, minor = graded(Severity.SEV1), graded(Severity.SEV2)
    assert why_not(waiting(), ALICE, incident=grave, now=LATER) == ("", False)
    why, alone = why_not(mine, CHIEF, incident=grave, now=LATER)
    assert "what they asked for" in why
    assert alone
    assert not why_not(mine, CHIEF, incident=minor, now=LATER)[1]


PEOPLE = [
    person(*roles, id=f"{TENANT}/0000000{number}-0000-4000-8000-000000000000")
    for number, roles in enumerate(
        [(APPROVER,), (COMMANDER,), (APPROVER, COMMANDER), (AppRole.RESPONDER,), ()]
    )
]
CALLERS = st.sampled_from([*PEOPLE, app(APPROVER)])
SAID = st.tuples(
    CALLERS, st.booleans(), st.booleans(), st.sampled_from(["", "because"]), st.integers(0, 1000)
)


def _play(
    approval: Approval, severity: Severity, said: list[tuple[Caller, bool, bool, str, int]]
) -> Approval:
    """Everybody says what they want, one after another; what counts is taken."""
    for caller, approve, alone, reason, seconds in sorted(said, key=lambda one: one[4]):
        wanted = wish(approval, approve=approve, alone=alone, reason=reason)
        now = NOW + timedelta(seconds=seconds)
        found = may_decide(approval, wanted, caller, incident=graded(severity), now=now)
        if isinstance(found, Forbidden):
            assert found.why.endswith(".")
        else:
            approval = with_rulings(approval, found)
    return approval


@given(
    quorum=st.integers(1, 3),
    asker=st.sampled_from(["backstop", *(one.id for one in PEOPLE)]),
    deployer=st.sampled_from(["pipeline", *(one.id for one in PEOPLE)]),
    severity=st.sampled_from(Severity),
    said=st.lists(SAID, max_size=12),
)
def test_whatever_people_say_a_plan_that_is_settled_has_valid_authority(
    quorum: int,
    asker: str,
    deployer: str,
    severity: Severity,
    said: list[tuple[Caller, bool, bool, str, int]],
) -> None:
    asked = waiting(quorum=quorum, requested_by=asker, deployers=(deployer,))
    after = _play(asked, severity, said)
    assert len({one.by for one in after.rulings}) == len(after.rulings)
    assert all(one.at < asked.request.expires_at for one in after.rulings)
    if after.is_settled:
        _check_authority(after, severity)
    for ruling in after.rulings:
        assert ruling.role in [role.value for role in DECIDERS]
        assert _caller(ruling).is_person


def _check_authority(after: Approval, severity: Severity) -> None:
    asked = after.request
    waiver = [one for one in after.approvers if one.alone]
    assert after.refused is None
    if waiver:
        assert severity.pages()
        assert COMMANDER in _caller(waiver[0]).roles
        assert waiver[0].reason == "because"
        before = Approval(request=asked, rulings=after.rulings[:-1])
        assert needs_waiver(before, _caller(waiver[0]))
        return
    assert len(after.approvers) == asked.quorum
    assert not {one.by for one in after.approvers} & {asked.requested_by, *asked.deployers}


def _caller(ruling: Ruling) -> Caller:
    return next(one for one in PEOPLE if one.id == ruling.by)


@given(st.sampled_from(PEOPLE), st.sampled_from(Severity), st.booleans())
def test_a_ruling_about_another_request_counts_for_nothing(
    caller: Caller, severity: Severity, same_plan: bool
) -> None:
    other = waiting() if not same_plan else Approval(request=request(nonce="an earlier one"))
    said, incident = wish(other, reason="yes"), graded(severity)
    found = may_decide(other, said, caller, incident=incident, now=LATER)
    if isinstance(found, Ruling):
        stolen = with_rulings(waiting(nonce="of now"), found)
        assert not stolen.is_settled
