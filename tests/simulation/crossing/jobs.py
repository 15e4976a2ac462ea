"""Jobs and requests that the spine's world has not, or has no cause for: crossed one by one.

Each has a scene of its own. It is run and struck at one call; then another process runs it again,
as the next tick or the person would, until it goes through.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from responders.control import set_kill_switch
from responders.exhume import exhume
from responders.handle import handle
from responders.page import page_all_due
from responders.quarantine import resubmit
from responders.register import register
from responders.remind import remind
from responders.show import show_incidents
from responders.sweep import sweep
from responders.watch import watch
from shared.domain.endpoint import Deployment
from shared.domain.http import Request
from shared.domain.incident import Severity, State
from shared.domain.keys import digest
from shared.domain.message import WORK
from shared.domain.row import Put
from shared.errors import BackstopError, Unavailable
from shared.protocol.commit import relay
from shared.protocol.intake import relay_deliveries
from shared.protocol.kept import list_kept
from shared.protocol.leftovers import Leftovers, find_leftovers
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import (
    INCIDENT,
    KEYS,
    NOW,
    RECORD,
    SERVICE,
    SHARD,
    SNAPSHOT,
    TARGET,
    message,
    store_case,
    store_incident,
    told,
)
from tests.fakes.services import Outside, make_settings
from tests.responders.test_register import RELEASE
from tests.responders.test_sweep import entry, fired, list_in_azure
from tests.simulation.crossing.strike import ANSWERS, EFFECTS, Blow

NOTHING = Leftovers(messages={}, effects=[], intents=[])
TRIES = 4
TICKS = 16  # until each partition has been looked at
SOAKED = timedelta(seconds=SERVICE.policy.soak_s)

type Do = Callable[[FakeServices], Awaitable[object]]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is run, and what was so before. A person who asks twice may be told of twice."""

    name: str
    prepare: Do
    run: Do
    by_a_person: bool = False


class Struck(msgspec.Struct, frozen=True, kw_only=True):
    """Its calls by turns, counted from the job's first, and what is true at the end."""

    calls: list[tuple[int, str]]
    end: Mapping[str, object]


async def cross(job: Job, turn: int = 0, blow: Blow = Blow.OUT) -> Struck:
    """Run a job, struck at a turn; 0 strikes nothing."""
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE])
    keys = {**KEYS, "duty": "key of duty"}
    services = FakeServices(outside, make_settings(pager_keys=keys, sweep_every_s=300.0))
    await job.prepare(services)
    first = len(outside.turns.passed)
    if turn:
        outside.turns.at(turn, die if blow in DEADLY else _trouble)
    done = await _run(job, services)
    calls = outside.turns.passed[first:]
    outside.turns.forget()
    for number in range(TRIES):
        outside.wait(30)
        if done and job.by_a_person:
            break
        done = await _run(job, services.another(f"later {number}"))
    outside.wait(30)
    leftovers = await find_leftovers(services)
    await relay(services, leftovers)
    for number in range(TICKS):
        await relay_deliveries(services, msgspec.structs.replace(leftovers, turn=number))
    return Struck(calls=list(enumerate(calls, 1)), end=_end(job, services))


DEADLY = (Blow.KILLED_BEFORE, Blow.KILLED_AFTER)


async def _trouble() -> None:
    raise Unavailable("a part", "does not answer", 1.0)


async def _run(job: Job, services: FakeServices) -> bool:
    """Whether it went through."""
    try:
        await job.run(services)
    except (Killed, BackstopError):
        return False
    return True


def _end(job: Job, services: FakeServices) -> Mapping[str, object]:
    outside = services.outside
    tables = (outside.state, outside.deliveries)  # a pointer may lead nowhere, and is skipped
    rows = Counter(
        row.partition("|")[0] if "|" in row else "delivery"
        for table in tables
        for part in table.partitions()
        for row in table.rows(part)
    )
    kinds = Counter({event.id: event.kind.value for event in told(services)}.values())
    if job.by_a_person:
        return {"rows": sorted(set(rows)), "told": sorted(set(kinds))}
    return {
        "rows": rows,
        "told": kinds,
        "work": {m.message_id for m in outside.bus.published[WORK]},
    }


def strikes(calls: list[tuple[int, str]]) -> list[tuple[int, str, Blow]]:
    """Every blow at every effect among the calls: at which turn, which effect."""
    found: list[tuple[int, str, Blow]] = []
    for number, call in calls:
        if call not in ANSWERS:
            continue
        found += [(number, EFFECTS[call], blow) for blow in (Blow.KILLED_BEFORE, Blow.OUT)]
        answers = [n for n, name in calls if n > number and name == ANSWERS[call]]
        found += [
            (n, EFFECTS[call], b) for n in answers[:1] for b in (Blow.KILLED_AFTER, Blow.UNHEARD)
        ]
    return found


def _asked(**body: Any) -> bytes:
    return msgspec.json.encode(body)


async def _nothing(_: FakeServices) -> None:
    return None


async def _record(services: FakeServices, **changes: Any) -> None:
    record = msgspec.structs.replace(RECORD, **changes)
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record)])


async def _lost_command(services: FakeServices) -> None:
    opened = NOW - timedelta(minutes=5)
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


async def _kept_letter(services: FakeServices) -> None:
    await _dead_letter(services)
    await exhume(services, NOTHING)


async def _show_open(services: FakeServices) -> None:
    await show_incidents(services, Request(query={"state": "open"}))


async def _resubmit(services: FakeServices) -> None:
    (kept,), _ = await list_kept(services)
    body = _asked(who="Ada", why="again")
    await resubmit(services, Request(method="POST", path={"id": kept.id}, body=body))


def _request(respond: Callable[[Any, Request], Awaitable[object]], **request: Any) -> Do:
    return lambda services: respond(services, Request(method="POST", **request))


def _tick(job: Callable[[Any, Leftovers], Awaitable[object]]) -> Do:
    return lambda services: job(services, NOTHING)


ACKNOWLEDGE = {"id": INCIDENT.id, "action": "acknowledge"}
SWITCH = _asked(scope="*", on=True, who="Dana", reason="strange decisions")
JOBS = (
    Job(name="remind", prepare=_lost_command, run=_tick(remind)),
    Job(name="remind", prepare=_resolved, run=_tick(remind)),
    Job(name="exhume", prepare=_dead_letter, run=_tick(exhume)),
    Job(name="sweep", prepare=_unheard_alert, run=_tick(sweep)),
    Job(name="watch", prepare=_well_soaked, run=_tick(watch)),
    Job(name="watch", prepare=_good_is_gone, run=_tick(watch)),
    Job(name="page_all_due", prepare=_resolved, run=_tick(page_all_due)),
    Job(name="show_incidents", prepare=_resolved, run=_show_open),
    Job(
        name="handle",
        prepare=store_incident,
        run=_request(handle, path=ACKNOWLEDGE, body=_asked(who="Ada")),
        by_a_person=True,
    ),
    Job(
        name="register",
        prepare=_nothing,
        run=_request(register, body=_asked(**RELEASE)),
        by_a_person=True,
    ),
    Job(
        name="set_kill_switch",
        prepare=_nothing,
        run=_request(set_kill_switch, body=SWITCH),
        by_a_person=True,
    ),
    Job(name="resubmit", prepare=_kept_letter, run=_resubmit, by_a_person=True),
)
