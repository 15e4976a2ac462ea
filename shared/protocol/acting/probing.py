"""Probing: a service's own requests, sent to one version or to whatever the split serves.

They are those of its golden cases, else the one in its file, sent as they stand: only the adapter's
header says that they are probes. A probe asks whether the route answers well and in time; what the
answer says is for the health check to judge.
"""

from collections.abc import Sequence
from typing import Any

from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport, parse_target
from shared.errors import RejectedInput, Unavailable
from shared.services import Services

NOTHING_TO_ASK = "no golden cases and no probe request"
_REGION = "region"

type Request = dict[str, Any]


async def find_snapshot(services: Services, target: str) -> EndpointSnapshot | None:
    """The endpoint as it is now; None where nobody can tell, which counts for nothing."""
    try:
        return await services.endpoints.read(parse_target(target))
    except (Unavailable, RejectedInput):
        return None


async def probe(
    services: Services,
    service: Service,
    snapshot: EndpointSnapshot,
    deployment: str | None,
    region: str,
    count: int,
) -> ProbeReport | None:
    """Send `count` probes; None where the scoring route could not be asked at all.

    Where nobody has said how the service is asked, none is sent, and the report says why. Its
    `region` is None where one was wanted and the requests cannot be sent there.
    """
    known = _requests(services, service)
    if not known:
        return ProbeReport(
            deployment=deployment, region=region or None, sent=0, passed=0, detail=NOTHING_TO_ASK
        )
    requests, reached = _for_region(service, known, region)
    payloads = [
        _placed(service, requests[number % len(requests)], region, number)
        for number in range(count)
    ]
    try:
        return await services.scoring.probe(
            snapshot.scoring_uri, deployment=deployment, region=reached, payloads=payloads
        )
    except Unavailable:
        return None


def _requests(services: Services, service: Service) -> list[Request]:
    """What the service answers well: never what it must refuse."""
    golden = services.golden_of(service.name)
    asked = [case.request for case in golden.cases if not case.refused] if golden else []
    return asked or ([service.probe] if service.probe else [])


def _for_region(
    service: Service, requests: Sequence[Request], region: str
) -> tuple[Sequence[Request], str | None]:
    """Those that can be sent to the region, and it; all of them where it has no choice of any."""
    if not region:
        return requests, None
    named = [one for one in requests if _names_a_region(service, one)]
    alone = service.regions in ((), (region,))  # wherever it is asked, it is asked there
    return named or requests, region if named or alone else None


def _placed(service: Service, request: Request, region: str, number: int) -> Request:
    """The request for the region, or for all of the service's in turn; else as it stands."""
    if not _names_a_region(service, request):
        return request
    regions = (region,) if region else service.regions or (request[_REGION],)
    return {**request, _REGION: regions[number % len(regions)]}


def _names_a_region(service: Service, request: Request) -> bool:
    """Whether its key says where it is served, and not something else of the same name."""
    return _REGION in request and (not service.regions or request[_REGION] in service.regions)
