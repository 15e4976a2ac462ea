"""Checking: one health check of a service, from the questions to the findings.

Answers are asked for through the split, as customers get them, and each version once more by name;
an index is asked for its newest document. All of it is marked as a probe: no count of customers'
requests ever holds it.
"""

import asyncio
from datetime import datetime

import msgspec

from shared.domain.catalog import Dependency, Service, TargetKind
from shared.domain.decisions.endpoint import EndpointSnapshot, TargetRef, parse_target
from shared.domain.health.chain import (
    judge_deployment,
    judge_index,
    judge_service,
    unasked,
)
from shared.domain.health.golden import GoldenCase, GoldenCases, judge
from shared.domain.health.report import Finding, HealthReport, judge_answers, unheard
from shared.errors import RejectedInput, Unavailable
from shared.protocol.acting.probing import find_snapshot, probe
from shared.protocol.health import read_health
from shared.services import Services

PROBES = 3  # of each version by name
GRACE_S = 3.0  # what a late answer may take beyond what is allowed, to be told from none
ASK_FOR_S = 15.0  # then no further question is asked: what hangs is known by those that were


async def check(
    services: Services, service: Service, golden: GoldenCases | None, now: datetime
) -> HealthReport:
    """Check one service. What does not answer is found out to be unknown, or broken."""
    targets = _targets(service)
    snapshots = await asyncio.gather(*(find_snapshot(services, one.id) for one in targets))
    looked = [
        _endpoint(services, service, snapshot, golden, one.endpoint if len(targets) > 1 else "")
        for one, snapshot in zip(targets, snapshots, strict=True)
    ]
    asked = (_dependency(services, service, one, now) for one in service.dependencies)
    endpoints, chain = await asyncio.gather(asyncio.gather(*looked), asyncio.gather(*asked))
    return HealthReport(
        service=service.name,
        at=now,
        findings=(*(one for each in endpoints for one in each), *chain),
        unread=tuple(
            one.endpoint for one, read in zip(targets, snapshots, strict=True) if read is None
        ),
    )


async def _endpoint(
    services: Services,
    service: Service,
    snapshot: EndpointSnapshot | None,
    golden: GoldenCases | None,
    place: str,
) -> list[Finding]:
    """One endpoint's answers and versions. `place` names it where the service has several."""
    if snapshot is None:
        return [_placed(unheard(), place)] if golden else []
    found = await asyncio.gather(
        *((_answers(services, snapshot, golden),) if golden else ()),
        *(_deployment(services, service, snapshot, one.name) for one in snapshot.deployments),
    )
    return [_placed(one, place) for one in found]


def _placed(finding: Finding, place: str) -> Finding:
    if not place:
        return finding
    name = f"{place}/{finding.name}" if finding.name else place
    said = f"{place}: {finding.sentence}"
    return msgspec.structs.replace(finding, name=name, sentence=said)


def _targets(service: Service) -> list[TargetRef]:
    endpoints = [one.id for one in service.targets if one.kind is TargetKind.ONLINE_ENDPOINT]
    return [parse_target(one) for one in endpoints]


async def _answers(services: Services, snapshot: EndpointSnapshot, golden: GoldenCases) -> Finding:
    gate = asyncio.Semaphore(golden.concurrency)
    clock = asyncio.get_running_loop().time
    until = clock() + ASK_FOR_S

    async def ask(case: GoldenCase) -> tuple[str, str] | None:
        async with gate:
            if clock() > until:
                return None
            return case.name, await _ask(services, snapshot, case)

    asked = await asyncio.gather(*(ask(case) for case in golden.cases))
    return judge_answers([one for one in asked if one is not None], golden.pass_share)


async def _ask(services: Services, snapshot: EndpointSnapshot, case: GoldenCase) -> str:
    wait_s = case.within_ms / 1000 + GRACE_S
    try:
        reply = await services.scoring.ask(snapshot.scoring_uri, case.request, timeout_s=wait_s)
    except (Unavailable, RejectedInput) as error:
        return error.detail
    return judge(case, reply)


async def _deployment(
    services: Services, service: Service, snapshot: EndpointSnapshot, name: str
) -> Finding:
    try:
        report = await probe(services, service, snapshot, name, "", PROBES)
    except RejectedInput:  # an address that nobody sends a key to
        report = None
    return judge_deployment(name, report, snapshot)


async def _dependency(
    services: Services, service: Service, one: Dependency, now: datetime
) -> Finding:
    if one.kind == "service":
        report = await read_health(services, one.name)
        return judge_service(one, report.value if report else None, now)
    if not one.endpoint:
        return unasked(one)
    try:
        found = await services.search.watermark(one.endpoint, one.name, one.watermark)
    except (Unavailable, RejectedInput):
        found = None
    return judge_index(one, service, found, now)
