"""The scenario of the spine: v2 has failed in one region for a while, v1 is known good.

Customers are well from the moment on which the endpoint really serves v1: the logs answer by what
the simulated endpoint does, so a cure shows only where there was one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import override

import msgspec

from shared.adapters import queries
from shared.domain.alert import Alert, Condition
from shared.domain.endpoint import Deployment, EndpointSnapshot
from shared.domain.intent import EndpointRecord
from shared.domain.keys import digest, shard_of
from shared.domain.release import Release
from shared.domain.row import Put
from shared.domain.telemetry import AnswerStatus, QueryAnswer
from shared.protocol.records import release_row
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.logs import FakeLogs
from tests.fakes.services import FakeServices, Outside
from tests.shared.domain.telemetry_story import (
    ENDPOINT,
    OVERFLOWS,
    REGIONS,
    SERVICE,
    START,
    V1_GOOD,
    answers_of,
    fails,
    seconds,
    serve,
)
from tests.simulation.scheduler import Scheduler

NOW = START + seconds(300)
SHARD = shard_of(SERVICE.name)
TARGET = ENDPOINT.lower()
KEYS = {contact.pager: f"key of {contact.name}" for contact in SERVICE.contacts}
SNAPSHOT = EndpointSnapshot(
    target=TARGET,
    traffic={"v1": 0, "v2": 100},
    mirror={},
    state="Succeeded",
    last_modified="2026-11-23T14:03:00Z",
    deployments=(
        Deployment(name="v1", state="Succeeded", instances=2),
        Deployment(name="v2", state="Succeeded", instances=2),
    ),
    scoring_uri="http://127.0.0.1/score",
    read_at=NOW,
)
RECORD = EndpointRecord(
    target=TARGET,
    service=SERVICE.name,
    known_good=V1_GOOD,
    serving="v2",
    serving_since=START + seconds(180),
)


def release(version: str, deployment: str, at: datetime) -> Release:
    """A release as the pipeline registered it."""
    return Release(
        service=SERVICE.name,
        version=version,
        deployment=deployment,
        who="pipeline",
        why="release",
        registered_at=at,
    )


RELEASES = (
    release(V1_GOOD.version, "v1", START - timedelta(days=4)),
    release("2.0", "v2", START + seconds(170)),
)


class ScenarioLogs(FakeLogs):
    """Answers by what the endpoint serves when it is asked."""

    def __init__(self, scheduler: Scheduler, endpoints: FakeEndpoints) -> None:
        super().__init__(scheduler)
        self.out = False
        self._endpoints = endpoints
        self._scheduler = scheduler

    @override
    async def query(self, name: str, **parameters: queries.Value) -> QueryAnswer:
        await super().query(name, **parameters)
        if self.out:
            return QueryAnswer(name=name, status=AnswerStatus.UNAVAILABLE, detail="out")
        passed = timedelta(seconds=self._scheduler.now())
        if self._endpoints.traffic.get("v1") == 100:
            return _well(name, parameters, NOW + passed)
        return _moved(_broken()[name], passed) if name in _broken() else _nothing(name)


@cache
def _broken() -> Mapping[str, QueryAnswer]:
    trouble = fails(OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")
    return answers_of(serve([(0, {"v1": 1}), (180, {"v2": 1})], until=300, trouble=trouble))


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


def new_outside(scheduler: Scheduler) -> Outside:
    """The world before the alert."""
    outside = Outside(now=NOW, snapshot=SNAPSHOT, services=[SERVICE], turns=scheduler)
    outside.logs = ScenarioLogs(scheduler, outside.endpoints)
    outside.scoring.failing.add("v2")
    return outside


async def store_scene(services: FakeServices) -> None:
    """What was known before the alert: the endpoint's record and the releases."""
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=RECORD)])
    for one in RELEASES:
        await services.state.write(SHARD, [Put(row=release_row(one), value=one)])


def alert(number: int, condition: Condition = Condition.FIRED) -> Alert:
    """An alert about the endpoint; another number is another rule about the same target."""
    return Alert(
        delivery_key=digest("rule", str(number), condition.value),
        correlation_key=digest("rule", str(number), TARGET),
        alert_id=f"/alerts/{number}",
        rule=f"rule-{number}",
        kind="log",
        condition=condition,
        severity=1,
        targets=(TARGET,),
        fired_at=NOW - timedelta(seconds=30),
        summary=f"rule {number}: availability burns",
    )
