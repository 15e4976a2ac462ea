"""Probing: synthetic requests of a service, sent to one version or to whatever the split serves."""

from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.errors import Unavailable
from shared.services import Services


async def probe(
    services: Services,
    service: Service,
    snapshot: EndpointSnapshot,
    deployment: str | None,
    region: str,
    count: int,
) -> ProbeReport | None:
    """Send `count` probes; None where the scoring route could not be asked at all."""
    payloads = [payload(service, region, number) for number in range(count)]
    try:
        return await services.scoring.probe(
            snapshot.scoring_uri, deployment=deployment, region=region or None, payloads=payloads
        )
    except Unavailable:
        return None


def payload(service: Service, region: str, number: int) -> dict[str, object]:
    """One synthetic request, marked as a probe so that it never counts as a customer's.

    A service that names no regions is asked without one, as its customers ask.
    """
    regions = (region,) if region else service.regions
    where = {"region": regions[number % len(regions)]} if regions else {}
    return {
        "claim_id": f"probe-{number}",
        **where,
        "text": "Probe: water damage in the kitchen after a pipe burst on Monday.",
        "probe": True,
    }
