"""Killed before, killed after, unheard or refused at every effect: it ends as it does without that.

Or escalated, with a page, where nobody can know. Which effects there are is read from the code: one
that no schedule strikes fails here, with its name. The soak plays all blows for all ways in which
messages come again.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import cache
from inspect import getclosurevars

import pytest

import function_app as app
from tests.batteries.soak import SOAK
from tests.simulation.crossing import (
    approvals,
    authority,
    budgets,
    campaign,
    effects,
    evidence,
    readiness,
    scenes,
    signals,
)
from tests.simulation.crossing.blows import Again, Blow
from tests.simulation.crossing.campaign import (
    AFTER,
    first_strikes,
    first_wave,
    second_strikes,
    second_wave,
    strike_all,
)
from tests.simulation.crossing.effects import CHANGING, READING, effects_of, importable, methods
from tests.simulation.crossing.jobs import Job, cross, strikes

JOBS = (
    *scenes.JOBS,
    *authority.JOBS,
    *approvals.JOBS,
    *evidence.JOBS,
    *signals.JOBS,
    *readiness.JOBS,
    *budgets.JOBS,
)
BY_PEOPLE = [job for job in JOBS if job.by_a_person]

type Pair = tuple[str, str]  # whose effect, and which

BLOWS = [
    (blow, again)
    for again in Again
    for blow in Blow
    if again is Again.AS_NEEDED or blow in AFTER or SOAK > 1
]
FLOW = [("responders.alert.ingest", "ingest"), ("shared.protocol.door.admit", "admit")] + [
    ("shared.protocol.settle", name) for name in ("settle", "settle_batch")
]
KEEPER = "its alarms are the keeper's, which is struck as a task of ingest"
ELSEWHERE: dict[Pair, str] = {
    ("admit", "bus.publish"): "what a process counted of refused calls dies with it: test_admit",
    ("watch_deliveries", "deliveries.write"): KEEPER,
    ("watch_deliveries", "pager.send"): KEEPER,
    ("watch_deliveries", "state.write"): KEEPER,
    ("ready_responder", "deliveries.write"): KEEPER,
    ("ready_responder", "pager.send"): KEEPER,
    ("ready_executor", "deliveries.write"): "what it may not store it hands in the way of ingest",
    ("take_signal", "pager.send"): "a grave signal goes the way of ingest",
    ("take_signal", "index.write"): "what looks like an alert goes the way of ingest",
    ("resubmit", "deliveries.write"): "an alert goes the way of ingest",
    ("resubmit", "pager.send"): "an alert goes the way of ingest",
    ("resubmit", "bus.resubmit_dead_letter"): "the fake publishes, and that is struck",
    ("discard", "bus.discard_dead_letter"): "it only removes, and the row that follows is struck",
    ("show_home", "index.write"): "the same function as that of show_incidents",
}


def owners() -> list[tuple[str, str]]:
    """Module and name of all that the two apps run, and of the flow's own parts."""
    tables = [*app.COMMANDS.values()]
    found = [found for table in tables for found in table.values()]
    found += [job for jobs in app.JOBS.values() for job in jobs]
    found += [app.NOTIFY, app.RECORD, *(r for *_, r in app.ROUTES if isinstance(r, app.Later))]
    forms = (getclosurevars(r).nonlocals for *_, r in app.ROUTES if r.__class__ is not app.Later)
    pressed = [(f"responders.{one['module']}", one["does"]) for one in forms if one]
    named = [(one.module, one.name) for one in found]
    return list(dict.fromkeys([*named, *pressed, *FLOW]))


def wanted() -> set[Pair]:
    return {(name, effect) for module, name in owners() for effect in effects_of(module, name)}


@cache
def struck() -> dict[Blow, set[Pair]]:
    """What every blow strikes in the schedules that the tests above play."""
    found: dict[Blow, set[Pair]] = {blow: set() for blow in Blow}
    firsts = (strike for one in BLOWS for strike in first_strikes(*one))
    seconds = (strikes[-1] for blow in Blow for strikes in second_strikes(blow))
    for strike in (*firsts, *seconds):
        boundary = strike.crossing.boundary
        found[strike.blow].add((boundary.entry, boundary.effect))
    for job in JOBS:
        for _, effect, blow in strikes(asyncio.run(cross(job)).calls):
            found[blow].add((job.name, effect))
    return found


