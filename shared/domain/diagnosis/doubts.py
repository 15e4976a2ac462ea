"""Doubts: why nobody may say that all is well, although nothing is known to be wrong.

Part of the diagnosis. A part of the logs that is out, too little traffic, a thin slice that seems
to fail, and a region that begins to each make a diagnosis inconclusive instead of healthy.
"""

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import LEAST_COMPARED
from shared.domain.diagnosis.burns import allowed_share, breach_share
from shared.domain.diagnosis.evidence import CORE, DECISIVE, Evidence
from shared.domain.diagnosis.onset import Scope, Series, count_of, failures, find_onset, series_of
from shared.domain.diagnosis.phrases import listing

_LEAST_SUSPICIOUS = 3
_LEAST_NEW = 2  # a single one is a stray error


def doubts(evidence: Evidence, service: Service) -> tuple[str, ...]:
    """Why nobody may say that all is well, or what is wrong; the gravest reason first."""
    core = [trouble.sentence for trouble in evidence.troubles if trouble.query in CORE]
    other = [
        trouble.sentence
        for trouble in evidence.troubles
        if trouble.query in DECISIVE and not trouble.empty
    ]
    return (*core, *_too_few(evidence, service), *_begins(evidence, service), *other)


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


def _begins(evidence: Evidence, service: Service) -> list[str]:
    regions = sorted({row.region for row in evidence.onset})
    hurt = [region for region in regions if _begins_to_fail(region, evidence, service)]
    return [f"{listing(hurt)} begins to fail, too lately to be judged"] if hurt else []


def _begins_to_fail(region: str, evidence: Evidence, service: Service) -> bool:
    """Whether the newest requests surely fail more than is allowed, though too few for a breach."""
    every = series_of(evidence.onset, [Scope(region=region)], failures)
    series = _after_the_last_breach(every, breach_share(service))
    onset = find_onset(series, allowed_share(service), _LEAST_NEW)
    if onset is None or onset.ended_at is not None:
        return False
    return onset.count.total < LEAST_COMPARED or onset.at == series[-1][0]


def _after_the_last_breach(series: Series, threshold: float) -> Series:
    onset = find_onset(series, threshold)
    if onset is None:
        return series
    return [point for point in series if onset.ended_at and point[0] >= onset.ended_at]
