"""What a commander must know about an incident, one short sentence each.

Cards and pages say the same things in the same words, so the words are made here: what customers
feel, how bad it is and why, what Backstop did, how long the RTO still lasts, who has command. All
answers are plain text, not yet escaped.
"""

from datetime import datetime, timedelta

from shared.domain.catalog import Mode, Service
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.diagnosis.diagnosis import Diagnosis, Health
from shared.domain.event import ITSELF
from shared.domain.incidents.incident import Incident, State
from shared.domain.wording import duration, moment, plain, share, traffic


def feeling(
    incident: Incident, service: Service | None, found: Diagnosis | None, now: datetime
) -> str:
    """What customers feel, or felt before it was resolved, as far as it was measured."""
    zone, who = _zone_of(service), _who(service)
    over = incident.state is State.RESOLVED
    if incident.recovered_at is not None:
        return f"{who} get good answers again since {moment(incident.recovered_at, zone, now)}."
    if found is None:
        return _unmeasured(incident, who)
    if found.health is Health.INCONCLUSIVE:
        feel = "felt" if over else "feel"
        return f"It could not be found out what {who.lower()} {feel}. {plain(found.sentence)}"
    if found.health is Health.HEALTHY:
        said = f"{who} got good answers when it was last measured. {plain(found.sentence)}"
        return said if over else f"{said} {_occasion(incident)}"
    return f"{who} {'got' if over else 'get'} {_harm(service, found, now)}"


def _unmeasured(incident: Incident, who: str) -> str:
    """Nothing is measured for what is Backstop's own trouble, so that is said first."""
    if incident.service == ITSELF:
        return f"{plain(incident.title)}. Whether {who.lower()} feel it is not known."
    over = incident.state is State.RESOLVED
    gap = "felt was not measured" if over else "feel is not measured yet"
    return f"What {who.lower()} {gap}. {_occasion(incident)}"


def _occasion(incident: Incident) -> str:
    """What opened it; not all have an alert."""
    known = "The alert" if incident.correlation_keys else "What is known"
    return f"{known}: {plain(incident.title)}"


def _harm(service: Service | None, found: Diagnosis, now: datetime) -> str:
    if not found.requests:
        return f"bad answers{_where(service, found)}. {plain(found.sentence)}"
    onset = found.onset_at
    since = f" since {moment(onset, _zone_of(service), now)}" if onset else ""
    counts = f"{found.bad_requests:,} of {found.requests:,}{since}"
    return (
        f"no good answer to {share(found.bad_share)} of requests{_where(service, found)}: {counts}."
    )


def _who(service: Service | None) -> str:
    """Name those who feel it; a service without an owner may well be used by customers."""
    return "Customers" if service is None or service.customer_impact else "Users"


def _where(service: Service | None, found: Diagnosis) -> str:
    if found.affected:
        return f" ({plain(found.affected.replace('=', ' '))})"
    everywhere = service is not None and set(found.regions_hit) >= set(service.regions)
    if not found.regions_hit or everywhere:
        return ""
    return f" in {plain(', '.join(found.regions_hit))}"


def gravity(incident: Incident) -> str:
    """Why the incident has its severity, without naming it."""
    reasons = (plain(reason).rstrip(".") for reason in incident.severity_reasons)
    return f"{'; '.join(filter(None, reasons)) or 'by the alert alone'}."


def deed(incident: Incident, decision: Decision | None) -> str:
    """What Backstop did or refused, in one sentence; and what holds it back now."""
    told = _deed(incident, decision)
    new = [one for one in incident.quiet if plain(one.sentence) not in told]
    held = [plain(f"Kept quiet by {one.rule}: {one.sentence}") for one in new]
    return " ".join([told, *held]) if incident.state.is_open() else told


def _deed(incident: Incident, decision: Decision | None) -> str:
    if told := plain(incident.sentence):
        return told
    if decision is None and incident.plan:
        return "Backstop has made a plan; the incident's page tells how far it got."
    if decision is None:
        return "Backstop has moved nothing. It is finding out what broke."
    return f"{_verdict(decision)}: {plain(decision.reason)}"


def _verdict(decision: Decision) -> str:
    if decision.verdict is Verdict.ROLL_BACK:
        return "Backstop moves the traffic back"
    if decision.verdict is Verdict.NEEDS_APPROVAL:
        return "Backstop asks for approval to move the traffic back"
    if decision.verdict is Verdict.INCONCLUSIVE:
        return "Backstop moved nothing, because the cause could not be found out"
    if decision.verdict is Verdict.REFUSE:
        return "Backstop refused to move traffic"
    if decision.would_be is Verdict.ROLL_BACK and decision.mode in (Mode.OBSERVE, Mode.RECOMMEND):
        return f"Backstop would have moved the traffic back, but its mode is {decision.mode}"
    return "Backstop holds and moved nothing"


def splits(incident: Incident, decision: Decision | None) -> tuple[str, str, str] | None:
    """The split before, the split after, and what the latter is; None where no move is known.

    Only "After" tells of something done: "Planned", "If approved" and "Would be" are intentions,
    and "Not done" is what became of one where nobody moves anything any more.
    """
    if incident.after:
        return traffic(incident.before), traffic(incident.after), "After"
    if decision is None or decision.plan is None:
        return None
    labels = {Verdict.ROLL_BACK: "Planned", Verdict.NEEDS_APPROVAL: "If approved"}
    label = labels.get(decision.verdict, "Would be")
    if incident.state in (State.HELD, State.RESOLVED) and decision.verdict in labels:
        label = "Not done"
    return traffic(decision.plan.before), traffic(decision.plan.after), label


def time_left(incident: Incident, service: Service | None, now: datetime) -> str:
    """Minutes to the RTO. It runs from the onset that telemetry shows and is unknown without."""
    if service is None:
        return "no RTO: no service owns this"
    allowed = timedelta(seconds=service.rto_s)
    if incident.onset_at is None:
        return f"{duration(allowed)} from the onset, which is not known yet"
    if incident.recovered_at is not None:
        return _recovery(incident.recovered_at - incident.onset_at, allowed)
    if incident.resolved_at is not None:
        took = duration(incident.resolved_at - incident.onset_at)
        return f"resolved {took} after the onset, {duration(allowed)} allowed; no recovery measured"
    due = incident.onset_at + allowed
    until = moment(due, service.time_zone, now)
    if now > due:
        return f"missed {duration(now - due)} ago, at {until}"
    return f"{duration(due - now)} left of {duration(allowed)}, until {until}"


def _recovery(took: timedelta, allowed: timedelta) -> str:
    verdict = "met" if took <= allowed else "missed"
    return f"{verdict}: recovered {duration(took)} after the onset, {duration(allowed)} allowed"


def command(incident: Incident) -> str:
    """Who has command, or who has at least seen it."""
    if incident.commander:
        return f"{plain(incident.commander)} has command"
    if incident.acknowledged_by:
        return f"nobody yet; {plain(incident.acknowledged_by)} has acknowledged"
    if incident.state is State.RESOLVED:
        return "nobody took command"
    return "nobody yet; acknowledge to take it"


def _zone_of(service: Service | None) -> str:
    return service.time_zone if service else "UTC"
