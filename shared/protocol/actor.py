"""The actor: one worker that ends one open intent, inside its lease.

It reads, asks the pure `judge` what the reading means, and moves: waits, writes the identical body,
reads back, or ends the intent in one transaction with the incident and the event that tells of it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.decision import Plan
from shared.domain.endpoint import EndpointSnapshot, WriteVerdict, parse_target
from shared.domain.event import EventKind
from shared.domain.incident import State, tell
from shared.domain.intent import Intent, IntentState, Judgement, Move, judge
from shared.domain.keys import shard_of
from shared.domain.message import Message
from shared.domain.row import Put, Remove, Stored, Write
from shared.errors import Conflict, NotFound, Unavailable
from shared.protocol.commit import command, commit, incident_row, read_incident
from shared.protocol.records import read_record
from shared.services import Services

ATTEMPTS = 8
INSIDE_LEASE = 0.8  # the holder stops this early, on its own monotonic clock


async def read_intent(services: Services, shard: str, plan: str) -> Stored[Intent]:
    """The intent of a plan. Raises NotFound."""
    found = await services.state.read(shard, f"intent|{plan}", Intent)
    if found is None:
        raise NotFound(f"no intent {plan}")
    return found


async def settled[T](attempt: Callable[[], Awaitable[T]]) -> T:
    """Try a transaction again where a page, a person or the watch changed a neighbouring row."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(Conflict):
            return await attempt()
    return await attempt()


def endpoint_name(plan: Plan) -> str:
    """The endpoint's own name, for sentences."""
    return plan.target.rsplit("/", 1)[-1]


class Actor:
    """One worker's attempt to end one intent, inside its lease."""

    def __init__(self, services: Services, service: Service, plan: Plan) -> None:
        self._services = services
        self._service = service
        self._plan = plan
        self._shard = shard_of(service.name)
        self._target = parse_target(plan.target)
        clock = asyncio.get_running_loop().time
        deadline = clock() + services.settings.lease_s * INSIDE_LEASE
        self._clock, self._deadline = clock, deadline

    def _left(self) -> float:
        """Seconds that this worker may still use of its lease."""
        return max(0.0, self._deadline - self._clock())

    async def run(self, *, resumed: bool) -> Intent:
        """Read, judge, move, until the intent has ended."""
        while self._left() > 0:
            stored = await read_intent(self._services, self._shard, self._plan.id)
            if stored.value.state is not IntentState.OPEN:
                return stored.value
            snapshot = await self._services.endpoints.read(self._target)
            judged = judge(stored.value, snapshot, resumed=resumed)
            ended = await self._move(judged, stored, snapshot)
            if ended is not None:
                return ended
        raise Unavailable("endpoint", "the lease ran out before the change was through", 1.0)

    async def _move(
        self, judged: Judgement, stored: Stored[Intent], snapshot: EndpointSnapshot
    ) -> Intent | None:
        if judged.move is Move.WAIT:
            await self._wait()
            return None
        if judged.move is Move.WRITE:
            refused = await self._write(stored)
            return await self._end(IntentState.ESCALATED, refused, snapshot) if refused else None
        if judged.move is Move.CONFIRM and not await self._read_back(snapshot):
            return None
        return await self._end(ENDS[judged.move], judged.why, snapshot)

    async def _read_back(self, snapshot: EndpointSnapshot) -> bool:
        """Whether a second reading agrees: a single one can be stale."""
        again = await self._services.endpoints.read(self._target)
        return again.fingerprint == snapshot.fingerprint

    async def _wait(self) -> None:
        await self._services.endpoints.wait_idle(self._target, timeout_s=self._left())

    async def _write(self, stored: Stored[Intent]) -> str:
        """Send the change; answer why the service will never take it, or ""."""
        counted = msgspec.structs.replace(stored.value, writes=stored.value.writes + 1)
        # Whoever took the intent over has a newer version of this row: then this is a Conflict,
        # and the worker that was thought dead writes nothing.
        await self._services.state.write(
            self._shard, [Put(row=stored.row, value=counted, etag=stored.etag)]
        )
        within = min(self._services.settings.write_deadline_s, self._left())
        answer = await self._services.endpoints.write_traffic(
            self._target, self._plan.after, deadline_s=within
        )
        if answer.verdict is WriteVerdict.REFUSED:
            return f"the service refused the change: {answer.detail}"
        if answer.verdict is WriteVerdict.UNKNOWN:
            await asyncio.sleep(min(answer.retry_after_s, self._left()))
        await self._wait()
        return ""

    async def _end(self, state: IntentState, why: str, snapshot: EndpointSnapshot) -> Intent:
        return await settled(lambda: self._try_end(state, why, snapshot))

    async def _try_end(self, state: IntentState, why: str, snapshot: EndpointSnapshot) -> Intent:
        """End the intent, release the lease and tell of it, in one transaction."""
        services, plan = self._services, self._plan
        stored = await read_intent(services, self._shard, plan.id)
        record = await read_record(services, self._service, plan.target)
        was = await read_incident(services, plan.incident)
        now = services.now()
        ended = msgspec.structs.replace(stored.value, state=state, ended_at=now, detail=why)
        lease = record.value.lease
        if lease is None or lease.fence != stored.value.fence:
            raise Conflict(f"plan {plan.id} is in other hands")
        released = msgspec.structs.replace(record.value, lease=None)
        step = tell(
            was.value,
            ENDINGS[state][0],
            actor="backstop",
            what=_ending(plan, state, why),
            why=was.value.sentence,
            now=now,
            before=plan.before,
            after=snapshot.traffic,
            evidence={"plan": plan.id, "writes": ended.writes, "fence": ended.fence},
            changes={
                "state": ENDINGS[state][1],
                "before": plan.before,
                "after": snapshot.traffic,
                "sentence": _ending(plan, state, why),
            },
        )
        assert step.incident is not None
        writes: list[Write] = [
            Put(row=stored.row, value=ended, etag=stored.etag),
            Remove(row=f"~intent|{plan.id}"),
            Put(row=record.row, value=released, etag=record.etag),
            Put(row=incident_row(plan.incident), value=step.incident, etag=was.etag),
        ]
        commands = self._next(state)
        await commit(services, self._shard, writes, events=step.events, commands=commands)
        return ended

    def _next(self, state: IntentState) -> list[Message]:
        if state is not IntentState.CONFIRMED:
            return []
        due = self._services.now() + timedelta(seconds=self._service.policy.verify_after_s)
        return [command("verify", self._plan.incident, self._plan.id, due)]


ENDS = {
    Move.CONFIRM: IntentState.CONFIRMED,
    Move.ABORT: IntentState.ABORTED,
    Move.ESCALATE: IntentState.ESCALATED,
}
ENDINGS = {
    IntentState.CONFIRMED: (EventKind.INTENT_CONFIRMED, State.VERIFYING),
    IntentState.ABORTED: (EventKind.INTENT_ABORTED, State.ESCALATED),
    IntentState.ESCALATED: (EventKind.INTENT_ESCALATED, State.ESCALATED),
}


def _ending(plan: Plan, state: IntentState, why: str) -> str:
    name = endpoint_name(plan)
    match state:
        case IntentState.CONFIRMED:
            return f"moved all traffic of {name} from {plan.bad} back to {plan.good}"
        case IntentState.ABORTED:
            return f"did not touch the traffic of {name}: {why}"
        case _:
            return f"could not finish moving the traffic of {name}: {why}"
