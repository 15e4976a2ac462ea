"""The scoring route of a scenario in which a version fails by name once, and never again."""

from typing import Any, override

import msgspec

from shared.domain.decisions.endpoint import ProbeReport
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.scoring import FakeScoring
from tests.fakes.turns import Turns


class FickleScoring(FakeScoring):
    """Who names no version is answered badly all the same: it was not the version's fault."""

    def __init__(self, turns: Turns, endpoints: FakeEndpoints) -> None:
        super().__init__(turns, endpoints)
        self._asked: set[str] = set()

    @override
    async def probe(self, scoring_uri: str, **asked: Any) -> ProbeReport:
        report = await super().probe(scoring_uri, **asked)
        name = report.deployment or ""
        if name in self._asked:
            return msgspec.structs.replace(report, passed=report.sent)
        self._asked |= {name} if name else set()
        return report
