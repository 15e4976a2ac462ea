"""The scenes of authority: who acts is kept; what people ask for, review and freeze.

What a person did is done once however it was struck; asked again, nothing more comes of it.
"""

from datetime import timedelta
from typing import Any

import msgspec

from responders.evidence.hold import hold_by_form, lift_hold, place_hold
from responders.people.ask import ask
from responders.people.freeze import set_freeze
from responders.people.review import close_review, remind_reviewers
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.coverage import NEVER_SET
from shared.domain.event import EventKind
from shared.domain.freezes.freeze import Freeze
from shared.domain.incidents.incident import Incident, State
from shared.domain.message import WORK
from shared.domain.reviews.review import Opening, ReviewKind, closed_row, open_review, open_row
from shared.domain.views.http import Request
from shared.protocol.door.people import PEOPLE, remember_name
from shared.protocol.evidence.holds import read_holds
from shared.protocol.leftovers import find_leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.records import CONTROLS
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import (
    INCIDENT,
    PLAN,
    SERVICE,
    SHARD,
    incident_now,
    store_case,
    told,
)
from tests.fakes.waiting import ALICE, BOB, CHIEF, RITA
from tests.simulation.crossing.jobs import Do, Job, recorded

WEEK_AND_MORE = timedelta(days=9)
WHY = "anna.jansen@example.com called"  # it is stored and told redacted
AUDITOR = person(AppRole.AUDITOR, id=BOB.id)


def asked_by(caller: Caller, path: dict[str, str] | None = None, **body: Any) -> Request:
    """A POST by somebody."""
    data = msgspec.json.encode(body)
    return Request(method="POST", path=path or {}, body=data, caller=caller)


async def _nothing(_: FakeServices) -> None:
    return None


async def _come(services: FakeServices) -> None:
    """What the door keeps of whoever acts, at each of their requests."""
    await remember_name(services, ALICE)


async def _is_known(services: FakeServices) -> None:
    assert len(services.state.rows(PEOPLE)) == 1


async def _held(services: FakeServices) -> None:
    await store_case(services, state=State.HELD)


async def _ask(services: FakeServices) -> None:
    await ask(services, asked_by(RITA, service=SERVICE.name, reason=WHY))


async def _asked_in_one_incident(services: FakeServices) -> None:
    """There is one, it is listed, it has the request, and its next step was sent."""
    (incident,) = await open_incidents(services)
    assert len(services.state.rows(SHARD, "incident|")) == 1
    assert incident.request is not None
    assert {m.body for m in services.bus.published[WORK] if m.subject == "diagnose"} == {
        incident.id
    }
    kinds = await recorded(services)
    assert kinds[EventKind.ROLLBACK_REQUESTED] == len(
        {e.id for e in told(services) if e.kind is EventKind.ROLLBACK_REQUESTED}
    )
    assert kinds[EventKind.INCIDENT_OPENED] <= 1


async def _to_review(services: FakeServices) -> None:
    await store_case(services)

    def take(incident: Incident) -> Revision:
        opening = Opening(
            kind=ReviewKind.LONE_APPROVAL,
            about=PLAN.id,
            why="Nobody else was awake.",
            by=CHIEF.id,
            role=CHIEF.role,
            days=5,
            zone=SERVICE.time_zone,
        )
        opened = open_review(incident, opening, services.now())
        return Revision(step=opened.step, writes=opened.writes)

    await revise(services, INCIDENT.id, take)


async def _overdue(services: FakeServices) -> None:
    await _to_review(services)
    services.outside.wait(WEEK_AND_MORE.total_seconds())


async def _review(services: FakeServices) -> None:
    (name,) = (await incident_now(services)).reviews or await _closed(services)
    await close_review(services, asked_by(AUDITOR, {"id": name}, conclusion=WHY))


async def _closed(services: FakeServices) -> tuple[str, ...]:
    prefix = closed_row("")
    return tuple(row.removeprefix(prefix) for row in services.state.rows(SHARD, prefix))


async def _reviewed_once(services: FakeServices) -> None:
    assert len(await _closed(services)) == 1
    assert services.state.rows(SHARD, open_row("")) == []
    assert (await incident_now(services)).reviews == ()
    assert (await recorded(services))[EventKind.REVIEW_CLOSED] == 1


async def _remind(services: FakeServices) -> None:
    await remind_reviewers(services, await find_leftovers(services))


async def _reminded_once(services: FakeServices) -> None:
    assert len(services.state.rows(SHARD, open_row(""))) == 1
    assert (await recorded(services))[EventKind.REVIEW_OVERDUE] == 1


async def _freeze(services: FakeServices) -> None:
    await set_freeze(services, asked_by(CHIEF, scope="*", on=True, reason=WHY, minutes=60))


async def _frozen(services: FakeServices) -> None:
    (row,) = services.state.rows(CONTROLS, "freeze|")
    freeze = services.state.peek(CONTROLS, row, Freeze)
    assert freeze.holds(SERVICE.name, services.now())
    await _each_change_told(services, EventKind.FREEZE_CHANGED, freeze)


async def _hold(services: FakeServices) -> None:
    await place_hold(services, asked_by(AUDITOR, scope=SERVICE.name, reason=WHY))


async def _held_a_minute_ago(services: FakeServices) -> None:
    await _hold(services)
    services.outside.wait(60)


async def _hold_by_form(services: FakeServices) -> None:
    await hold_by_form(services, asked_by(AUDITOR, scope=SERVICE.name, reason=WHY))


async def _lift(services: FakeServices) -> None:
    (held,) = await read_holds(services)
    if held.on:
        await lift_hold(services, asked_by(AUDITOR, {"id": held.id}, reason=WHY))


async def _held_on(services: FakeServices) -> None:
    (held,) = await read_holds(services)
    assert held.on
    await _each_change_told(services, EventKind.LEGAL_HOLD_CHANGED, held)


async def _held_no_more(services: FakeServices) -> None:
    (held,) = await read_holds(services)
    assert not held.on
    await _each_change_told(services, EventKind.LEGAL_HOLD_CHANGED, held)


async def _each_change_told(services: FakeServices, kind: EventKind, now: object) -> None:
    """The ledger tells of every change once, each from the one before it, up to what is so now."""
    changes = {e.id: e for e in told(services) if e.kind is kind}.values()
    assert (await recorded(services))[kind] == len(changes)
    before: object = NEVER_SET
    for change in sorted(changes, key=lambda one: one.happened_at):
        assert change.before == before
        before = change.after
    assert msgspec.convert(before, type(now)) == now


def of_a_person(name: str, prepare: Do, run: Do, holds: Do) -> Job:
    """A scene of what one person does."""
    return Job(name=name, prepare=prepare, run=run, holds=holds, by_a_person=True)


JOBS = (
    Job(name="admit", prepare=_nothing, run=_come, holds=_is_known),
    of_a_person("ask", _nothing, _ask, _asked_in_one_incident),
    of_a_person("ask", _held, _ask, _asked_in_one_incident),
    of_a_person("close_review", _to_review, _review, _reviewed_once),
    of_a_person("set_freeze", _nothing, _freeze, _frozen),
    of_a_person("place_hold", _nothing, _hold, _held_on),
    of_a_person("hold_by_form", _nothing, _hold_by_form, _held_on),
    of_a_person("lift_hold", _held_a_minute_ago, _lift, _held_no_more),
    Job(name="remind_reviewers", prepare=_overdue, run=_remind, holds=_reminded_once),
)
