"""The scenes of jobs and requests: what was so before each, and how it is run."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from responders.people.approve import show_approvals
from responders.people.control import set_kill_switch
from responders.people.freeze import set_freeze
from responders.people.handle import handle
from responders.people.page import page_all_due
from responders.reading.show import show_incidents
from responders.repair.exhume import exhume
from responders.repair.quarantine import discard, resubmit
from responders.repair.relay import relay
from responders.repair.remind import remind
from responders.repair.sweep import sweep
from responders.watching.compare import compare
from responders.watching.register import register
from responders.watching.watch import watch
from shared.domain.authority.caller import AppRole
from shared.domain.decisions.endpoint import Deployment
from shared.domain.incidents.incident import Severity, State
from shared.domain.keys import digest
from shared.domain.lineage.explanation import GRACE
from shared.domain.message import WORK, Message
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.protocol.kept import list_kept
from shared.protocol.leftovers import Leftovers, OutboxEntry, find_leftovers
from shared.protocol.lineage import release_puts
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    RECORD,
    SERVICE,
    SHARD,
    TARGET,
    message,
    store_case,
    store_incident,
)
from tests.responders.repair.test_sweep import entry, fired, list_in_azure
from tests.responders.watching.test_register import RELEASE
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, LIVE
from tests.simulation.crossing.jobs import Do, Job

NOTHING = Leftovers(messages={}, effects=[], intents=[])
SOAKED = timedelta(seconds=SERVICE.policy.soak_s)


def _asked(**body: Any) -> bytes:
    return msgspec.json.encode(body)


async def _nothing(_: FakeServices) -> None:
    return None


async def _record(services: FakeServices, **changes: Any) -> None:
    record = msgspec.structs.replace(RECORD, **changes)
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record)])


async def _lost_command(services: FakeServices) -> None:
    opened = NOW - timedelta(minutes=8)
    await store_case(services, state=State.OPENED, opened_at=opened, severity=Severity.SEV3)


async def _resolved(services: FakeServices) -> None:
    await store_incident(services, state=State.RESOLVED)


async def _dead_letter(services: FakeServices) -> None:
    services.bus.bury(WORK, "responder", message("triage", "key"), NOW)


async def _unheard_alert(services: FakeServices) -> None:
    list_in_azure(services, entry(fired()))


async def _well_soaked(services: FakeServices) -> None:
    await _record(services, known_good=None, serving_since=NOW - SOAKED)
    row = {"Deployment": "v2", "Total": 40_000, "Bad": 4}
    services.logs.answer("soak", [{**row, "Sli": sli} for sli in ("availability", "latency")])


async def _good_is_gone(services: FakeServices) -> None:
    await _record(services)
    alone = (Deployment(name="v2", state="Succeeded", instances=2),)
    services.endpoints.change(deployments=alone)


async def _moved_by_hand(services: FakeServices) -> None:
    """Traffic was moved a quarter of an hour ago, and no release came to explain it."""
    for release in (LIVE, GOOD_RELEASE):
        await services.state.write(SHARD, release_puts(release))
    for seconds in (-GRACE.total_seconds() - 300.0, 300.0):
        services.outside.wait(seconds)
        await compare(services, NOTHING)
        services.endpoints.move({"v2": 50, "v1": 50})
    services.outside.wait(GRACE.total_seconds())


async def _kept_letter(services: FakeServices) -> None:
    await _dead_letter(services)
    await exhume(services, NOTHING)


async def _too_large(services: FakeServices) -> None:
    """Something in the outbox that the bus will never take."""
    large = Message(subject="triage", body="x" * 300_000, message_id="large")
    entry = OutboxEntry(topic=WORK, message=large, committed_at=NOW - timedelta(minutes=5))
    await services.state.write(SHARD, [Put(row=entry.row, value=entry)])


async def _relay_all(services: FakeServices) -> None:
    await relay(services, await find_leftovers(services))


async def _show_open(services: FakeServices) -> None:
    await show_incidents(services, Request(query={"state": "open"}))


async def _resubmit(services: FakeServices) -> None:
    (kept,), _ = await list_kept(services)
    body = _asked(why="again")
    await resubmit(services, Request(method="POST", path={"id": kept.id}, body=body, caller=ADA))


async def _discard(services: FakeServices) -> None:
    (kept,), _ = await list_kept(services)
    body = _asked(why="noise")
    await discard(services, Request(method="POST", path={"id": kept.id}, body=body, caller=ADA))


def _request(respond: Callable[[Any, Request], Awaitable[object]], **request: Any) -> Do:
    return lambda services: respond(services, Request(method="POST", caller=ADA, **request))


def _tick(job: Callable[[Any, Leftovers], Awaitable[object]]) -> Do:
    return lambda services: job(services, NOTHING)


async def _changes_are_frozen(services: FakeServices) -> None:
    body = _asked(scope="*", on=True, reason=WHY, minutes=60)
    await set_freeze(services, Request(method="POST", body=body, caller=ADA))


WHY = "anna.jansen@example.com called"  # it is stored and told redacted
ADA = person(AppRole.COMMANDER)
ACKNOWLEDGE = {"id": INCIDENT.id, "action": "acknowledge"}
SWITCH = _asked(scope="*", on=True, reason=WHY)
JOBS = (
    Job(name="remind", prepare=_lost_command, run=_tick(remind)),
    Job(name="remind", prepare=_resolved, run=_tick(remind)),
    Job(name="exhume", prepare=_dead_letter, run=_tick(exhume)),
    Job(name="sweep", prepare=_unheard_alert, run=_tick(sweep)),
    Job(name="watch", prepare=_well_soaked, run=_tick(watch)),
    Job(name="watch", prepare=_good_is_gone, run=_tick(watch)),
    Job(name="compare", prepare=_moved_by_hand, run=_tick(compare)),
    Job(name="relay", prepare=_too_large, run=_relay_all),
    Job(name="page_all_due", prepare=_resolved, run=_tick(page_all_due)),
    Job(name="show_incidents", prepare=_resolved, run=_show_open),
    Job(name="show_approvals", prepare=_resolved, run=_request(show_approvals)),
    Job(
        name="handle",
        prepare=store_incident,
        run=_request(handle, path=ACKNOWLEDGE, body=_asked()),
        by_a_person=True,
    ),
    Job(
        name="register",
        prepare=_nothing,
        run=_request(register, body=_asked(**RELEASE | {"why": WHY})),
        by_a_person=True,
    ),
    Job(
        name="register",
        prepare=_changes_are_frozen,
        run=_request(register, body=_asked(**RELEASE | {"why": WHY})),
        by_a_person=True,
    ),
    Job(
        name="register",
        prepare=_changes_are_frozen,
        run=_request(register, body=_asked(**RELEASE | {"why": WHY, "if_frozen": "refuse"})),
    ),
    Job(
        name="set_kill_switch",
        prepare=_nothing,
        run=_request(set_kill_switch, body=SWITCH),
        by_a_person=True,
    ),
    Job(name="discard", prepare=_kept_letter, run=_discard, by_a_person=True),
    Job(name="resubmit", prepare=_kept_letter, run=_resubmit, by_a_person=True),
)
