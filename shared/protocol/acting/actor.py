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
from shared.domain.decisions.endpoint import EndpointSnapshot, WriteVerdict, parse_target
from shared.domain.decisions.intent import Intent, IntentState, Move, freed_by, judge
from shared.domain.decisions.rollback import tell_end
from shared.domain.freezes.frozen import ChangeKind, blocks, frozen_now
from shared.domain.incidents.incident import Incident
from shared.domain.keys import shard_of
from shared.domain.message import Message
from shared.domain.row import Put, Remove, Stored, Write
from shared.errors import Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.commit import commit, next_step, read_incident
from shared.protocol.records import read_controls, read_record
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


class Actor:
    """One worker's attempt to end one intent, inside its lease."""

    def __init__(self, services: Services, service: Service, intent: Intent, began: float) -> None:
        """`intent` as it was claimed; `began` is the loop's time just before the claim."""
        self._services = services
        self._service = service
        self._plan = intent.plan
        self._yields = intent.yields_to_a_freeze()
        self._fence = intent.fence
        self._shard = shard_of(service.name)
        self._target = parse_target(intent.plan.target)
        self._deadline = began + services.settings.lease_s * INSIDE_LEASE
        self._answered = 0  # writes of this worker that cannot arrive any more later
        self._settled = ""  # the fingerprint that two readings agreed on

    def _left(self) -> float:
        """Seconds that this worker may still use of its lease."""
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    async def run(self) -> Intent:
        """Read, judge, move, until the intent has ended.

        Raises Conflict where somebody else has taken it over, Unavailable where a part is out.
        """
        while self._left() > 0:
            stored = await self._mine()
            if stored.value.state is not IntentState.OPEN:
                return stored.value
            try:
                ended = await self._advance(stored)
            except RejectedInput as error:  # the endpoint is not there any more
                ended = await self.give_up(error.detail)
            if ended is not None:
                return ended
        raise Unavailable("endpoint", "the lease ran out before the change was through", 1.0)

    async def give_up(self, why: str) -> Intent:
        """End the intent without knowing what the endpoint does: a person must look."""
        return await self._end(IntentState.ESCALATED, why, {})

    async def _mine(self) -> Stored[Intent]:
        stored = await read_intent(self._services, self._shard, self._plan.id)
        if stored.value.state is IntentState.OPEN and stored.value.fence != self._fence:
            raise Conflict(f"plan {self._plan.id} is in other hands")
        return stored

    async def _advance(self, stored: Stored[Intent]) -> Intent | None:
        """Do what one reading of the endpoint asks for; the intent where that ended it."""
        snapshot = await self._services.endpoints.read(self._target)
        judged = judge(stored.value, snapshot)
        if judged.move is Move.WAIT:
            await self._wait()
            return None
        if judged.move is Move.WRITE:
            return await self._write(stored, snapshot)
        if judged.move is Move.CONFIRM and not await self._read_back(snapshot):
            return None
        return await self._end(ENDS[judged.move], judged.why, snapshot.traffic)

    async def _write(self, stored: Stored[Intent], snapshot: EndpointSnapshot) -> Intent | None:
        """Send the change, unless automation was stopped since the decision."""
        stopped = await self._stopped()
        if stopped:
            state = IntentState.ESCALATED if stored.value.writes else IntentState.ABORTED
            return await self._end(state, stopped, snapshot.traffic)
        refused = await self._send(stored, snapshot)
        if refused:
            return await self._end(IntentState.ESCALATED, refused, snapshot.traffic)
        return None

    async def _stopped(self) -> str:
        """Why nothing may be written any more, or "". Raises Unavailable where nobody can tell.

        A freeze that began since the decision stops what nobody was asked about, but no emergency.
        """
        controls = await read_controls(self._services)
        if not controls.known:
            raise Unavailable("tables", "the kill switches cannot be read")
        name, now = self._service.name, self._services.now()
        on = next((switch for switch in controls.kill_switches if switch.stops(name, now)), None)
        if on is not None:
            return f"the kill switch is on for {on.scope}: {on.reason}"
        frozen = frozen_now(self._services.catalog, controls, name, now)
        asks = "freeze" in self._service.policy.approve_when
        if asks and self._yields:  # nobody's word was given for a change in this freeze
            return blocks(ChangeKind.ROLLBACK, frozen, now)
        return ""

    async def _read_back(self, snapshot: EndpointSnapshot) -> bool:
        """Whether a second reading agrees: a single one can be stale."""
        again = await self._services.endpoints.read(self._target)
        self._settled = again.fingerprint
        return again.fingerprint == snapshot.fingerprint

    async def _wait(self) -> None:
        await self._services.endpoints.wait_idle(self._target, timeout_s=self._left())

    async def _send(self, stored: Stored[Intent], snapshot: EndpointSnapshot) -> str:
        """Send the change; answer why the service will never take it, or ""."""
        if not await self._count(stored):
            return ""
        within = min(self._services.settings.write_deadline_s, self._left())
        answer = await self._services.endpoints.write_traffic(
            self._target, self._plan.after, deadline_s=within, expected=snapshot.fingerprint
        )
        if answer.verdict is WriteVerdict.REFUSED:
            return f"the service refused the change: {answer.detail}"
        if answer.verdict is WriteVerdict.UNKNOWN:
            await asyncio.sleep(min(answer.retry_after_s, self._left()))
        else:
            self._answered += 1
        await self._wait()
        return ""

    async def _count(self, stored: Stored[Intent]) -> bool:
        """Count the write that is about to be sent; False where all is to be read again first.

        Raises Conflict where another plan has claimed the endpoint.
        """
        record = await read_record(self._services, self._service, self._plan.target)
        if record.value.fence != self._fence:
            raise Conflict(f"the endpoint of plan {self._plan.id} is in other hands")
        counted = msgspec.structs.replace(stored.value, writes=stored.value.writes + 1)
        # Whoever took over the intent or the endpoint has a newer version of its row: the worker
        # that was thought dead writes nothing then.
        writes = [
            Put(row=stored.row, value=counted, etag=stored.etag),
            Put(row=record.row, value=record.value, etag=record.etag),
        ]
        try:
            await self._services.state.write(self._shard, writes)
        except Conflict:
            return False
        return True

    async def _end(self, state: IntentState, why: str, traffic: dict[str, int]) -> Intent:
        return await settled(lambda: self._try_end(state, why, traffic))

    async def _try_end(self, state: IntentState, why: str, traffic: dict[str, int]) -> Intent:
        """End the intent, release the lease and tell of it, in one transaction."""
        services, plan = self._services, self._plan
        stored = await self._mine()
        if stored.value.state is not IntentState.OPEN:  # an end of ours that nobody heard of
            return stored.value
        record = await read_record(services, self._service, plan.target)
        was = await read_incident(services, plan.incident)
        now = services.now()
        unheard = max(0, stored.value.writes - self._answered)
        over = msgspec.structs.replace(
            stored.value, state=state, ended_at=now, detail=why, unheard=unheard
        )
        if state is IntentState.CONFIRMED:
            over = msgspec.structs.replace(over, settled=self._settled)
        step = tell_end(was.value, over, traffic, now)
        assert step.incident is not None
        writes: list[Write] = [
            Put(row=stored.row, value=over, etag=stored.etag),
            Remove(row=f"~intent|{plan.id}"),
            Put(row=record.row, value=freed_by(over, record.value), etag=record.etag),
            Put(row=was.row, value=step.incident, etag=was.etag),
        ]
        commands = self._next(state, step.incident)
        await commit(services, self._shard, writes, events=step.events, commands=commands)
        return over

    def _next(self, state: IntentState, incident: Incident) -> list[Message]:
        if state is not IntentState.CONFIRMED:
            return []
        # A check that comes before the logs know of the time since could only say "too early".
        first = self._service.policy.verify_after_s + self._services.settings.logs_behind_s
        due = self._services.now() + timedelta(seconds=first)
        return [next_step("verify", incident, self._plan.id, due)]


ENDS = {
    Move.CONFIRM: IntentState.CONFIRMED,
    Move.ABORT: IntentState.ABORTED,
    Move.ESCALATE: IntentState.ESCALATED,
}
