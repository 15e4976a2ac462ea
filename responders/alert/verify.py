"""Verify: did the rollback hold? Mitigated, or escalate; never a second automatic rollback.

Last step of the flow, scheduled after the act: compares errors and burn since the traffic moved, by
the workspace's rows and by unpinned probes of its own.
"""

import asyncio
from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.domain.decisions.intent import Intent, late_write
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.diagnosis.recovery import Recovery, RecoveryVerdict, recovered
from shared.domain.incidents.incident import Incident, State, Step
from shared.domain.incidents.steps import escalate, mitigate, record_check
from shared.domain.keys import shard_of_incident
from shared.domain.message import Message
from shared.domain.slos.burn_query import burn_query
from shared.protocol.acting.actor import read_intent
from shared.protocol.acting.probing import find_snapshot, probe
from shared.protocol.commit import check_name, next_step, read_incident
from shared.protocol.revise import Revision, revise
from shared.services import Services

PROBES = 5
BASELINE_WEEKS = 3


async def verify(services: Services, message: Message) -> None:
    """Make the check that the message names. Raises NotFound, Conflict, Unavailable."""
    incident = (await read_incident(services, message.body.partition(":")[0])).value
    service = services.catalog.services.get(incident.service)
    if not _is_due(incident, message):
        return
    if service is None:
        await revise(services, incident.id, lambda i: _without_policy(i, services.now()))
        return
    shard = shard_of_incident(incident.id)
    intent = (await read_intent(services, shard, incident.plan)).value
    found = await services.state.read(shard, f"diagnosis|{incident.id}", Diagnosis)
    assert found is not None, "an incident that was acted on has a diagnosis"
    judged = await _judge(services, service, intent, found.value)
    snapshot = await find_snapshot(services, incident.target)
    probed = await _probe(services, service, snapshot, found.value) if snapshot else None
    late = late_write(intent, snapshot) if snapshot else ""
    moved = f"Moved all traffic from {intent.plan.bad} back to {intent.plan.good}."
    said = msgspec.structs.replace(judged, sentence=f"{moved} {judged.sentence}")

    def take(current: Incident) -> Revision:
        if not _is_due(current, message):
            return Revision(step=Step(incident=None, reason="somebody else has judged it"))
        step = _step(service, current, said, probed, services.now())
        if late:
            step = _overwritten(current, said, late, services.now())
        return Revision(step=step, messages=_again(service, step, services.now()))

    await revise(services, incident.id, take)


def _is_due(incident: Incident, message: Message) -> bool:
    """Whether nobody has made that check yet: one asked for again while it waits is one."""
    return incident.state is State.VERIFYING and message.body == check_name(incident)


async def _judge(
    services: Services, service: Service, intent: Intent, before: Diagnosis
) -> Recovery:
    since = intent.ended_at or intent.opened_at
    name, ask = service.name, services.logs.query
    answers = await asyncio.gather(
        ask("onset", Service=name, Since=since),
        ask("slices", Service=name, Since=since, Until=services.now()),
        ask(burn_query(service)),
        ask("tool_failures", Service=name, Since=since),
        ask("content_safety", Service=name, Since=since),
        ask("outcomes", Service=name, Since=since, BaselineWeeks=BASELINE_WEEKS),
        ask("index_freshness", Service=name),
    )
    return recovered(
        before,
        {answer.name: answer for answer in answers},
        since=since,
        service=service,
        now=services.now(),
    )


async def _probe(
    services: Services, service: Service, snapshot: EndpointSnapshot, before: Diagnosis
) -> ProbeReport | None:
    region = before.regions_hit[0] if len(before.regions_hit) == 1 else ""
    return await probe(services, service, snapshot, None, region, PROBES)


def _without_policy(incident: Incident, now: datetime) -> Revision:
    why = f"Whether it helped cannot be checked: {incident.service} has no valid file any more."
    return Revision(step=escalate(incident, why, "", now))


def _overwritten(incident: Incident, judged: Recovery, late: str, now: datetime) -> Step:
    """However well customers are served: whose deploy is gone, only a person can find out."""
    checked = record_check(incident, judged.sentence, now)
    assert checked.incident is not None
    return checked.then(escalate(checked.incident, late, "", now))


def _step(
    service: Service,
    incident: Incident,
    judged: Recovery,
    probed: ProbeReport | None,
    now: datetime,
) -> Step:
    """Mitigated by rows and probes alike; escalated when bad, or when it never could be told."""
    checked = record_check(incident, judged.sentence, now)
    assert checked.incident is not None
    if judged.verdict is RecoveryVerdict.GOOD and probed is not None and probed.ok:
        cured = mitigate(
            checked.incident, judged.sentence, recovered_at=now, now=now, bad_share=judged.share
        )
        return checked.then(cured)
    last = checked.incident.checks >= service.policy.verify_checks
    if judged.verdict is RecoveryVerdict.BAD or last:
        return checked.then(escalate(checked.incident, judged.sentence, "", now))
    return checked


def _again(service: Service, step: Step, now: datetime) -> list[Message]:
    """The next check, as long as it cannot be told."""
    if step.incident is None or step.incident.state is not State.VERIFYING:
        return []
    due = now + timedelta(seconds=service.policy.verify_after_s)
    return [next_step("verify", step.incident, step.incident.plan, due)]
