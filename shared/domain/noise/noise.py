"""Noise: which rules hold an incident's pages and its automation back now, and what follows.

One mechanism for all that keeps quiet. It is asked when an alert is triaged (so that the delivery
says it), when somebody is due to be paged, and before anything is moved. The rules, in their order:

1. maintenance: the owners said that they work on the service. Holds pages and automation.
2. inhibition: a service that this one depends on has a grave incident, which is looked after
   first. Holds automation, and pages unless it is graver than that one.
3. storm: too many different troubles of the service at once. Holds automation, and the pages of
   all but the storm's own incident.
4. flapping: the same target opened again and again and was paged for twice. Holds pages, but not
   those that ask for a person after a rollback.

A grave incident that waits for another one's person (2, 3) pages all the same when nobody has
acknowledged that other one within minutes, or when that is an hour ago; and what nobody has looked
at for half a day holds nothing. Nothing that is held is lost: what still is open when no rule holds
it any more goes on by itself.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.incidents.escalation import wakes
from shared.domain.incidents.incident import Incident, State
from shared.domain.incidents.joining import ATTENDED_FOR
from shared.domain.noise.grouping import PAGES_A_WINDOW, Group
from shared.domain.noise.quiet import Quiet, QuietRule
from shared.domain.noise.storm import Storm
from shared.domain.windows import occurring
from shared.domain.wording import duration, moment

UNHEARD_FOR = timedelta(minutes=5)
HEARD_FOR = timedelta(hours=1)  # so long whoever acknowledged the other one is believed to be at it


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored around one incident. `parents` belong to services that its own depends on.

    `mutual` are those among these services that depend on its own service as well.
    """

    parents: tuple[Incident, ...] = ()
    mutual: frozenset[str] = frozenset()
    storm: Storm | None = None
    storm_incident: Incident | None = None
    group: Group | None = None


class _Question(msgspec.Struct, frozen=True):
    incident: Incident
    service: Service
    around: Surroundings
    now: datetime


def quiets(
    incident: Incident, service: Service, around: Surroundings, now: datetime
) -> tuple[Quiet, ...]:
    """Every rule that holds something of the incident back now, in the order of the rules."""
    if not incident.state.is_open():
        return ()
    question = _Question(incident, service, around, now)
    answers = (ask(question) for ask in _RULES)
    return tuple(answer for answer in answers if answer is not None)


def _maintenance(q: _Question) -> Quiet | None:
    window = occurring(q.service.maintenance, q.now)
    if window is None:
        return None
    end = moment(window.end, q.service.time_zone, q.now)
    return Quiet(
        rule=QuietRule.MAINTENANCE,
        sentence=f"{q.service.name} is in maintenance until {end} ({window.reason}): nobody is"
        " paged and nothing is moved until then.",
        until=window.end,
    )


def _inhibition(q: _Question) -> Quiet | None:
    holders = [one for one in q.around.parents if _inhibits(one, q)]
    if not holders:
        return None
    parent = min(holders, key=_age)
    graver = q.incident.severity < parent.severity
    pages = not graver and not _pages_all_the_same(q, parent)
    who = "nobody is paged and nothing is moved" if pages else "nothing is moved"
    return Quiet(
        rule=QuietRule.INHIBITION,
        sentence=f"{q.service.name} depends on {parent.service}, which has {parent.id}"
        f" ({parent.severity}): {who} until that is mitigated.",
        pages=pages,
    )


def _inhibits(parent: Incident, q: _Question) -> bool:
    """Of services that depend on each other the one whose incident opened first is the parent."""
    over = parent.state in (State.MITIGATED, State.RESOLVED)
    forgotten = q.now - _looked_at(parent) >= ATTENDED_FOR
    if over or forgotten or not parent.severity.pages() or parent.storm:
        return False
    return parent.service not in q.around.mutual or _age(parent) < _age(q.incident)


def _looked_at(incident: Incident) -> datetime:
    return incident.acknowledged_at or incident.opened_at


def _age(incident: Incident) -> tuple[datetime, str]:
    return incident.opened_at, incident.id


def _storm(q: _Question) -> Quiet | None:
    storm, telling = q.around.storm, q.around.storm_incident
    if storm is None or not storm.rages(q.now) or q.incident.storm:
        return None
    told = telling is not None and telling.state.is_open()
    pages = telling is not None and told and not _pages_all_the_same(q, telling)
    who = f"{storm.incident} pages for all of them, and" if pages else ""
    return Quiet(
        rule=QuietRule.STORM,
        sentence=f"{q.service.name} has a storm of {len(storm.seen)} or more different alerts:"
        f" {who} nothing is moved until it is calm.".replace("  ", " "),
        until=storm.until,
        pages=pages,
    )


def _pages_all_the_same(q: _Question, other: Incident) -> bool:
    """Whether it is grave, and nobody can be believed to look after what it waits for."""
    believed = UNHEARD_FOR if other.acknowledged_at is None else HEARD_FOR
    return q.incident.severity.pages() and q.now >= _looked_at(other) + believed


def _flapping(q: _Question) -> Quiet | None:
    group, window = q.around.group, timedelta(seconds=q.service.policy.flap_window_s)
    if group is None or group.incident != q.incident.id or not wakes(q.incident):
        return None
    failed = q.incident.state is State.ESCALATED and q.incident.automatic_rollbacks > 0
    if q.incident.pages or failed:
        return None  # whoever was woken is followed by the next; and a failed rollback is no flap
    until = group.pages_again_at(window)
    if until is None or q.now >= until:
        return None
    times = group.opened_since(q.now - window)
    return Quiet(
        rule=QuietRule.FLAPPING,
        sentence=f"opened {times} times in {duration(window)}, and {PAGES_A_WINDOW} pages were"
        f" sent: nobody is paged before {moment(until, q.service.time_zone, q.now)}.",
        until=until,
        automation=False,
    )


_RULES: tuple[Callable[[_Question], Quiet | None], ...] = (
    _maintenance,
    _inhibition,
    _storm,
    _flapping,
)


def depends_on(services: Mapping[str, Service], name: str, other: str) -> bool:
    """Whether a service depends on another one, directly or through others."""
    reached: set[str] = set()
    following = {name}
    while following:
        reached |= following
        named = {need for one in following if one in services for need in services[one].parents}
        if other in named:
            return True
        following = named - reached
    return False
