"""Doubts: why nobody may say that all is well, although nothing is known to be wrong.

Part of the diagnosis. A part of the logs that is out, too little traffic, and a thin slice that
seems to fail each make a diagnosis inconclusive instead of healthy.
"""

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import LEAST_COMPARED
from shared.domain.diagnosis.burns import breach_share
from shared.domain.diagnosis.evidence import CORE, DECISIVE, Evidence
from shared.domain.diagnosis.onset import Scope, count_of
from shared.domain.diagnosis.phrases import listing

_LEAST_SUSPICIOUS = 3


def doubts(evidence: Evidence, service: Service) -> tuple[str, ...]:
    """Why nobody may say that all is well, or what is wrong; the gravest reason first."""
    core = [trouble.sentence for trouble in evidence.troubles if trouble.query in CORE]
    other = [
        trouble.sentence
        for trouble in evidence.troubles
        if trouble.query in DECISIVE and not trouble.empty
    ]
    return (*core, *_too_few(evidence, service), *other)


def unanswered(evidence: Evidence) -> tuple[str, ...]:
    """The queries without a usable answer; one that is merely empty counts where it is needed."""
    return tuple(
        trouble.sentence
        for trouble in evidence.troubles
        if trouble.query in CORE or not trouble.empty
    )


def _too_few(evidence: Evidence, service: Service) -> list[str]:
    rows = evidence.onset
    requests = sum(row.total for row in rows)
    least = service.policy.minimum_requests
    if requests < least:
        return [f"only {requests} requests were seen, {least} are needed"]
    regions = sorted({row.region for row in rows})
    thin = [region for region in regions if _is_suspicious(region, evidence, service)]
    return [f"too few requests to judge {listing(thin)}, but some of them fail"] if thin else []


def _is_suspicious(region: str, evidence: Evidence, service: Service) -> bool:
    count = count_of(evidence.onset, Scope(region=region))
    failing = count.bad >= _LEAST_SUSPICIOUS and count.share >= breach_share(service)
    return failing and count.total < LEAST_COMPARED
