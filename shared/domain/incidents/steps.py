"""The steps of an incident after triage, from the diagnosis to the end; each a pure function.

What only people do is in `shared.domain.incidents.handling`. A step that does not apply (the
incident is resolved) answers no incident and the reason, which the shell shows.
"""

from datetime import datetime

import msgspec

from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.event import EventKind
from shared.domain.incidents.incident import (
    Incident,
    Page,
    Severity,
    SeverityChoice,
    State,
    Step,
    tell,
)

AUTOMATION = "backstop"
BUSY = (State.ACTING, State.VERIFYING)
QUIET_NOW = "no alert fires any more"
_UNDECIDED = (State.OPENED, State.DIAGNOSED, State.HELD)


def record_diagnosis(
    incident: Incident, diagnosis: Diagnosis, choice: SeverityChoice | None, now: datetime
) -> Step:
    """Take a diagnosis, and with it the severity that it raises to, once.

    Asks for `enforce` next, unless the incident is past deciding.
    """
    if not incident.state.is_open():
        return refuse_resolved(incident)
    undecided = incident.state in _UNDECIDED
    step = tell(
        incident,
        EventKind.DIAGNOSED,
        actor=AUTOMATION,
        what=diagnosis.sentence,
        why=f"{diagnosis.health}; cause: {diagnosis.attribution.cause}",
        now=now,
        evidence=_findings(diagnosis),
        changes={
            "state": State.DIAGNOSED if undecided else incident.state,
            "onset_at": diagnosis.onset_at or incident.onset_at,
            "recovered_at": None if _broke_again(incident, diagnosis) else incident.recovered_at,
            "unexplained": False,
            "raised": incident.raised or choice is not None,
        },
    )
    if choice and step.incident:
        step = step.then(change_severity(step.incident, choice, who=AUTOMATION, now=now))
    return msgspec.structs.replace(step, commands=("enforce",)) if undecided else step


def _broke_again(incident: Incident, diagnosis: Diagnosis) -> bool:
    """Whether it is a second breach that is told of, from which nobody has recovered yet."""
    onset, recovered = diagnosis.onset_at, incident.recovered_at
    return onset is not None and recovered is not None and onset > recovered


def record_decision(incident: Incident, decision: Decision, now: datetime) -> Step:
    """Take a decision. All but a rollback hold the incident, with the reason as its sentence."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    acts = decision.verdict is Verdict.ROLL_BACK
    keeps = acts or incident.state not in _UNDECIDED
    return tell(
        incident,
        EventKind.DECIDED,
        actor=AUTOMATION,
        what=f"decided: {decision.verdict.replace('_', ' ')}",
        why=decision.reason,
        now=now,
        policy=decision.policy,
        policy_hash=decision.policy_hash,
        evidence=_rules(decision),
        changes={
            "state": incident.state if keeps else State.HELD,
            "sentence": decision.reason,
            "plan": decision.plan.id if decision.plan else incident.plan,
        },
    )


def record_check(incident: Incident, sentence: str, now: datetime) -> Step:
    """Take one verification after an act, whatever it says."""
    changes = {"checks": incident.checks + 1}
    kind = EventKind.VERIFIED
    what = f"check {incident.checks + 1} after the change"
    return tell(incident, kind, actor=AUTOMATION, what=what, why=sentence, now=now, changes=changes)


def mitigate(
    incident: Incident,
    sentence: str,
    *,
    recovered_at: datetime,
    now: datetime,
    bad_share: float | None = None,
) -> Step:
    """Say that customers are served well again; the last alert's end or a person resolves it.

    Where every alert ended while traffic was moved and checked, that is now. `bad_share` is that of
    the affected requests since the act, None where it was not measured.
    """
    if not incident.state.is_open():
        return refuse_resolved(incident)
    changes = {
        "state": State.MITIGATED,
        "recovered_at": recovered_at,
        "sentence": sentence,
        "bad_share_after": bad_share,
    }
    step = tell(
        incident,
        EventKind.MITIGATED,
        actor=AUTOMATION,
        what="customers are served well again",
        why=sentence,
        now=now,
        changes=changes,
    )
    if step.incident is None or incident.firing or incident.crowded:
        return step
    return step.then(resolve(step.incident, who=AUTOMATION, why=QUIET_NOW, now=now))


def escalate(incident: Incident, reason: str, contact: str, now: datetime) -> Step:
    """Hand the incident to a person, because automation cannot or must not end it."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    return tell(
        incident,
        EventKind.ESCALATED,
        actor=AUTOMATION,
        what=f"escalated to {contact}" if contact else "asks for a person",
        why=reason,
        now=now,
        evidence={"contact": contact},
        changes={"state": State.ESCALATED, "sentence": reason},
    )


