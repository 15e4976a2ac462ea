"""Alarm: a grave alert reaches a human although a part is out, and needs no storage for that.

Beside the flow. Whoever takes in an alert sets its alarm: at once where it could not be made
durable, else for the case that triage does not take it in time. A task of the process, the keeper,
looks after the alarms: it hands the alert to intake again, pages who is due, and calls the alarm
off when triage has taken the alert. Pages go out under the name that the incident will have, so
that other processes' pages, later ones and the incident's own fold into one at the pager.
What a dead process knew is lost; what it had stored is found by the tick, which sets the alarm
again, and the delivery's row says who was paged already.
"""

import asyncio
import contextlib
import logging

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.incidents.alarm import PATIENCE, alarm_of, name_of
from shared.domain.incidents.direct_page import tell_direct_pages
from shared.domain.incidents.escalation import wakes
from shared.domain.incidents.incident import Incident, State
from shared.domain.incidents.joining import takes
from shared.domain.keys import shard_of_incident
from shared.domain.noise.grouping import find_service, group_of
from shared.errors import BackstopError, NotFound, Unavailable
from shared.protocol.alarm.direct_page import end_direct_pages, page_directly
from shared.protocol.commit import incident_row
from shared.protocol.intake import (
    WEBHOOK,
    Delivery,
    accept,
    read_delivery,
    relay_deliveries,
)
from shared.protocol.leftovers import Leftovers
from shared.protocol.records import read_group
from shared.protocol.revise import Revision, revise
from shared.services import Services

log = logging.getLogger("backstop.alarm")

MOST = 200  # alarms of a process; a target has one, however many alerts come about it
LOOK_EVERY_S = 5.0
ACCEPT_WITHIN_S = 8.0  # Azure Monitor hangs up after ten
ANSWER_WITHIN_S = 5.0  # else the tables do not answer, as far as an alarm is concerned
UNTAKEN = "triage has not taken the alert yet"


async def take_in(services: Services, alert: Alert, *, source: str = WEBHOOK) -> tuple[str, bool]:
    """Accept an alert and set its alarm; answer its delivery id and whether it is new.

    Raises Unavailable where it could not be made durable: somebody is paged for it all the same.
    """
    try:
        key, new = await _accept_in_time(services, alert, source)
    except Unavailable as trouble:
        set_alarm(services, alert, why=f"the {trouble.part} did not answer", at_once=True)
        raise
    if new:
        set_alarm(services, alert, why=UNTAKEN)
    return key, new


async def _accept_in_time(services: Services, alert: Alert, source: str) -> tuple[str, bool]:
    """Accept, or give up while whoever posts still listens."""
    try:
        async with asyncio.timeout(ACCEPT_WITHIN_S):
            return await accept(services, alert, source=source)
    except TimeoutError:
        raise Unavailable("tables", f"no answer within {ACCEPT_WITHIN_S:.0f} s") from None


def set_alarm(services: Services, alert: Alert, *, why: str, at_once: bool = False) -> None:
    """Page for an alert, at once or if triage does not take it in time; nothing if it is mild."""
    _hold(services, alert, why, at_once=at_once)
    if services.memory.alarms:
        services.errands.start("alarms", lambda: _keep(services))


def _hold(services: Services, alert: Alert, why: str, *, at_once: bool) -> None:
    """Make an alarm of the alert, or let it join the one of its target."""
    now, name = services.now(), name_of(alert, services.catalog)
    known = services.memory.alarms.get(name)
    quiet_until = known.quiet_until if known else now
    due_at = max(now if at_once else now + PATIENCE, quiet_until)
    alarm = alarm_of(alert, services.catalog, why=why, now=now, due_at=due_at)
    if alarm is None:
        return
    if not known and len(services.memory.alarms) >= MOST:
        log.error("too many alarms: nobody is paged directly for %s", alert.summary)
        return
    if known and not known.is_settled:
        services.memory.alarms[name] = known.joined(alarm)
    else:
        services.memory.alarms[name] = msgspec.structs.replace(alarm, quiet_until=quiet_until)


