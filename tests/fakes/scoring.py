"""A scoring route in memory: each deployment answers well or badly, as the test says."""

from collections.abc import Sequence
from typing import override

import msgspec

from shared.adapters.scoring import Payload, Scoring
from shared.domain.decisions.endpoint import ProbeReport
from shared.domain.health.golden import Reply
from shared.errors import Unavailable
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.turns import Turns


class FakeScoring(Scoring):
    """Unpinned probes are answered by the deployment that serves most of the endpoint's traffic."""

    def __init__(self, turns: Turns, endpoints: FakeEndpoints) -> None:
        self.out = False
        self.failing: set[str] = set()
        self.payloads: list[Payload] = []
        self.takes: set[str] = set()  # the fields of a request that is not refused; none: whatever
        self.says: dict[str, Payload] = {}  # instead of the question, by deployment
        self._turns = turns
        self._endpoints = endpoints

    @override
    async def probe(
        self,
        scoring_uri: str,
        *,
        deployment: str | None,
        region: str | None,
        payloads: Sequence[Payload],
        concurrency: int = 4,
        timeout_s: float = 10.0,
    ) -> ProbeReport:
        await self._turns.take("scoring.probe")
        if self.out:
            raise Unavailable("endpoint", "the scoring route does not answer")
        self.payloads.extend(payloads)
        name = deployment or self._serving()
        sent = len(payloads)
        taken = sum(not self.takes or set(one) == self.takes for one in payloads)
        return ProbeReport(
            deployment=deployment,
            region=region,
            sent=sent,
            passed=0 if name in self.failing else taken,
            answered_by={name: sent},
        )

    @override
    async def ask(self, scoring_uri: str, payload: Payload, *, timeout_s: float = 10.0) -> Reply:
        await self._turns.take("scoring.ask")
        if self.out:
            raise Unavailable("endpoint", "the scoring route does not answer")
        name = self._serving()
        body = msgspec.json.encode(self.says.get(name, payload))
        status = 424 if name in self.failing else 200
        return Reply(status=status, body=body, elapsed_ms=120.0, answered_by=name)

    @override
    async def close(self) -> None:
        return None

    def _serving(self) -> str:
        traffic = self._endpoints.traffic
        return max(traffic, key=lambda name: traffic[name], default="")
