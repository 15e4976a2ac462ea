"""The approval's page as values: the plan, what it rests on, how long it waits, and who may decide.

Pure. The page is for somebody who was woken a minute ago: what would be moved comes first, then why
a person is asked, then what is known of the harm, as it is said everywhere else.
"""

from datetime import datetime

import msgspec

from shared.domain.approvals.approval import BACKSTOP, Approval, Ruling
from shared.domain.approvals.may_decide import DECIDERS, why_not
from shared.domain.approvals.steps import awaits
from shared.domain.authority.caller import Caller
from shared.domain.authority.permissions import may
from shared.domain.decisions.decision import RuleResult
from shared.domain.incidents.incident import Incident, Severity
from shared.domain.stamp import Stamp, stamp
from shared.domain.views import briefing
from shared.domain.views.chart import Tone
from shared.domain.views.incident_lists import Line
from shared.domain.views.incident_page import Dossier, Split, split
from shared.domain.wording import duration, plain


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What this caller may send: `why_not` they may not approve, whether alone they may."""

    plan_hash: str
    nonce: str
    token: str
    why_not: str
    may_alone: bool


class ApprovalPage(msgspec.Struct, frozen=True, kw_only=True):
    """One request as people read it; `form` is None where it is over or not this caller's."""

    id: str
    incident: Incident
    title: str
    standing: str
    tone: Tone
    waits: bool
    move: str
    endpoint: str
    splits: tuple[Split, ...]
    feeling: str
    gravity: str
    diagnosis: str
    losses: str
    reason: str
    rules: tuple[RuleResult, ...]
    policy: str
    requested_by: str
    asked: Stamp
    expires: Stamp
    deadline: str
    needs: tuple[str, ...]
    rulings: tuple[Line, ...]
    form: Form | None

    @property
    def versions(self) -> list[str]:
        """Every version that has a share of the traffic before or after, by name."""
        return sorted({name for one in self.splits for name, _ in one.shares})


def present_approval(
    approval: Approval, dossier: Dossier, caller: Caller, token: str, now: datetime
) -> ApprovalPage:
    """Say everything that somebody needs who decides about the plan."""
    request, incident, service = approval.request, dossier.incident, dossier.service
    zone = service.time_zone if service else "UTC"
    plan = request.plan
    waits = awaits(incident, request) and now < request.expires_at
    standing, tone = _standing(approval, incident, now)
    return ApprovalPage(
        id=request.id,
        incident=incident,
        title=plain(incident.title),
        standing=standing,
        tone=tone,
        waits=waits,
        move=f"Move all traffic from {plan.bad} to {plan.good}",
        endpoint=plan.target.rsplit("/", 1)[-1],
        splits=_splits(approval, waits=waits),
        feeling=briefing.feeling(incident, service, dossier.diagnosis, now),
        gravity=briefing.gravity(incident),
        diagnosis=plain(dossier.diagnosis.sentence) if dossier.diagnosis else "",
        losses=dossier.losses.sentence if dossier.losses else "unknown",
        reason=plain(request.reason),
        rules=_rules(approval, dossier),
        policy=request.policy,
        requested_by="Backstop" if request.requested_by == BACKSTOP else request.requested_by,
        asked=stamp(request.asked_at, zone),
        expires=stamp(request.expires_at, zone),
        deadline=_deadline(approval, now, waits=waits),
        needs=_needs(approval, incident),
        rulings=tuple(_line(ruling, zone) for ruling in approval.rulings),
        form=_form(approval, incident, caller, token, now) if waits else None,
    )


def _standing(approval: Approval, incident: Incident, now: datetime) -> tuple[str, Tone]:
    """What became of the request, in one sentence."""
    request, refused, given = approval.request, approval.refused, approval.approvers
    if refused is not None:
        return f"Refused by {refused.by}: nothing was moved by this plan.", Tone.BAD
    if approval.is_settled:
        return f"Approved by {', '.join(one.by for one in given)}.", Tone.GOOD
    if not awaits(incident, request):
        return f"This plan does not wait any more: the incident is {incident.state}.", Tone.PLAIN
    if now >= request.expires_at:
        return "Expired: nobody decided in time, and nothing was moved.", Tone.BAD
    return f"Waits for approval: {len(given)} of {request.quorum} given.", Tone.BAD


def _splits(approval: Approval, *, waits: bool) -> tuple[Split, Split]:
    plan = approval.request.plan
    after = "If approved" if waits else "As approved" if approval.is_settled else "Not done"
    return split("Now" if waits else "Before", plan.before), split(after, plan.after)


def _deadline(approval: Approval, now: datetime, *, waits: bool) -> str:
    """What the time of expiry means now."""
    expires_at = approval.request.expires_at
    if waits:
        return f"Expires in {duration(expires_at - now)}"
    decided = approval.refused is not None or approval.is_settled
    return "Would have expired" if decided or now < expires_at else "Expired"


def _rules(approval: Approval, dossier: Dossier) -> tuple[RuleResult, ...]:
    """The rules that ask for a person, as the decision saw them; () where it is another's."""
    decision, mine = dossier.decision, approval.request.plan.hash
    if decision is None or decision.plan is None or decision.plan.hash != mine:
        return ()
    failed = (rule for rule in decision.rules if rule.rule in approval.request.rules)
    return tuple(
        msgspec.structs.replace(rule, observed=plain(rule.observed), required=plain(rule.required))
        for rule in failed
    )


def _needs(approval: Approval, incident: Incident) -> tuple[str, ...]:
    """Who may decide, as one would explain it."""
    request = approval.request
    people = "one person" if request.quorum == 1 else f"{request.quorum} people"
    said = [f"It needs {people} with the role {' or '.join(DECIDERS)}."]
    if request.requested_by != BACKSTOP:
        said.append("Not whoever asked for it.")
    if request.deployers and not request.deployer_may_approve:
        said.append("Not whoever deployed one of the two versions.")
    if incident.severity <= Severity.SEV1:
        said.append("A commander may approve alone, with a reason; that is reviewed afterwards.")
    return tuple(said)


def _line(ruling: Ruling, zone: str) -> Line:
    alone = " alone" if ruling.alone else ""
    return Line(
        text=ruling.by,
        label=f"{'approved' if ruling.approved else 'refused'}{alone} as {ruling.role}",
        detail=ruling.reason,
        at=stamp(ruling.at, zone),
        tone=Tone.GOOD if ruling.approved else Tone.BAD,
    )


def _form(
    approval: Approval, incident: Incident, caller: Caller, token: str, now: datetime
) -> Form | None:
    """What this caller may send; nothing where no role of theirs decides."""
    if not may(caller, "press_approval", "approve"):
        return None
    why, alone = why_not(approval, caller, incident=incident, now=now)
    request = approval.request
    return Form(
        plan_hash=request.plan.hash,
        nonce=request.nonce,
        token=token,
        why_not=why,
        may_alone=alone,
    )
