"""The approval: a plan that waits for people, what each of them said, and whether that suffices.

`decide` asks `holds_for`: what is approved is the hash of a plan, for as long as the request lives.
Another live state is another plan, and needs another approval. Nothing here knows who may decide;
that is `shared.domain.approvals.may_decide`.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import RollbackPolicy
from shared.domain.decisions.decision import Decision, Plan
from shared.domain.incidents.requests import Awaited
from shared.domain.keys import digest, shard_of_incident

BACKSTOP = "backstop"  # asks where no person did


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that waits. `deployers` registered the versions that it restores and removes.

    `reason` is the sentence of the rule that asks for a person; `rules` are all that do. `nonce`
    tells a request from an earlier one for the very same plan.
    """

    plan: Plan
    requested_by: str
    reason: str
    rules: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    quorum: int
    deployers: tuple[str, ...]
    deployer_may_approve: bool
    nonce: str
    key: str = ""  # of its form's tokens; shown nowhere
    policy: str = ""
    policy_hash: str = ""

    @property
    def id(self) -> str:
        """Finds it again: the incident's shard and the plan's hash."""
        return f"{shard_of_incident(self.plan.incident)}-{self.plan.hash}"

    @property
    def awaited(self) -> Awaited:
        """What the incident keeps of it."""
        return Awaited(id=self.id, nonce=self.nonce, expires_at=self.expires_at)


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What one person decided about a request, by which role, and why.

    `alone`: a commander in an emergency, who waives the quorum and may be the one who asked.
    """

    nonce: str
    plan_hash: str
    approved: bool
    by: str
    role: str
    at: datetime
    reason: str
    alone: bool = False


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A request with everything that was decided about it, in the order of time."""

    request: ApprovalRequest
    rulings: tuple[Ruling, ...] = ()

    @property
    def refused(self) -> Ruling | None:
        """The refusal; one is enough."""
        return next((one for one in self._mine if not one.approved), None)

    @property
    def approvers(self) -> tuple[Ruling, ...]:
        """The approvals of different people."""
        by_person = {one.by: one for one in self._mine if one.approved}
        return tuple(by_person.values())

    @property
    def is_settled(self) -> bool:
        """Whether enough people approved: the quorum, or a commander alone."""
        given = self.approvers
        waived = any(one.alone for one in given)
        return self.refused is None and (waived or len(given) >= self.request.quorum)

    def holds_for(self, plan: Plan, now: datetime) -> bool:
        """Whether this very plan may be carried out now by what people decided."""
        same = self.request.plan.hash == plan.hash
        return same and self.is_settled and now < self.request.expires_at

    @property
    def sentence(self) -> str:
        """By whom it was approved, for the evidence of a rule."""
        said = (f"{one.by} as {one.role} at {one.at.isoformat()}" for one in self.approvers)
        return f"approved by {', '.join(said)}"

    @property
    def _mine(self) -> list[Ruling]:
        """The rulings about this request; those about an earlier one count for nothing."""
        ours = (self.request.nonce, self.request.plan.hash)
        return [one for one in self.rulings if (one.nonce, one.plan_hash) == ours]


def ask(
    decision: Decision,
    policy: RollbackPolicy,
    *,
    requested_by: str,
    deployers: tuple[str, ...],
    key: str,
    now: datetime,
) -> ApprovalRequest:
    """The request that a decision makes which needs an approval; it has a plan."""
    assert decision.plan is not None, "what needs approval has a plan"
    return ApprovalRequest(
        plan=decision.plan,
        requested_by=requested_by,
        reason=decision.reason,
        rules=tuple(rule.rule for rule in decision.rules if not rule.passed),
        asked_at=now,
        expires_at=now + timedelta(seconds=policy.approval_expires_s),
        quorum=policy.quorum,
        deployers=deployers,
        deployer_may_approve=policy.deployer_may_approve,
        nonce=digest(decision.plan.hash, decision.hash, now.isoformat())[:16],
        key=key,
        policy=decision.policy,
        policy_hash=decision.policy_hash,
    )