async def watch_deliveries(services: Services, leftovers: Leftovers) -> None:
    """Relay what triage has not taken, and set the alarm of what it should have taken by now."""
    now = services.now()
    for delivery in await relay_deliveries(services, leftovers):
        if now - delivery.accepted_at >= PATIENCE:
            set_alarm(services, delivery.alert, why=UNTAKEN, at_once=True)


async def look_after_alarms(services: Services) -> None:
    """Page who is due now, and call off what triage has taken."""
    now = services.now()
    for name in [name for name, alarm in services.memory.alarms.items() if alarm.is_forgotten(now)]:
        del services.memory.alarms[name]
    due = [name for name, alarm in services.memory.alarms.items() if alarm.is_due(now)]
    await asyncio.gather(*(_look(services, name) for name in due))


async def _keep(services: Services) -> None:
    while services.memory.alarms:
        await look_after_alarms(services)
        await asyncio.sleep(LOOK_EVERY_S)


async def _look(services: Services, name: str) -> None:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            goes_on = await _ask_triage(services, name)
    except (BackstopError, TimeoutError) as error:
        log.warning("an alarm goes on: %s", error)
        goes_on = True
    if goes_on:
        await page_directly(services, name)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await _tell(services, name)
    except (BackstopError, TimeoutError) as error:
        log.warning("what was paged directly is told later: %s", error)


async def _ask_triage(services: Services, name: str) -> bool:
    """Whether the alarm goes on: triage has not taken its alerts, though it had the time to.

    What could not be made durable when it came is handed to intake now, and triage has its time.
    """
    alerts, now = services.memory.alarms[name].alerts, services.now()
    found = await asyncio.gather(*(_hand_in(services, alert) for alert in alerts))
    alarm = services.memory.alarms[name].stored(alerts, now)
    for alert, delivery in zip(alerts, found, strict=True):
        if delivery and delivery.pending:
            alarm = alarm.knows(delivery.pages)
        elif delivery:
            alarm = alarm.taken(alert, delivery.incident, now)
    waiting = [delivery.alert for delivery in found if delivery and delivery.pending]
    new = not waiting and alarm.over_at is None
    services.memory.alarms[name] = alarm.again(UNTAKEN, now) if new else alarm
    seen = [await _is_looked_after(services, alert, alarm.incident.id) for alert in waiting]
    return not all(seen)


async def _hand_in(services: Services, alert: Alert) -> Delivery | None:
    """The alert's delivery; None where it was made durable only now."""
    key, new = await accept(services, alert)
    return None if new else (await read_delivery(services, key)).value


async def _is_looked_after(services: Services, alert: Alert, incident_id: str) -> bool:
    """Whether triage would let it join an open incident of its target that wakes people."""
    service = find_service(alert, services.catalog)
    group = group_of(alert, service)
    if group is None:
        return False
    shard = shard_of_incident(incident_id)
    opened = (await read_group(services, shard, group)).value.incident
    if not opened:
        return False
    found = await services.state.read(shard, incident_row(opened), Incident)
    if found is None or found.value.state in (State.MITIGATED, State.RESOLVED):
        return False
    return wakes(found.value) and takes(found.value, alert, service, services.now())


async def _tell(services: Services, name: str) -> None:
    """Say in the incident that took it what was done meanwhile; end what it does not know."""
    alarm, now = services.memory.alarms[name], services.now()
    if alarm.taken_by is None:
        return

    def take(incident: Incident) -> Revision:
        return Revision(step=tell_direct_pages(incident, alarm, now))

    if alarm.sent and alarm.taken_by != alarm.incident.id:
        await end_direct_pages(services, alarm)
    if alarm.sent and alarm.taken_by:
        with contextlib.suppress(NotFound):
            await revise(services, alarm.taken_by, take)
    alarms = services.memory.alarms
    alarms[name] = alarms[name].told(services.catalog, services.now())
