"""Act: lease, intent, re-read, write, read back, confirm. The only road to an endpoint's traffic.

Nothing is written without a durable intent before it, and every intent ends: confirmed, aborted or
escalated. Killed anywhere, `resume` goes on from what the tables and the endpoint say. The endpoint
takes no If-Match, so a zombie's late write cannot be excluded: reading back finds it.
"""

import asyncio
from datetime import timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.decision import Authority, Plan
from shared.domain.decisions.intent import EndpointRecord, Intent, IntentState, Lease, claimed_for
from shared.domain.decisions.rollback import tell_intent
from shared.domain.incidents.incident import State
from shared.domain.keys import shard_of
from shared.domain.row import MUST_NOT_EXIST, Put, Stored
from shared.errors import Conflict, Unavailable
from shared.protocol.acting.actor import Actor, read_intent, settled
from shared.protocol.commit import commit, read_incident
from shared.protocol.leftovers import OpenIntent
from shared.protocol.records import read_record
from shared.services import Services

GIVE_UP_AFTER_S = 60.0  # behind the lease: whoever takes an intent over later than this, ends it


async def act(
    services: Services,
    service: Service,
    plan: Plan,
    authority: Authority = Authority.POLICY,
    *,
    despite_freeze: bool = False,
) -> Intent:
    """Carry out a plan by somebody's word, from the claim to the end of its intent.

    Raises Conflict where the incident has moved on, and Unavailable where a part is out: the intent
    stays open then, and reconcile ends it.
    """
    began = asyncio.get_running_loop().time()
    wanted = Intent(
        plan=plan,
        fence=0,
        opened_at=services.now(),
        authority=authority,
        despite_freeze=despite_freeze,
        policy=service.policy.id,
        policy_hash=service.policy_hash,
    )
    intent = await settled(lambda: _open(services, service, wanted))
    if intent is None:
        raise Conflict(f"incident {plan.incident} does not wait for plan {plan.id} any more")
    return await Actor(services, service, intent, began).run()


async def resume(services: Services, service: Service, plan_id: str) -> Intent:
    """End an intent that its holder left open. Does nothing to one that has ended.

    Raises Unavailable as long as the holder's lease runs, and where a part is out; after a while
    an endpoint that cannot be read ends the intent, too: escalated, because nobody can tell.
    """
    stored = await read_intent(services, shard_of(service.name), plan_id)
    if stored.value.state is not IntentState.OPEN:
        return stored.value
    began = asyncio.get_running_loop().time()
    intent = await _take_over(services, service, stored)
    actor = Actor(services, service, intent, began)
    try:
        return await actor.run()
    except Unavailable as error:
        if not _overdue(services, intent):
            raise
        return await actor.give_up(f"could not find out whether the traffic moved: {error.detail}")


def _overdue(services: Services, intent: Intent) -> bool:
    limit = timedelta(seconds=services.settings.lease_s + GIVE_UP_AFTER_S)
    return services.now() - intent.opened_at >= limit


async def _open(services: Services, service: Service, wanted: Intent) -> Intent | None:
    """Claim the endpoint and intend the plan; None where the incident has moved on."""
    plan = wanted.plan
    was = await read_incident(services, plan.incident)
    if was.value.state is not State.DIAGNOSED:
        return None
    record = await read_record(services, service, plan.target)
    lease = _claim(services, record.value, plan.id)
    intent = msgspec.structs.replace(wanted, fence=lease.fence, opened_at=services.now())
    step = tell_intent(was.value, intent)
    assert step.incident is not None
    marker = OpenIntent(service=service.name, plan=plan.id)
    writes = [
        Put(row=record.row, value=claimed_for(intent, record.value, lease), etag=record.etag),
        Put(row=f"intent|{plan.id}", value=intent, etag=MUST_NOT_EXIST),
        Put(row=marker.row, value=marker),
        Put(row=was.row, value=step.incident, etag=was.etag),
    ]
    await commit(services, shard_of(service.name), writes, events=step.events)
    return intent


async def _take_over(services: Services, service: Service, stored: Stored[Intent]) -> Intent:
    plan = stored.value.plan
    record = await read_record(services, service, plan.target)
    lease = _claim(services, record.value, plan.id)
    claimed = msgspec.structs.replace(record.value, lease=lease, fence=lease.fence)
    fenced = msgspec.structs.replace(stored.value, fence=lease.fence)
    writes = [
        Put(row=record.row, value=claimed, etag=record.etag),
        Put(row=stored.row, value=fenced, etag=stored.etag),
    ]
    await commit(services, shard_of(service.name), writes)
    return fenced


def _claim(services: Services, record: EndpointRecord, plan: str) -> Lease:
    now, settings = services.now(), services.settings
    if record.lease is not None and now < record.lease.expires_at:
        left = (record.lease.expires_at - now).total_seconds()
        raise Unavailable("endpoint", f"plan {record.lease.plan} holds the lease", left + 0.5)
    return Lease(
        holder=settings.instance,
        fence=record.fence + 1,
        expires_at=now + timedelta(seconds=settings.lease_s),
        plan=plan,
    )