def uncrossed(pairs: Iterable[Pair], found: dict[Blow, set[Pair]]) -> list[str]:
    return [
        f"boundary {effect} of {owner} is crossed by no schedule in which {blow.value}"
        for owner, effect in sorted(pairs)
        for blow in Blow
        if (owner, effect) not in found[blow]
    ]


def problems(blown: Iterable[campaign.Blown]) -> list[str]:
    return [one.problem for one in blown if one.problem]


@pytest.mark.parametrize(("blow", "again"), BLOWS, ids=lambda value: value.name)
def test_whatever_befalls_one_effect_it_ends_as_without(
    blow: Blow, again: Again, record_property: Callable[[str, object], None]
) -> None:
    wave = first_wave(blow, again)
    record_property("schedules", len(wave))

    assert len(wave) > 40
    assert problems(wave) == []


@pytest.mark.parametrize("blow", Blow, ids=lambda blow: blow.name)
def test_whatever_befalls_what_repairs_it_ends_as_without(
    blow: Blow, record_property: Callable[[str, object], None]
) -> None:
    wave = second_wave(blow)
    record_property("schedules", len(wave))

    assert {"relay", "reconcile"} <= {one.strikes[-1].crossing.boundary.entry for one in wave}
    assert problems(wave) == []


@pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.name}-{job.prepare.__name__}")
async def test_whatever_befalls_a_job_the_next_one_makes_up_for_it(job: Job) -> None:
    calm = await cross(job)
    for turn, effect, blow in strikes(calm.calls):
        ended = await cross(job, turn, blow)

        assert ended.end == calm.end, (turn, effect, blow)


@pytest.mark.parametrize("job", BY_PEOPLE, ids=lambda job: f"{job.name}-{job.prepare.__name__}")
async def test_what_a_person_did_is_done_once_where_the_sdk_meets_its_own_write(job: Job) -> None:
    calm = await cross(job)
    written = next(number for number, call in calm.calls if call == "state.written")
    ended = await cross(job, written, blow=None)

    assert ended.at_once
    assert (ended.told, ended.end) == (calm.told, calm.end)


def test_no_effect_of_anybody_is_crossed_by_no_schedule() -> None:
    assert uncrossed(wanted() - set(ELSEWHERE), struck()) == []


def test_an_effect_that_is_new_is_named() -> None:
    assert uncrossed([("verify", "teams.post")], struck())[0] == (
        "boundary teams.post of verify is crossed by no schedule in which the worker dies before it"
    )


def test_what_is_struck_elsewhere_is_not_struck_here() -> None:
    found = struck()

    assert set(ELSEWHERE) <= wanted()
    assert not [pair for pair in ELSEWHERE if all(pair in found[blow] for blow in Blow)]


def test_every_call_of_every_adapter_is_known_to_change_or_to_read() -> None:
    assert methods() == CHANGING | READING
    assert not CHANGING & READING


def test_effects_are_read_from_the_code() -> None:
    assert all(importable(*owner) for owner in owners())
    assert effects_of("responders.alert.enforce", "enforce") == {
        "state.write",
        "bus.publish",
        "endpoints.write_traffic",
    }
    assert effects_of("responders.reading.show", "show_incident") == set()
    assert effects.PARTS.keys() >= {"state", "bus", "endpoints", "teams", "pager"}


@pytest.mark.parametrize("job", ["relay", "reconcile"])
def test_a_missing_repair_is_noticed(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(f"tests.simulation.world.{job}", nothing)
    monkeypatch.setattr("responders.alert.enforce.resume", nothing)

    runs = strike_all(Blow.KILLED_AFTER, Again.AS_NEEDED)

    assert next((run.problem for run in runs if run.problem), "")
