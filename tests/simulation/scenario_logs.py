"""The logs of the scenario: they answer by what the simulated endpoint serves when they are asked.

Customers are well from the moment on which the endpoint really serves v1, so a cure shows only
where there was one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import override

import msgspec

from shared.adapters import queries
from shared.domain.diagnosis.telemetry import AnswerStatus, Query, QueryAnswer
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.logs import FakeLogs
from tests.shared.domain.diagnosis.telemetry_story import (
    ENDPOINT,
    OVERFLOWS,
    REGIONS,
    START,
    answers_of,
    fails,
    seconds,
    serve,
)
from tests.simulation.scene import Fault, Scene
from tests.simulation.scheduler import Scheduler

NOW = START + seconds(300)
TARGET = ENDPOINT.lower()
SECRETS = {
    "a customer's address": "kim.holder@example.com",
    "a telephone number": "+46 70 123 45 67",
    "a signature": "sig=Zm9sbG93dGhlc3Vu",
}


class ScenarioLogs(FakeLogs):
    """Answers by what the endpoint serves when it is asked."""

    def __init__(self, scheduler: Scheduler, endpoints: FakeEndpoints, scene: Scene) -> None:
        super().__init__(scheduler)
        self.out = False
        self._endpoints = endpoints
        self._scheduler = scheduler
        self._scene = scene

    @override
    async def query(self, named: str | Query, **parameters: queries.Value) -> QueryAnswer:
        await self._scheduler.take("logs.query")
        name = named if isinstance(named, str) else named.name
        if isinstance(named, str):
            _check_parameters(name, tuple(sorted(parameters)))
        if self.out:
            return QueryAnswer(name=name, status=AnswerStatus.UNAVAILABLE, detail="out")
        passed = timedelta(seconds=self._scheduler.now())
        if self._endpoints.traffic.get("v1") == 100 and not self._scene.no_cure:
            return _well(name, parameters, NOW + passed)
        if self._scene.logs_behind:
            return _well(name, parameters, NOW + passed)
        broken = _broken(self._scene.fault)
        if name == "dependencies" and passed < self._scene.calls_late:
            return _moved(_without(broken[name], "v2"), passed)
        return _moved(broken[name], passed) if name in broken else _nothing(name)


@cache
def _check_parameters(name: str, given: tuple[str, ...]) -> None:
    """Hold the caller to the query's parameters; what they are is held elsewhere."""
    wanted = set(queries.load(name).parameters) - {"Lag", "Bin"}
    assert wanted == set(given) - {"Bin"}, f"{name} was asked with {given}"


@cache
def _broken(fault: Fault) -> Mapping[str, QueryAnswer]:
    version, since = ("v2", 205) if fault is Fault.VERSION else ("", 100)
    trouble = fails(OVERFLOWS, share=0.5, since=since, version=version, region="swedencentral")
    served = serve([(0, {"v1": 1}), (180, {"v2": 1})], until=300, trouble=trouble)
    return {**answers_of(served), "activity": _deeds()}


def _deeds() -> QueryAnswer:
    """What was done about the endpoint in Azure, by somebody with a name."""
    row: dict[str, object] = {
        "TimeGenerated": START + seconds(178),
        "Operation": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write",
        "Status": "Succeeded",
        "Caller": SECRETS["a customer's address"],
        "ResourceId": TARGET,
        "CorrelationId": SECRETS["a signature"],
    }
    return QueryAnswer(name="activity", status=AnswerStatus.COMPLETE, rows=(row,))


def _without(answer: QueryAnswer, deployment: str) -> QueryAnswer:
    """The answer before what a deployment told has arrived."""
    rows = tuple(row for row in answer.rows if row["Deployment"] != deployment)
    return msgspec.structs.replace(answer, rows=rows)


def _moved(answer: QueryAnswer, by: timedelta) -> QueryAnswer:
    rows = tuple(
        {key: value + by if isinstance(value, datetime) else value for key, value in row.items()}
        for row in answer.rows
    )
    return msgspec.structs.replace(answer, rows=rows)


def _well(name: str, parameters: Mapping[str, queries.Value], now: datetime) -> QueryAnswer:
    """What is answered when v1 serves everybody well, for as long as the question reaches back."""
    since = parameters.get("Since")
    if name != "onset" or not isinstance(since, datetime):
        return _nothing(name)
    bins = min(int((now - since).total_seconds() // 10), 30)
    rows = [
        {
            "TimeGenerated": since + timedelta(seconds=10 * number),
            "Deployment": "v1",
            "Region": region,
            "Total": 20,
            "Failed": 0,
            "P95Ms": 130.0,
        }
        for number in range(bins)
        for region in REGIONS
    ]
    status = AnswerStatus.COMPLETE if rows else AnswerStatus.EMPTY
    return QueryAnswer(name=name, status=status, rows=tuple(rows))


def _nothing(name: str) -> QueryAnswer:
    return QueryAnswer(name=name, status=AnswerStatus.EMPTY)
