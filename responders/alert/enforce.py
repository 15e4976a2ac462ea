"""Enforce: ask policy, and where it says so move the traffic back. Executor only.

Fourth step of the flow: gather everything that a decision may rest on, decide, record the decision
with every rule, then act through `shared.protocol.acting.act`. A repeat of the command decides
nothing twice: it goes on from where the incident stands.
"""

import asyncio
import secrets

import msgspec

from shared.domain.approvals.approval import BACKSTOP, ApprovalRequest, ask
from shared.domain.approvals.asking import deployed_by, drop_request
from shared.domain.approvals.steps import wait
from shared.domain.catalog import Service
from shared.domain.decisions.case import Case
from shared.domain.decisions.decide import decide
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import Release
from shared.domain.decisions.rules import QUIET_RULE
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.freezes.frozen import frozen_now
from shared.domain.incidents.incident import Incident, State, Step
from shared.domain.incidents.steps import escalate, record_decision
from shared.domain.keys import shard_of_incident
from shared.domain.message import Message
from shared.domain.noise.noise import quiets
from shared.domain.noise.quiet import Quiet
from shared.domain.noise.quieting import defer
from shared.domain.reviews.override import review_decision
from shared.domain.row import Put, Write
from shared.protocol.acting.act import act, resume
from shared.protocol.acting.approve import approval_of, approval_row
from shared.protocol.acting.probing import find_snapshot, probe
from shared.protocol.commit import read_incident
from shared.protocol.records import newest_on, read_controls, read_record, read_releases
from shared.protocol.revise import Revision, revise
from shared.protocol.surroundings import look_around
from shared.services import Services

LIVE_PROBES = 5


async def enforce(services: Services, message: Message) -> None:
    """Decide about the incident that the message names, and carry the decision out.

    Raises NotFound, Conflict and Unavailable; an intent that stays open is ended by reconcile.
    """
    was = await read_incident(services, message.body)
    service = services.catalog.services.get(was.value.service)
    if was.value.state is State.ACTING and service is not None:
        await resume(services, service, was.value.plan)
        return
    if was.value.state is not State.DIAGNOSED:
        return
    case = await _gather(services, service, was.value)
    decision = decide(case)
    stored = await _record(services, decision, case)
    if stored and decision.verdict is Verdict.ROLL_BACK and decision.plan and service:
        freeze = decision.despite_freeze
        await act(services, service, decision.plan, decision.authority, despite_freeze=freeze)


async def _gather(services: Services, service: Service | None, incident: Incident) -> Case:
    shard = shard_of_incident(incident.id)
    found = await services.state.read(shard, f"diagnosis|{incident.id}", Diagnosis)
    diagnosis = found.value if found else None
    mistakes = services.catalog.broken(incident.service)
    controls, held = await asyncio.gather(
        read_controls(services), _quiets(services, service, incident)
    )
    case = Case(
        service=service,
        catalog_mistakes=mistakes,
        incident=incident,
        diagnosis=diagnosis,
        record=EndpointRecord(target=incident.target, service=incident.service),
        approval=await approval_of(services, incident),
        controls=controls,
        frozen=frozen_now(services.catalog, controls, incident.service, services.now()),
        quiets=held,
        now=services.now(),
    )
    return await _look_at_endpoint(services, service, case) if service else case


async def _quiets(
    services: Services, service: Service | None, incident: Incident
) -> tuple[Quiet, ...]:
    if service is None:
        return ()
    around = await look_around(services, incident)
    return quiets(incident, service, around.surroundings, services.now())


async def _look_at_endpoint(services: Services, service: Service, case: Case) -> Case:
    record = (await read_record(services, service, case.incident.target)).value
    snapshot = await find_snapshot(services, case.incident.target)
    known = _with(case, record=record, snapshot=snapshot)
    if snapshot is None:
        return known
    known = _with_releases(known, snapshot, await read_releases(services, service))
    target_probe, live_probe, blamed_probe = await asyncio.gather(
        _target_probe(services, known, snapshot),
        probe(services, service, snapshot, None, known.region, LIVE_PROBES),
        _blamed_probe(services, known, snapshot),
    )
    return _with(known, target_probe=target_probe, live_probe=live_probe, blamed_probe=blamed_probe)


