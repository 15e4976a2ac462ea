"""An endpoint in memory whose traffic really moves, with the troubles that the real one has."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import override

import msgspec

from shared.adapters.endpoint import Endpoints
from shared.domain.decisions.endpoint import (
    Deployment,
    EndpointSnapshot,
    TargetRef,
    WriteAnswer,
    WriteVerdict,
)
from shared.errors import RejectedInput, Unavailable
from tests.fakes.turns import Turns


class Write(StrEnum):
    """What becomes of a traffic write, and what its sender hears."""

    ACCEPTED = "accepted and applied"
    REFUSED = "refused"
    UNHEARD = "applied, but the answer is lost"
    LOST = "never arrived, and no answer"
    IGNORED = "accepted, and never applied"
    LATE = "no answer; applied by `land`, much later"


class FakeEndpoints(Endpoints):
    """One endpoint. `writes` has every split that was asked for, whatever became of it.

    `fates` are those of the next writes; `polls` readings show an operation in flight after each
    write that is applied; the next `stale` readings show the endpoint as it was before. `shown` is
    told of every reading, `arrived` of every write before it takes effect.
    """

    def __init__(self, turns: Turns, snapshot: EndpointSnapshot) -> None:
        self.out = False
        self.gone = False
        self.fates: deque[Write] = deque()
        self.polls = 1
        self.stale = 0
        self.writes: list[dict[str, int]] = []
        self.readings = 0
        self.shown: Callable[[EndpointSnapshot], None] | None = None
        self.arrived: Callable[[dict[str, int]], None] | None = None
        self._turns = turns
        self._live = self._before = snapshot
        self._busy = 0
        self._clock: datetime = snapshot.read_at
        self._late: deque[dict[str, int]] = deque()

    @property
    def traffic(self) -> dict[str, int]:
        """The live shares, without those of zero."""
        return {name: share for name, share in self._live.traffic.items() if share}

    @property
    def snapshot(self) -> EndpointSnapshot:
        """What the next reading shows, unless it is stale."""
        state = "Updating" if self._busy else self._live.state
        return msgspec.structs.replace(self._live, state=state)

    def move(self, traffic: Mapping[str, int]) -> None:
        """Somebody moves the traffic: a pipeline, or a write that went through."""
        self.change(traffic=dict(traffic))

    def change(
        self,
        *,
        traffic: dict[str, int] | None = None,
        deployments: tuple[Deployment, ...] | None = None,
    ) -> None:
        """Somebody writes to the endpoint; every write moves `last_modified`."""
        self._before = self._live
        self._clock += timedelta(seconds=1)
        self._live = msgspec.structs.replace(
            self._live,
            traffic=self._live.traffic if traffic is None else traffic,
            deployments=self._live.deployments if deployments is None else deployments,
            last_modified=self._clock.isoformat(),
        )

    def start_operation(self, polls: int) -> None:
        """Somebody's operation is in flight for so many readings."""
        self._busy = polls

    def land(self) -> None:
        """Apply the oldest late write."""
        self.move(self._late.popleft())

    @override
    async def read(self, target: TargetRef) -> EndpointSnapshot:
        await self._turns.take("endpoint.read")
        self._reach(target)
        self.readings += 1
        seen = self._reading()
        if self.shown is not None:
            self.shown(seen)
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
        await self._turns.take("endpoint.write")
        if expected not in (None, self.snapshot.fingerprint):
            return WriteAnswer(verdict=WriteVerdict.CHANGED, detail="changed since")
        fate = self.fates.popleft() if self.fates else Write.ACCEPTED
        self.writes.append(dict(traffic))
        if self.arrived is not None:
            self.arrived(traffic)
        if fate in {Write.ACCEPTED, Write.UNHEARD}:
            self.move(traffic)
            self._busy = self.polls
        if fate is Write.LATE:
            self._late.append(dict(traffic))
        await self._turns.take("endpoint.written")
        return _ANSWERS[fate]

    @override
    async def wait_idle(self, target: TargetRef, *, timeout_s: float) -> EndpointSnapshot:
        await self._turns.take("endpoint.wait")
        self._reach(target)
        self._busy = 0
        return self.snapshot

    @override
    async def close(self) -> None:
        return None

    def _reading(self) -> EndpointSnapshot:
        if self.stale:
            self.stale -= 1
            return self._before
        seen = self.snapshot
        self._busy = max(0, self._busy - 1)
        return seen

    def _reach(self, target: TargetRef) -> None:
        if self.out:
            raise Unavailable("endpoint", "ARM does not answer")
        if self.gone or target.id != self._live.target:
            raise RejectedInput("no-such-endpoint", f"{target.id} not found")


_UNKNOWN = WriteAnswer(verdict=WriteVerdict.UNKNOWN, detail="no answer")
_ANSWERS = {
    Write.ACCEPTED: WriteAnswer(verdict=WriteVerdict.ACCEPTED),
    Write.REFUSED: WriteAnswer(verdict=WriteVerdict.REFUSED, detail="400 no such deployment"),
    Write.UNHEARD: _UNKNOWN,
    Write.LOST: _UNKNOWN,
    Write.IGNORED: WriteAnswer(verdict=WriteVerdict.ACCEPTED),
    Write.LATE: _UNKNOWN,
}