def page_sent(incident: Incident, contact: str, reason: str, now: datetime) -> Step:
    """Keep that a page was accepted by the pager, and for whom."""
    page = Page(contact=contact, at=now, reason=reason)
    return tell(
        incident,
        EventKind.PAGED,
        actor=AUTOMATION,
        what=f"paged {contact}",
        why=reason,
        now=now,
        evidence={"contact": contact},
        changes={"pages": (*incident.pages, page)},
    )


def page_refused(incident: Incident, number: int, detail: str, now: datetime) -> Step:
    """Keep that the pager will never take a page: nobody was woken, so the next is due at once."""
    page = incident.pages[number]
    if page.refused:
        return Step(incident=None, reason="that is known already")
    pages = list(incident.pages)
    pages[number] = msgspec.structs.replace(page, refused=True)
    return tell(
        incident,
        EventKind.PAGE_REFUSED,
        actor=AUTOMATION,
        what=f"could not page {page.contact}",
        why=detail,
        now=now,
        evidence={"contact": page.contact},
        changes={"pages": tuple(pages)},
    )


def change_severity(
    incident: Incident, choice: SeverityChoice, *, who: str, role: str = "", now: datetime
) -> Step:
    """Set another severity: a person, or what was found out since."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    if choice.severity is incident.severity:
        return Step(incident=None, reason=f"it is {choice.severity} already")
    duty = incident.duty.classified(choice.severity, now)
    return tell(
        incident,
        EventKind.SEVERITY_CHANGED,
        actor=who,
        role=role,
        what=f"{incident.severity} becomes {choice.severity}",
        why="; ".join(choice.reasons),
        now=now,
        evidence=duty.told,
        changes={
            "duty": duty,
            "severity": choice.severity,
            "severity_reasons": (*incident.severity_reasons, *choice.reasons),
            "graded_by": _graded_by(incident, choice.severity, who),
        },
    )


def _graded_by(incident: Incident, severity: Severity, who: str) -> str:
    """The person who makes it a SEV0 or SEV1, which what was found out did not."""
    if not severity.pages() or who == AUTOMATION:
        return ""
    return incident.graded_by if incident.severity.pages() else who


def resolve(incident: Incident, *, who: str, role: str = "", why: str, now: datetime) -> Step:
    """End the incident, by a person or because no alert fires any more."""
    if not incident.state.is_open():
        return refuse_resolved(incident)
    return tell(
        incident,
        EventKind.RESOLVED,
        actor=who,
        role=role,
        what="resolved",
        why=why,
        now=now,
        changes={"state": State.RESOLVED, "resolved_at": now, "firing": ()},
    )


def refuse_resolved(incident: Incident) -> Step:
    """The answer of a step that comes too late."""
    return Step(incident=None, reason=f"{incident.id} is resolved already")


def _findings(diagnosis: Diagnosis) -> dict[str, object]:
    return {
        "health": diagnosis.health.value,
        "cause": diagnosis.attribution.cause.value,
        "requests": diagnosis.requests,
        "bad_requests": diagnosis.bad_requests,
        "unanswered": list(diagnosis.unanswered),
    }


def _rules(decision: Decision) -> dict[str, object]:
    failed = [rule.rule for rule in decision.rules if not rule.passed]
    return {
        "decision_hash": decision.hash,
        "verdict": decision.verdict.value,
        "would_be": decision.would_be.value,
        "mode": decision.mode.value,
        "failed_rules": failed,
        "waived": decision.waived,
        "plan_hash": decision.plan.hash if decision.plan else "",
    }
