"""Each slice against the rest: the partial outage that hides in a green total, the bad version.

Part of the findings. A slice is bad where three things hold: enough requests, a share from which
the objective is breached, and a difference from the rest beyond chance. A slice that fails no more
than all others do is bad only by its share: then it is no partial outage, but a whole one.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import LEAST_COMPARED
from shared.domain.diagnosis.burns import breach_share
from shared.domain.diagnosis.diagnosis import Finding, Sign
from shared.domain.diagnosis.evidence import Evidence
from shared.domain.diagnosis.measurements import OnsetRow, VersionRow
from shared.domain.diagnosis.onset import LEAST_BAD
from shared.domain.diagnosis.proportions import NOTHING, SURE, Count, evidence_above, z_score
from shared.domain.wording import share

LEAST_Z = 3.3
"""A difference beyond chance: one-sided p of 1 in 2,000."""


def slice_findings(
    evidence: Evidence, service: Service, since: datetime | None
) -> tuple[Finding, ...]:
    """Compare every region, deployment and prompt version with the rest, since the onset."""
    rows = [row for row in evidence.onset if since is None or row.at >= since]
    threshold = breach_share(service)
    return (
        *_compare("region", _by(rows, lambda row: row.region), threshold),
        *_compare("deployment", _by(rows, lambda row: row.deployment), threshold),
        *_compare("prompt_version", _prompts(evidence.versions), threshold),
    )


def version_findings(evidence: Evidence, service: Service) -> tuple[Finding, ...]:
    """Compare the versions' errors with each other, and their latency with the objective."""
    counts: dict[str, Count] = {}
    for row in evidence.versions:
        name = _version(row)
        counts[name] = counts.get(name, NOTHING) + Count(total=row.total, bad=row.failed)
    return (
        *_compare("version", counts, breach_share(service)),
        *(_latency(row, service.latency_threshold_ms()) for row in evidence.versions),
    )


def _compare(dimension: str, counts: Mapping[str, Count], threshold: float) -> list[Finding]:
    whole = sum(counts.values(), NOTHING)
    return [
        _against_rest(f"{dimension}={name}", own, whole - own, threshold)
        for name, own in sorted(counts.items())
    ]


def _against_rest(subject: str, own: Count, rest: Count, threshold: float) -> Finding:
    dimension = subject.partition("=")[0]
    signal = _signal(own, rest, threshold)
    green = signal is Sign.BAD and (own + rest).share < threshold
    hidden = f"; the total looks green at {share((own + rest).share)}" if green else ""
    return Finding(
        kind="version" if dimension == "version" else "partial-outage",
        signal=signal,
        sentence=_sentence(subject, own, rest, signal) + hidden,
        query="onset" if dimension in ("region", "deployment") else "versions",
        subject=subject,
        observed=own.share,
        required=threshold,
        total=own.total,
        bad=own.bad,
    )


def _signal(own: Count, rest: Count, threshold: float) -> Sign:
    breached = own.bad >= LEAST_BAD and evidence_above(own, threshold) >= SURE
    if breached and (rest.share >= threshold or z_score(own, rest) >= LEAST_Z):
        return Sign.BAD
    return Sign.GOOD if own.total >= LEAST_COMPARED else Sign.LOW_TRAFFIC


def _sentence(subject: str, own: Count, rest: Count, signal: Sign) -> str:
    name = subject.partition("=")[2] or "(unnamed)"
    if signal is Sign.LOW_TRAFFIC:
        return f"{name} has {own.total} requests, too few to tell"
    others = f", the rest {share(rest.share)}" if rest.total else ""
    return f"{name} fails {share(own.share)} of {own.total} requests{others}"


def _latency(row: VersionRow, threshold_ms: float) -> Finding:
    p95_ms = row.p95_ms or 0.0
    enough = row.total >= LEAST_COMPARED and row.p95_ms is not None
    slow = Sign.BAD if p95_ms > threshold_ms else Sign.GOOD
    return Finding(
        kind="latency",
        signal=slow if enough else Sign.LOW_TRAFFIC,
        sentence=f"{_version(row)} answers 95 % within {p95_ms:.0f} ms of {threshold_ms:.0f} ms",
        query="versions",
        subject=f"version={_version(row)}",
        observed=p95_ms,
        required=threshold_ms,
        total=row.total,
    )


def _by(rows: Iterable[OnsetRow], key: Callable[[OnsetRow], str]) -> dict[str, Count]:
    counts: dict[str, Count] = {}
    for row in rows:
        counts[key(row)] = counts.get(key(row), NOTHING) + Count(total=row.total, bad=row.failed)
    return counts


def _prompts(rows: Iterable[VersionRow]) -> dict[str, Count]:
    counts: dict[str, Count] = {}
    for row in rows:
        before = counts.get(row.prompt_version, NOTHING)
        counts[row.prompt_version] = before + Count(total=row.total, bad=row.failed)
    return counts


def _version(row: VersionRow) -> str:
    return f"{row.deployment} ({row.prompt_version})" if row.prompt_version else row.deployment
