"""Quieting: an incident is held back, and goes on. The steps around `shared.domain.noise.noise`.

`weigh` is asked by triage for every alert, `proceed` by the tick for every incident that is open,
`defer` where a decision came to nothing but that.
"""

from datetime import datetime

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import UNOWNED, Service
from shared.domain.event import EventKind
from shared.domain.incidents.escalation import next_page, page_reason
from shared.domain.incidents.incident import DeliveryOutcome, Incident, State, Step, tell
from shared.domain.incidents.steps import AUTOMATION, page_sent
from shared.domain.noise.grouping import Group
from shared.domain.noise.noise import Surroundings, quiets
from shared.domain.noise.quiet import Quiet, QuietRule, holding_automation, sentences
from shared.domain.noise.storm import Storm, calm, count, open_storm


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """An alert's step with what noise makes of it. None where there is nothing to store.

    `storm` is the service's new count, `began` opens the incident of a storm that begins with this
    alert. The step's reason names every rule that holds the incident back.
    """

    step: Step
    storm: Storm | None = None
    began: Step | None = None


def weigh(
    step: Step,
    alert: Alert,
    *,
    service: Service | None,
    around: Surroundings,
    shard: str,
    now: datetime,
) -> Weighed:
    """Count a firing alert that was taken, and hold its incident back where a rule says so."""
    if step.incident is None or step.outcome is DeliveryOutcome.RESOLVED:
        return Weighed(step=step)
    storm, began = _counted(alert, service, around.storm, shard, now)
    known = msgspec.structs.replace(
        around,
        group=_group(around.group, step),
        storm=storm or around.storm,
        storm_incident=began.incident if began else around.storm_incident,
    )
    found = quiets(step.incident, service or UNOWNED, known, now)
    kept = keep_quiet(step.incident, found, now)
    held = step.then(kept) if kept.incident else step
    reason = " ".join(filter(None, (step.reason, sentences(found))))
    return Weighed(step=msgspec.structs.replace(held, reason=reason), storm=storm, began=began)


def _group(group: Group | None, step: Step) -> Group | None:
    """The group as the step leaves it."""
    if group is None or step.incident is None or step.outcome is not DeliveryOutcome.OPENED:
        return group
    return group.opened(step.incident)


def _counted(
    alert: Alert, service: Service | None, storm: Storm | None, shard: str, now: datetime
) -> tuple[Storm | None, Step | None]:
    """The new count, where it is another one, and the opening of the storm that it begins."""
    if service is None or storm is None:
        return None, None
    counted = count(storm, alert, service.policy.storm_alerts, now)
    if counted is storm:
        return None, None
    if storm.rages(now) or not counted.rages(now):
        return counted, None
    began = open_storm(service, counted, shard, now)
    assert began.incident is not None
    return msgspec.structs.replace(counted, incident=began.incident.id), began


def proceed(incident: Incident, service: Service, around: Surroundings, now: datetime) -> Step:
    """What is to be done about an open incident now: end a storm, go on, page, or keep quiet.

    Ask again after each step; one without an incident says that there is nothing to do.
    """
    found = quiets(incident, service, around, now)
    contact = next_page(incident, service, now, found)
    if incident.storm and not _rages(around.storm, incident, now):
        return calm(incident, now)
    over = any(quiet.rule not in _rules(found) for quiet in incident.quiet)
    if over or (incident.deferred and holding_automation(found) is None):
        return go_on(incident, found, now)
    if contact is not None:
        return page_sent(incident, contact.name, page_reason(incident, service), now)
    return keep_quiet(incident, found, now)


def _rages(storm: Storm | None, incident: Incident, now: datetime) -> bool:
    """Whether the storm of which the incident tells is not over yet."""
    return storm is not None and storm.incident == incident.id and storm.rages(now)


def keep_quiet(incident: Incident, found: tuple[Quiet, ...], now: datetime) -> Step:
    """Keep what holds the incident back; told once for each rule."""
    new = [quiet for quiet in found if quiet.rule not in _rules(incident.quiet)]
    if not new:
        return Step(incident=None, reason="nothing new holds it back")
    return tell(
        incident,
        EventKind.QUIETED,
        actor=AUTOMATION,
        what=f"keeps quiet: {', '.join(quiet.rule for quiet in new)}",
        why=sentences(new),
        now=now,
        evidence={"rules": [quiet.rule.value for quiet in found]},
        changes={"quiet": found},
    )


def go_on(incident: Incident, found: tuple[Quiet, ...], now: datetime) -> Step:
    """Something that held the incident back is over; `found` is what holds it back still.

    What would have been moved is looked at anew when nothing holds automation: the old diagnosis
    tells of the time before.
    """
    still = tuple(quiet for quiet in found if quiet.rule in _rules(incident.quiet))
    over = [quiet.rule for quiet in incident.quiet if quiet.rule not in _rules(still)]
    free = holding_automation(found) is None
    again = free and incident.deferred and incident.state is State.HELD
    step = tell(
        incident,
        EventKind.RESUMED,
        actor=AUTOMATION,
        what="goes on: diagnosed anew" if again else "goes on" if free else "is held back less",
        why=f"over: {', '.join(over)}" if over else "nothing holds automation back",
        now=now,
        changes={
            "quiet": still,
            "deferred": incident.deferred and not free,
            "state": State.OPENED if again else incident.state,
        },
    )
    return msgspec.structs.replace(step, commands=("diagnose",)) if again else step


def _rules(found: tuple[Quiet, ...]) -> set[QuietRule]:
    return {quiet.rule for quiet in found}


def defer(incident: Incident, found: tuple[Quiet, ...], now: datetime) -> Step:
    """Nothing else than quiet kept automation from acting: it is asked anew when that is over.

    Told by what `keep_quiet` tells, and by nothing where that was told before.
    """
    deferred = msgspec.structs.replace(incident, deferred=True)
    kept = keep_quiet(deferred, found, now)
    return kept if kept.incident else Step(incident=deferred)
