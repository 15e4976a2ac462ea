"""The endpoint of the stage. What a fault does to a write happens here, where ARM would do it."""

from typing import override

import msgspec

from shared.adapters.endpoint import Endpoints
from shared.domain.decisions.endpoint import EndpointSnapshot, TargetRef, WriteAnswer, WriteVerdict
from shared.errors import Unavailable
from tests.simulation.writing.schedule import Kind
from tests.simulation.writing.stage import Call, Stage, Worker
from tests.simulation.writing.witness import Witness


class StageEndpoints(Endpoints):
    """One endpoint. A write looks at the endpoint first, as the adapter does, and then sends."""

    def __init__(self, stage: Stage, witness: Witness, snapshot: EndpointSnapshot) -> None:
        self.live = self.before = snapshot
        self.busy = 0  # readings that still show an operation in flight
        self.mover = ""  # whose plan the last one to move the traffic carried out
        self._stage = stage
        self._witness = witness
        self._changes = 0

    def change(self, mover: str, traffic: dict[str, int] | None, state: str = "Succeeded") -> None:
        """Somebody's write goes through; every write moves `last_modified`."""
        self.before = self.live
        self._changes += 1
        if traffic is not None:
            self.mover = mover
        self.live = msgspec.structs.replace(
            self.live,
            traffic=self.live.traffic if traffic is None else traffic,
            state=state,
            last_modified=f"change {self._changes}",
        )

    @property
    def snapshot(self) -> EndpointSnapshot:
        """What a reading shows that is not stale."""
        return msgspec.structs.replace(self.live, state="Updating") if self.busy else self.live

    @property
    def mark(self) -> int:
        """A hash of all that is true of it."""
        # No two changes have one `last_modified`, but which is which depends on their order.
        known = (_content(self.live), _content(self.before), self.busy, self.mover)
        return hash((known, self._changes))

    @override
    async def read(self, target: TargetRef) -> EndpointSnapshot:
        call = Call("endpoint.read")
        await call
        stale = call.fault is Kind.STALE
        seen = self.before if stale else self.snapshot
        self.busy = max(0, self.busy - 1)
        self._stage.heard(_content(seen), _content(self.live))
        self._witness.read(self._stage.current, seen, self.live)
        return seen

    @override
    async def write_traffic(
        self,
        target: TargetRef,
        traffic: dict[str, int],
        *,
        deadline_s: float,
        expected: str | None = None,
    ) -> WriteAnswer:
        try:
            return await self._send(traffic, deadline_s, expected)
        except Unavailable as error:
            return WriteAnswer(
                verdict=WriteVerdict.UNKNOWN, detail=error.detail, retry_after_s=error.retry_after_s
            )

    async def _send(
        self, traffic: dict[str, int], deadline_s: float, expected: str | None
    ) -> WriteAnswer:
        await Call("endpoint.write")
        worker, ends_at = self._stage.current, self._stage.clock + deadline_s
        looked_at = self.snapshot.fingerprint
        self._stage.heard(looked_at)
        if expected not in (None, looked_at):
            return WriteAnswer(verdict=WriteVerdict.CHANGED, detail="changed since")
        call = Call("endpoint.put")
        await call
        if self._stage.clock >= ends_at:
            return WriteAnswer(verdict=WriteVerdict.UNKNOWN, detail="past the deadline, not sent")
        self._witness.sent(worker, traffic)
        if call.fault is Kind.REFUSED:
            return WriteAnswer(verdict=WriteVerdict.REFUSED, detail="400 no such deployment")
        if call.fault is Kind.LATE:
            raise Unavailable("endpoint", "no answer", 0.0)
        self._apply(worker, traffic, looked_at, call.fault)
        await Call("endpoint.written")
        return WriteAnswer(verdict=WriteVerdict.ACCEPTED)

    def _apply(
        self, worker: Worker, traffic: dict[str, int], looked_at: str, fault: object
    ) -> None:
        if fault is Kind.IGNORED:
            return
        in_its_window = looked_at != self.snapshot.fingerprint
        if fault is Kind.FAILED:
            self.change("", None, "Failed")
            if in_its_window:
                self.mover = self._witness.covered(self.mover)
            return
        plan = self._witness.plan_of(worker)
        self._witness.applied(plan, self.mover, in_its_window=in_its_window)
        self.change(plan, dict(traffic))
        self.busy = 1

    @override
    async def wait_idle(self, target: TargetRef, *, timeout_s: float) -> EndpointSnapshot:
        await Call("endpoint.wait")
        self.busy = 0
        self._stage.heard(self.live.fingerprint)
        return self.live

    @override
    async def close(self) -> None:
        return None


def _content(snapshot: EndpointSnapshot) -> tuple[object, ...]:
    return (tuple(sorted(snapshot.traffic.items())), snapshot.state, snapshot.last_modified)
