"""The incident's page as values: every sentence, list and button that the template lays out.

Pure, as cards are: the words come from `shared.domain.views.briefing`, so that a card and the page
never tell two stories. Untrusted text is cleaned by `plain`; the template escapes.
"""

from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.decision import Decision, RuleResult, Verdict
from shared.domain.decisions.intent import Intent
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.event import ChangeEvent
from shared.domain.incidents.incident import Incident, Severity, State
from shared.domain.incidents.objectives import Objective, Standing, rpo, rto
from shared.domain.readiness.observed import MOVES
from shared.domain.views import briefing
from shared.domain.views import incident_lists as lists
from shared.domain.views.chart import Tone
from shared.domain.views.incident_lists import Line
from shared.domain.wording import plain

KEY_RULES = (
    "cause-is-version",
    "known-good-exists",
    "target-probe-passes",
    "burn-rate-or-failed-probe",
    "kill-switch-off",
    "mode-automatic",
)
_ASK_ANEW = "Nothing moves by that alone: Roll back has it diagnosed and decided anew."
STATE_TONES = {
    State.OPENED: Tone.BAD,
    State.DIAGNOSED: Tone.BAD,
    State.HELD: Tone.BAD,
    State.WAITING: Tone.BAD,
    State.ESCALATED: Tone.BAD,
    State.MITIGATED: Tone.GOOD,
    State.RESOLVED: Tone.GOOD,
}
VERDICTS = {
    Verdict.ROLL_BACK: "Roll back",
    Verdict.NEEDS_APPROVAL: "Needs approval",
    Verdict.HOLD: "Hold",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.REFUSE: "Refuse",
}


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that is stored about one incident; None and () where there is nothing yet.

    `accepted` and `answered` count customers' requests since the onset, None where unknown.
    """

    incident: Incident
    service: Service | None = None
    diagnosis: Diagnosis | None = None
    decision: Decision | None = None
    intent: Intent | None = None
    timeline: tuple[ChangeEvent, ...] = ()
    accepted: int | None = None
    answered: int | None = None

    @property
    def losses(self) -> Objective | None:
        """Whether more requests were lost than the owners allow; None without an owner."""
        if self.service is None:
            return None
        return rpo(self.incident, self.service, accepted=self.accepted, answered=self.answered)


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic before or after: percent by version, the largest first."""

    label: str
    shares: tuple[tuple[str, int], ...]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The decision: the verdict, why, and what every rule saw. `key_rules` come first."""

    verdict: str
    tone: Tone
    reason: str
    mode: str
    policy: str
    rules: tuple[RuleResult, ...]
    key_rules: tuple[RuleResult, ...]

    @property
    def passed(self) -> int:
        """How many rules passed."""
        return sum(rule.passed for rule in self.rules)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The diagnosis: whose fault it is, what is bad, what is in order, what is not known.

    `affected` is None where no version is named, else the bad requests that were counted.
    """

    cause: tuple[str, ...]
    findings: tuple[Line, ...]
    quiet: tuple[Line, ...]
    ruled_out: tuple[str, ...]
    suspects: tuple[Line, ...]
    unanswered: tuple[str, ...]
    affected: int | None


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as people read it; `judged` and `found` are None as long as there is nothing."""

    incident: Incident
    title: str
    tone: Tone
    feeling: str
    gravity: str
    deed: str
    raised: str
    rto: str
    rto_tone: Tone
    rpo: str
    command: str
    splits: tuple[Split, ...]
    runbook: str
    moments: tuple[Line, ...]
    timeline: tuple[Line, ...]
    pages: tuple[Line, ...]
    notes: tuple[Line, ...]
    judged: Judged | None
    found: Found | None
    severities: tuple[Severity, ...] = tuple(Severity)

    @property
    def versions(self) -> list[str]:
        """Every version that has a share of the traffic before or after, by name."""
        return sorted({name for split in self.splits for name, _ in split.shares})


def present(dossier: Dossier, now: datetime) -> IncidentPage:
    """Say everything that is known of an incident."""
    incident, service = dossier.incident, dossier.service
    zone = service.time_zone if service else "UTC"
    return IncidentPage(
        incident=incident,
        title=plain(incident.title),
        tone=STATE_TONES.get(incident.state, Tone.PLAIN),
        feeling=briefing.feeling(incident, service, dossier.diagnosis, now),
        gravity=briefing.gravity(incident),
        deed=_deed(dossier),
        raised=_raised(dossier),
        rto=briefing.time_left(incident, service, now),
        rto_tone=_rto_tone(incident, service, now),
        rpo=dossier.losses.sentence if dossier.losses else "unknown",
        command=briefing.command(incident),
        splits=_splits(incident, dossier.decision),
        runbook=service.runbook if service else "",
        moments=lists.moments(incident, zone),
        timeline=lists.timeline(dossier.timeline, zone),
        pages=lists.pages(incident, zone),
        notes=lists.notes(incident, zone),
        judged=_judged(dossier.decision) if dossier.decision else None,
        found=_found(dossier.diagnosis, zone) if dossier.diagnosis else None,
    )


def _deed(dossier: Dossier) -> str:
    """What Backstop did, or that it moved nothing."""
    incident, decision = dossier.incident, dossier.decision
    told = briefing.deed(incident, decision)
    if dossier.intent is None:
        refused = decision is not None and decision.verdict is not Verdict.ROLL_BACK
        return f"Moved nothing. {told}" if refused and incident.sentence else told
    return told


def _raised(dossier: Dossier) -> str:
    """That the mode which held it would let it go on by now, and that a person asks for that."""
    incident, service, decision = dossier.incident, dossier.service, dossier.decision
    if incident.state is not State.HELD or service is None or decision is None:
        return ""
    if decision.failed_rule != "mode-lets-act" or service.mode not in MOVES:
        return ""
    return f"The mode was raised to {service.mode} since. {_ASK_ANEW}"


def _judged(decision: Decision) -> Judged:
    rules = tuple(
        msgspec.structs.replace(rule, observed=plain(rule.observed), required=plain(rule.required))
        for rule in decision.rules
    )
    return Judged(
        verdict=VERDICTS[decision.verdict],
        tone=Tone.GOOD if decision.verdict is Verdict.ROLL_BACK else Tone.BAD,
        reason=plain(decision.reason),
        mode=decision.mode,
        policy=decision.policy,
        rules=rules,
        key_rules=tuple(rule for rule in rules if not rule.passed or rule.rule in KEY_RULES),
    )


def _found(diagnosis: Diagnosis, zone: str) -> Found:
    return Found(
        cause=tuple(plain(reason) for reason in diagnosis.attribution.reasons),
        findings=lists.findings(diagnosis, loud=True),
        quiet=lists.findings(diagnosis, loud=False),
        ruled_out=tuple(plain(text) for text in diagnosis.ruled_out),
        suspects=lists.suspects(diagnosis, zone),
        unanswered=tuple(plain(text) for text in diagnosis.unanswered),
        affected=diagnosis.bad_requests if diagnosis.served_version else None,
    )


def _rto_tone(incident: Incident, service: Service | None, now: datetime) -> Tone:
    standing = rto(incident, service, now).standing if service else Standing.UNKNOWN
    return {Standing.MET: Tone.GOOD, Standing.MISSED: Tone.BAD}.get(standing, Tone.PLAIN)


def _splits(incident: Incident, decision: Decision | None) -> tuple[Split, ...]:
    told = briefing.splits(incident, decision)
    if told is None:
        return ()
    plan = decision.plan if decision else None
    before = incident.before if incident.after or plan is None else plan.before
    after = incident.after if incident.after or plan is None else plan.after
    return split("Before", before), split(told[2], after)


def split(label: str, shares: dict[str, int]) -> Split:
    """One split of the traffic, the largest share first."""
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return Split(label=label, shares=tuple((name, part) for name, part in ordered if part))
