"""Readiness: when an app looks at itself, where its report lies, and who is woken where it fell.

Once a day, and for half an hour after roles were given or taken away in the subscriptions whose
activity log is in the workspace. The report and the incident that tells of what fell are stored
together; what recovers is only written down.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from shared.domain.alerts.alert import Alert
from shared.domain.alerts.own import SHUT_OUT_AFTER, tell_shut_out
from shared.domain.readiness.age import unbroken_since
from shared.domain.readiness.check import Check
from shared.domain.readiness.observed import Other
from shared.domain.readiness.report import Report, fallen, is_due, open_unready, remembering
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import BackstopError, Conflict, Refused, Unavailable
from shared.protocol.commit import commit
from shared.protocol.readiness.knocking import NOWHERE, ask_for_role_changes
from shared.protocol.waking import SHARD, Waking, wake
from shared.services import Services

LOOK_EVERY_S = 300.0  # for changes of roles

log = logging.getLogger("backstop.readiness")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What an app found; `exercised` is when each service's traffic was last rolled back."""

    checks: tuple[Check, ...]
    exercised: dict[str, datetime] = {}


async def read_report(services: Services, app: str) -> Stored[Report] | None:
    """The last report of an app. Raises Unavailable."""
    return await services.state.read(SHARD, f"readiness|{app}", Report)


async def look_over(services: Services, app: str) -> Other | None:
    """When the other app last looked at itself; None where nobody can tell."""
    try:
        found = await read_report(services, app)
    except Unavailable:
        return None
    every_s = services.settings.readiness_every_s
    return Other(app=app, every_s=every_s, looked_at=found.value.at if found else None)


async def looking_since(services: Services, app: str) -> datetime | None:
    """Since when an app looks at itself without a gap; None where nobody can tell."""
    try:
        found = await read_report(services, app)
    except Unavailable:
        return None
    every_s = services.settings.readiness_every_s
    return unbroken_since(found.value if found else None, every_s, services.now())


async def keep_ready(
    services: Services, app: str, look: Callable[[Services], Awaitable[Look]]
) -> None:
    """Look, when it is time, and tell what fell. Raises Unavailable.

    Refused where no report may be kept: then it is time again at the next tick.
    """
    turns, every_s = services.memory.turns, services.settings.readiness_every_s
    often_s = min(LOOK_EVERY_S, every_s)
    if not every_s or not turns.is_due("keep_ready", often_s, services.now(), app):
        return
    last = await read_report(services, app)
    changed_at = await _roles_changed_at(services)
    now, known = services.now(), last.value if last else None
    if is_due(known, changed_at, every_s, now):
        await _try_keeping(services)
        await _keep(services, app, last, await look(services), changed_at)
    services.memory.unkept_since = None
    turns.take("keep_ready", now, app)


def unkept(services: Services, app: str, error: Refused) -> Alert | None:
    """What to tell where an app may not store its report; None before that has lasted.

    No incident can be opened then: the responder pages directly, the executor asks it to.
    """
    since = services.memory.unkept_since = services.memory.unkept_since or services.now()
    if services.now() - since < SHUT_OUT_AFTER:
        return None
    detail = f"the {app} may read and not write, {error.detail}"
    return tell_shut_out(error.part, detail, refused=True, since=since)


async def _try_keeping(services: Services) -> None:
    """Where no report or no incident may be stored, a look would tell nobody. Raises Refused.

    The tick's log says it every time, and Azure's own watchdog listens to that. No incident is
    stored before the index lists it. What else is wrong the look itself finds.
    """
    for table in (services.state, services.index):
        try:
            await table.try_writing(NOWHERE)
        except Refused:
            raise
        except BackstopError as error:
            log.warning("the right to write is not known now: %s", error)


async def _roles_changed_at(services: Services) -> datetime | None:
    """None where nothing changed, or nobody can tell."""
    answer = await ask_for_role_changes(services)
    found = [row["ChangedAt"] for row in answer.rows]
    return found[0] if found and isinstance(found[0], datetime) else None


async def _keep(
    services: Services,
    app: str,
    last: Stored[Report] | None,
    seen: Look,
    changed_at: datetime | None,
) -> None:
    known, now = last.value if last else None, services.now()
    report = Report(
        app=app,
        at=now,
        checks=remembering(known, seen.checks),
        roles_changed_at=changed_at or (known.roles_changed_at if known else None),
        exercised=(known.exercised if known else {}) | seen.exercised,
        since=unbroken_since(known, services.settings.readiness_every_s, now),
    )
    waking = await _wake(services, app, fallen(known, report.checks), now)
    etag = last.etag if last else MUST_NOT_EXIST
    put = Put(row=f"readiness|{app}", value=report, etag=etag)
    with contextlib.suppress(Conflict):  # another worker has just looked
        await commit(services, SHARD, [*waking.writes, put], events=waking.events)


async def _wake(services: Services, app: str, lost: tuple[Check, ...], now: datetime) -> Waking:
    """One incident an app and area: what falls there while it is open joins it."""
    if not lost:
        return Waking()
    for check in lost:
        log.error("%s: not ready any more: %s %s: %s", app, check.area, check.name, check.sentence)
    row = f"unready|{app}|{lost[0].area}"
    return await wake(services, row, now, lambda: open_unready(app, lost, SHARD, now))
