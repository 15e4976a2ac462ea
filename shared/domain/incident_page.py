"""The incident's page as values: every sentence, list and button that the template lays out.

Pure, as cards are: the words come from `shared.domain.briefing`, so that a card and the page never
tell two stories. Untrusted text is cleaned by `plain`; the template escapes.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from shared.domain import briefing
from shared.domain.catalog import Service
from shared.domain.chart import Tone
from shared.domain.decision import Decision, RuleResult, Verdict
from shared.domain.diagnosis import Diagnosis, Finding, Signal
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incident import Incident, Severity, State
from shared.domain.intent import Intent
from shared.domain.objectives import Standing, rto
from shared.domain.stamp import Stamp, stamp
from shared.domain.wording import plain


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that is stored about one incident; None and () where there is nothing yet."""

    incident: Incident
    service: Service | None = None
    diagnosis: Diagnosis | None = None
    decision: Decision | None = None
    intent: Intent | None = None
    timeline: tuple[ChangeEvent, ...] = ()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list: what, the words beside it, when, and how it is to be seen."""

    text: str
    label: str = ""
    detail: str = ""
    at: Stamp | None = None
    tone: Tone = Tone.PLAIN


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic before or after: percent by version, the largest first."""

    label: str
    shares: tuple[tuple[str, int], ...]


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as people read it."""

    id: str
    title: str
    service: str
    service_title: str
    severity: Severity
    state: State
    tone: Tone
    is_open: bool
    feeling: str
    gravity: str
    deed: str
    rto: str
    rto_tone: Tone
    command: str
    commander: str
    acknowledged: str
    splits: tuple[Split, ...]
    split_note: str
    moments: tuple[Line, ...]
    verdict: str
    verdict_tone: Tone
    reason: str
    mode: str
    policy: str
    rules: tuple[RuleResult, ...]
    failed_rules: int
    cause: tuple[str, ...]
    findings: tuple[Line, ...]
    quiet: tuple[Line, ...]
    ruled_out: tuple[str, ...]
    suspects: tuple[Line, ...]
    unanswered: tuple[str, ...]
    timeline: tuple[Line, ...]
    pages: tuple[Line, ...]
    notes: tuple[Line, ...]
    affected: int | None
    runbook: str
    severities: tuple[str, ...]


def present(dossier: Dossier, now: datetime) -> IncidentPage:
    """Say everything that is known of an incident."""
    incident, service = dossier.incident, dossier.service
    found, decision = dossier.diagnosis, dossier.decision
    zone = service.time_zone if service else "UTC"
    splits, note = _splits(incident, decision)
    failed = [rule for rule in decision.rules if not rule.passed] if decision else []
    return IncidentPage(
        id=incident.id,
        title=plain(incident.title),
        service=incident.service,
        service_title=service.title if service else "No service owns this",
        severity=incident.severity,
        state=incident.state,
        tone=STATE_TONES.get(incident.state, Tone.PLAIN),
        is_open=incident.state.is_open(),
        feeling=briefing.feeling(incident, service, found, now),
        gravity=briefing.gravity(incident),
        deed=briefing.deed(incident, decision),
        rto=briefing.time_left(incident, service, now),
        rto_tone=_rto_tone(incident, service, now),
        command=briefing.command(incident),
        commander=incident.commander,
        acknowledged=incident.acknowledged_by,
        splits=splits,
        split_note=note,
        moments=_moments(incident, zone),
        verdict=VERDICTS[decision.verdict] if decision else "Not decided yet",
        verdict_tone=_verdict_tone(decision),
        reason=plain(decision.reason) if decision else "",
        mode=decision.mode if decision else "",
        policy=decision.policy if decision else "",
        rules=decision.rules if decision else (),
        failed_rules=len(failed),
        cause=_cause(found),
        findings=_findings(found, loud=True),
        quiet=_findings(found, loud=False),
        ruled_out=tuple(plain(text) for text in found.ruled_out) if found else (),
        suspects=_suspects(found, zone),
        unanswered=tuple(plain(text) for text in found.unanswered) if found else (),
        timeline=_timeline(dossier.timeline, zone),
        pages=_pages(incident, zone),
        notes=_notes(incident, zone),
        affected=found.bad_requests if found and found.served_version else None,
        runbook=service.runbook if service else "",
        severities=tuple(severity.value for severity in Severity),
    )


STATE_TONES = {
    State.OPENED: Tone.BAD,
    State.DIAGNOSED: Tone.BAD,
    State.HELD: Tone.BAD,
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
_LOUD = (Signal.BAD, Signal.UNKNOWN, Signal.NO_DATA)
_GOOD_NEWS = (EventKind.INTENT_CONFIRMED, EventKind.MITIGATED, EventKind.RESOLVED)
_BAD_NEWS = (
    EventKind.INCIDENT_OPENED,
    EventKind.INTENT_ABORTED,
    EventKind.INTENT_ESCALATED,
    EventKind.ESCALATED,
)


def _rto_tone(incident: Incident, service: Service | None, now: datetime) -> Tone:
    standing = rto(incident, service, now).standing if service else Standing.UNKNOWN
    return {Standing.MET: Tone.GOOD, Standing.MISSED: Tone.BAD}.get(standing, Tone.PLAIN)


def _verdict_tone(decision: Decision | None) -> Tone:
    if decision is None:
        return Tone.PLAIN
    return Tone.GOOD if decision.verdict is Verdict.ROLL_BACK else Tone.BAD


def _splits(incident: Incident, decision: Decision | None) -> tuple[tuple[Split, ...], str]:
    told = briefing.splits(incident, decision)
    if told is None:
        return (), ""
    plan = decision.plan if decision else None
    before = incident.before if incident.after else plan.before if plan else {}
    after = incident.after or (plan.after if plan else {})
    label = told[2]
    return (_split("Before", before), _split(label, after)), "" if incident.after else label


def _split(label: str, shares: dict[str, int]) -> Split:
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return Split(label=label, shares=tuple((name, part) for name, part in ordered if part))


def _moments(incident: Incident, zone: str) -> tuple[Line, ...]:
    times = (
        ("Began", incident.onset_at),
        ("Opened", incident.opened_at),
        ("Acknowledged", incident.acknowledged_at),
        ("Recovered", incident.recovered_at),
        ("Resolved", incident.resolved_at),
    )
    return tuple(Line(text=text, at=stamp(at, zone)) for text, at in times if at)


def _cause(found: Diagnosis | None) -> tuple[str, ...]:
    return tuple(plain(reason) for reason in found.attribution.reasons) if found else ()


def _findings(found: Diagnosis | None, *, loud: bool) -> tuple[Line, ...]:
    chosen = [f for f in found.findings if (f.signal in _LOUD) is loud] if found else []
    return tuple(_finding(finding) for finding in chosen)


def _finding(finding: Finding) -> Line:
    tones = {Signal.BAD: Tone.BAD, Signal.GOOD: Tone.GOOD}
    tone = tones.get(finding.signal, Tone.PLAIN)
    return Line(
        text=plain(finding.sentence), label=finding.signal, detail=f"{finding.query}.kql", tone=tone
    )


def _suspects(found: Diagnosis | None, zone: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            text=plain(suspect.what),
            label=plain(suspect.who),
            detail="; ".join(plain(reason) for reason in suspect.reasons),
            at=stamp(suspect.at, zone),
        )
        for suspect in (found.suspects if found else ())
    )


def _timeline(events: Iterable[ChangeEvent], zone: str) -> tuple[Line, ...]:
    lines = [
        Line(
            text=plain(event.what),
            label=plain(event.actor),
            detail=plain(event.why),
            at=stamp(event.happened_at, zone),
            tone=_news(event.kind),
        )
        for event in events
    ]
    return tuple(reversed(lines))


def _news(kind: EventKind) -> Tone:
    if kind in _GOOD_NEWS:
        return Tone.GOOD
    return Tone.BAD if kind in _BAD_NEWS else Tone.PLAIN


def _pages(incident: Incident, zone: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            text=plain(page.contact),
            label="answered" if page.acknowledged_at else "waiting",
            detail=plain(page.reason),
            at=stamp(page.at, zone),
            tone=Tone.GOOD if page.acknowledged_at else Tone.BAD,
        )
        for page in incident.pages
    )


def _notes(incident: Incident, zone: str) -> tuple[Line, ...]:
    notes = reversed(incident.notes)
    return tuple(Line(text=n.text, label=plain(n.author), at=stamp(n.at, zone)) for n in notes)
