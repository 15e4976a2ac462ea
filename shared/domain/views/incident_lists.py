"""The lists of an incident's page: moments, findings, suspects, timeline, pages and notes.

Part of `shared.domain.views.incident_page`. Each answers lines that the template lays out; text
that came from alerts and telemetry is cleaned here, what people wrote is kept as it is.
"""

from collections.abc import Iterable

import msgspec

from shared.domain.diagnosis.diagnosis import Diagnosis, Finding, Sign
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident, Page
from shared.domain.stamp import Stamp, stamp
from shared.domain.views.chart import Tone
from shared.domain.wording import plain


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list: what, the words beside it, when, and how it is to be seen."""

    text: str
    label: str = ""
    detail: str = ""
    at: Stamp | None = None
    tone: Tone = Tone.PLAIN


_LOUD = (Sign.BAD, Sign.UNKNOWN, Sign.NO_DATA)
_GOOD_NEWS = (EventKind.INTENT_CONFIRMED, EventKind.MITIGATED, EventKind.RESOLVED)
_BAD_NEWS = (
    EventKind.INCIDENT_OPENED,
    EventKind.INTENT_ABORTED,
    EventKind.INTENT_ESCALATED,
    EventKind.ESCALATED,
    EventKind.PAGE_REFUSED,
    EventKind.KNOWN_GOOD_LOST,
    EventKind.CHANGE_UNATTRIBUTED,
)


def moments(incident: Incident, zone: str) -> tuple[Line, ...]:
    """The moments of an incident that are known, in their order."""
    times = (
        ("Began", incident.onset_at),
        ("Opened", incident.opened_at),
        ("Acknowledged", incident.acknowledged_at),
        ("Recovered", incident.recovered_at),
        ("Resolved", incident.resolved_at),
        ("Report due", incident.duty.due_at),
        *((f"Reported as {plain(one.reference)}", one.at) for one in incident.duty.reports),
    )
    return tuple(Line(text=text, at=stamp(at, zone)) for text, at in times if at)


def findings(found: Diagnosis, *, loud: bool) -> tuple[Line, ...]:
    """What is bad or could not be told (`loud`), or what is in order."""
    chosen = [f for f in found.findings if (f.signal in _LOUD) is loud]
    return tuple(_finding(finding) for finding in chosen)


def _finding(finding: Finding) -> Line:
    tones = {Sign.BAD: Tone.BAD, Sign.GOOD: Tone.GOOD}
    tone = tones.get(finding.signal, Tone.PLAIN)
    return Line(
        text=plain(finding.sentence), label=finding.signal, detail=f"{finding.query}.kql", tone=tone
    )


def suspects(found: Diagnosis, zone: str) -> tuple[Line, ...]:
    """The changes that may be the cause, the likeliest first."""
    return tuple(
        Line(
            text=plain(suspect.what),
            label=plain(suspect.who),
            detail="; ".join(plain(reason) for reason in suspect.reasons),
            at=stamp(suspect.at, zone),
        )
        for suspect in found.suspects
    )


def timeline(events: Iterable[ChangeEvent], zone: str) -> tuple[Line, ...]:
    """Everything that was told of an incident, newest first."""
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


def pages(incident: Incident, zone: str) -> tuple[Line, ...]:
    """The pages that were sent, and whether somebody answered or the pager refused them."""
    waits = ("waiting", Tone.BAD) if incident.state.is_open() else ("not answered", Tone.PLAIN)
    return tuple(_page(page, zone, waits) for page in incident.pages)


def _page(page: Page, zone: str, waits: tuple[str, Tone]) -> Line:
    label, tone = ("answered", Tone.GOOD) if page.acknowledged_at else waits
    if page.refused:
        label, tone = "refused by the pager", Tone.BAD
    at = stamp(page.at, zone)
    return Line(text=plain(page.contact), label=label, detail=plain(page.reason), at=at, tone=tone)


def notes(incident: Incident, zone: str) -> tuple[Line, ...]:
    """What people wrote down, newest first."""
    notes = reversed(incident.notes)
    return tuple(Line(text=n.text, label=plain(n.author), at=stamp(n.at, zone)) for n in notes)