def _with_releases(case: Case, snapshot: EndpointSnapshot, releases: list[Release]) -> Case:
    """Say what is registered for each version that is spoken of; the last two rest on the first."""
    wanted = case.request.to if case.request is not None else ""
    chosen = next((one for one in releases if wanted and one.version == wanted), None)
    live = newest_on(releases, snapshot.served() or "")
    known = _with(case, chosen=chosen, live=live)
    return _with(
        known,
        good_release=newest_on(releases, known.good),
        bad_release=newest_on(releases, known.blamed),
    )


def _with(case: Case, **found: object) -> Case:
    return msgspec.structs.replace(case, **found)


async def _target_probe(
    services: Services, case: Case, snapshot: EndpointSnapshot
) -> ProbeReport | None:
    if not case.good or snapshot.deployment(case.good) is None:
        return None
    assert case.service is not None
    count = case.policy.probes
    return await probe(services, case.service, snapshot, case.good, case.region, count)


async def _blamed_probe(
    services: Services, case: Case, snapshot: EndpointSnapshot
) -> ProbeReport | None:
    """Ask the blamed version itself, where only signals tell of the trouble."""
    if not case.incident.signals_only or snapshot.deployment(case.blamed) is None:
        return None
    assert case.service is not None
    count = case.policy.probes
    return await probe(services, case.service, snapshot, case.blamed, case.region, count)


async def _record(services: Services, decision: Decision, case: Case) -> bool:
    """Store the decision and what it makes of the incident; False where that has moved on."""
    asked = _ask(case, decision) if decision.verdict is Verdict.NEEDS_APPROVAL else None

    def take(current: Incident) -> Revision:
        if current.state is not State.DIAGNOSED or current.request != case.incident.request:
            return Revision(step=Step(incident=None, reason="decided about what is past"))
        writes: list[Write] = []
        if asked is not None:
            writes.append(Put(row=approval_row(asked), value=asked))
        step = _decided(current, decision, case, asked)
        if step.incident is not None:
            reviewed = review_decision(step.incident, decision, case)
            step, writes = step.then(reviewed.step), [*writes, *reviewed.writes]
        return Revision(step=step, told={"decision": decision}, writes=writes)

    step = await revise(services, decision.incident, take)
    return step.incident is not None


def _ask(case: Case, decision: Decision) -> ApprovalRequest:
    """The request for approval: by whoever asks for the rollback, not by who deployed what."""
    releases = (case.good_release, case.bad_release, case.chosen)
    return ask(
        decision,
        case.policy,
        requested_by=case.request.by if case.request is not None else BACKSTOP,
        deployers=deployed_by(*releases),
        key=secrets.token_hex(32),
        now=decision.decided_at,
    )


def _decided(
    incident: Incident, decision: Decision, case: Case, asked: ApprovalRequest | None
) -> Step:
    """Take the decision; what needs a cure and gets none from Backstop goes to a person.

    What is only held back for now is asked anew when the incident goes on.
    """
    now = decision.decided_at
    step = record_decision(incident, decision, now)
    if step.incident is None or decision.verdict is Verdict.ROLL_BACK:
        return step
    if asked is not None:
        return step.then(wait(step.incident, asked, now))
    if decision.failed_rule == QUIET_RULE:
        return step.then(defer(step.incident, case.quiets, now))
    if _needs_a_person(decision):
        step = step.then(escalate(step.incident, decision.reason, "", now))
    return drop_request(step)


def _needs_a_person(decision: Decision) -> bool:
    if decision.verdict in (Verdict.ROLL_BACK, Verdict.NEEDS_APPROVAL):
        return False
    return decision.would_be is decision.verdict  # not merely held back by the service's mode
