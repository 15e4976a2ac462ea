"""Hold: an auditor orders that records are kept, whatever their age, and says when that is over.

Beside the flow: only the purge reads it. Whoever acts on production has no say in what is kept of
it, so both are the auditor's alone; the ledger keeps who it was and why.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from shared.domain.authority.caller import Caller
from shared.domain.keys import shard_of_incident
from shared.domain.ledger.hold import LegalHold
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, RejectedInput
from shared.protocol.commit import read_incident
from shared.protocol.evidence.holds import read_hold, read_holds, store_hold
from shared.protocol.setting import check_reason, check_setting
from shared.services import Services

YEARS = range(2000, 2101)


class HoldRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be kept: an incident, a service or "*"; of it what was recorded in a period."""

    scope: str
    reason: str
    since: datetime | None = None
    until: datetime | None = None


class HoldForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page's form says: the same, with the first and the last day of the period in UTC."""

    scope: str
    reason: str
    first: date | None = None
    last: date | None = None


class Lifting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the records need not be kept any more."""

    reason: str


async def show_holds(services: Services, _request: Request) -> Answer:
    """All legal holds, lifted ones among them, the newest first. Raises Unavailable."""
    return json_answer({"holds": [_shown(one) for one in await read_holds(services)]})


async def place_hold(services: Services, request: Request) -> Answer:
    """Keep records whatever their age. Raises RejectedInput, NotFound, Conflict, Unavailable."""
    asked = request.read(HoldRequest)
    _check_period(asked)
    service = await _service_of(services, asked)

    def make() -> LegalHold:
        return _hold(asked, service, request.actor, services.now())

    hold = await store_hold(services, make().id, make)
    return json_answer(_shown(hold))


async def hold_by_form(services: Services, request: Request) -> Answer:
    """The same from the page's form, which knows whole days. Raises as `place_hold` does."""
    said = request.read(HoldForm)
    _check_years(*(day for day in (said.first, said.last) if day))
    asked = HoldRequest(
        scope=said.scope,
        reason=said.reason,
        since=_midnight(said.first),
        until=_midnight(said.last + timedelta(days=1) if said.last else None),
    )
    body = msgspec.json.encode(asked)
    return await place_hold(services, msgspec.structs.replace(request, body=body))


async def lift_hold(services: Services, request: Request) -> Answer:
    """Let the purge have its way again with what the path's hold kept.

    Raises RejectedInput, NotFound, Conflict where it is lifted already, and Unavailable.
    """
    said, caller = request.read(Lifting), request.actor
    check_reason(said.reason)
    found = await read_hold(services, request.path["id"])
    if not found.on:
        raise Conflict(f"{found.by} lifted it already, at {found.at:%Y-%m-%d %H:%M} UTC")

    def make() -> LegalHold:
        by = {"by": caller.id, "role": caller.role, "at": services.now()}
        return msgspec.structs.replace(found, on=False, reason=said.reason.strip(), **by)

    return json_answer(_shown(await store_hold(services, found.id, make)))


def _check_period(asked: HoldRequest) -> None:
    bounds = [one for one in (asked.since, asked.until) if one is not None]
    if any(one.tzinfo is None for one in bounds):
        raise RejectedInput("no-zone", "since and until need their time zone, such as Z")
    _check_years(*bounds)
    if len(bounds) > 1 and bounds[0] >= bounds[1]:
        raise RejectedInput("wrong-period", "until must come after since")
    if bounds and shard_of_incident(asked.scope):
        raise RejectedInput("wrong-period", "an incident is kept whole: leave out since and until")


def _check_years(*days: date) -> None:
    """No calendar ends within these, whatever zone or day is added."""
    if any(day.year not in YEARS for day in days):
        allowed = f"a period lies between the years {YEARS[0]} and {YEARS[-1]}"
        raise RejectedInput("wrong-period", allowed)


async def _service_of(services: Services, asked: HoldRequest) -> str:
    """Whose the scope is. Raises RejectedInput, NotFound where there is no such thing."""
    check_reason(asked.reason)
    if shard_of_incident(asked.scope):
        return (await read_incident(services, asked.scope)).value.service
    check_setting(services.catalog, asked.scope, asked.reason)
    return asked.scope


def _hold(asked: HoldRequest, service: str, caller: Caller, now: datetime) -> LegalHold:
    return LegalHold(
        scope=asked.scope,
        service=service,
        by=caller.id,
        role=caller.role,
        reason=asked.reason.strip(),
        at=now,
        since=asked.since and asked.since.astimezone(UTC),
        until=asked.until and asked.until.astimezone(UTC),
    )


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _shown(hold: LegalHold) -> dict[str, Any]:
    return {"id": hold.id, **msgspec.to_builtins(hold), "covers": hold.sentence}
