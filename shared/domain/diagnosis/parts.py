"""What the service is made of and leans on: tools, content safety, targets, indexes.

Third step of the diagnosis, beside `findings`. Each part gives findings, and, where customers are
hurt by it although the requests succeed, a `Breach`. Whether a part fails alike for all versions is
what tells a broken dependency from a version that uses it badly.
"""

from datetime import datetime

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import Breach, BreachKind
from shared.domain.diagnosis.contrast import Contrast, contrast_of, signal_of, worst_first
from shared.domain.diagnosis.diagnosis import Finding, Sign
from shared.domain.diagnosis.evidence import Evidence
from shared.domain.diagnosis.measurements import IndexRow
from shared.domain.diagnosis.phrases import listing, span
from shared.domain.diagnosis.proportions import NOTHING, Count
from shared.domain.diagnosis.upstreams import FROM_SHARE, upstream_finding, upstreams
from shared.domain.wording import share

PART_SHARE = 0.1
"""The share of failing tool calls, or of blocked answers, from which customers are hurt."""

MODEL_KIND = "chat"


def tool_contrasts(evidence: Evidence) -> tuple[Contrast, ...]:
    """How each tool's calls end, by deployment; the worst first."""
    counts: dict[str, dict[str, Count]] = {}
    for row in evidence.tool_failures:
        _add(counts, row.tool, row.deployment, Count(total=row.total, bad=row.failed))
    return worst_first(contrast_of(tool, by, PART_SHARE) for tool, by in counts.items())


def safety_contrast(evidence: Evidence) -> Contrast:
    """How many answers content safety blocks, by deployment."""
    counts: dict[str, dict[str, Count]] = {}
    for row in evidence.content_safety:
        _add(counts, "", row.deployment, Count(total=row.total, bad=row.blocked))
    return contrast_of("content safety", counts.get("", {}), PART_SHARE)


def stale_indexes(evidence: Evidence, service: Service, now: datetime) -> tuple[IndexRow, ...]:
    """The indexes whose newest document is older than the service allows, oldest first."""
    stale = [row for row in evidence.index_freshness if index_age_s(row, now) > _allowed(service)]
    return tuple(sorted(stale, key=lambda row: row.watermark))


def index_age_s(row: IndexRow, now: datetime) -> float:
    """How old the newest document of the index is, in seconds; never negative."""
    return max((now - row.watermark).total_seconds(), 0.0)


def part_breaches(evidence: Evidence, service: Service, now: datetime) -> tuple[Breach, ...]:
    """Breaches of the parts, which may hurt although every request succeeds."""
    hurt = [
        *(_breach(BreachKind.TOOL, tool) for tool in tool_contrasts(evidence) if tool.hurt),
        *(
            _breach(BreachKind.CONTENT_SAFETY, safety)
            for safety in [safety_contrast(evidence)]
            if safety.hurt
        ),
    ]
    stale = stale_indexes(evidence, service, now)
    return (*hurt, *(Breach(kind=BreachKind.INDEX, subject=row.index) for row in stale))


def part_findings(evidence: Evidence, service: Service, now: datetime) -> tuple[Finding, ...]:
    """One finding for every tool, for content safety, every target and every index."""
    tools = [
        _part_finding("tool", "tool_failures", tool, f"{tool.subject} fails", "calls")
        for tool in tool_contrasts(evidence)
    ]
    safety = [safety_contrast(evidence)] if evidence.content_safety else []
    blocks = [
        _part_finding("content-safety", "content_safety", one, "content safety blocks", "answers")
        for one in safety
    ]
    targets = [upstream_finding(one) for one in upstreams(evidence, FROM_SHARE)]
    indexes = [_index_finding(row, service, now) for row in evidence.index_freshness]
    return (*tools, *blocks, *targets, *indexes)


def _add(counts: dict[str, dict[str, Count]], subject: str, deployment: str, count: Count) -> None:
    by_deployment = counts.setdefault(subject, {})
    by_deployment[deployment] = by_deployment.get(deployment, NOTHING) + count


def _allowed(service: Service) -> int:
    return service.index_max_age_s


def _breach(kind: BreachKind, contrast: Contrast) -> Breach:
    return Breach(
        kind=kind,
        versions=contrast.hurt,
        fine_versions=contrast.fine,
        count=contrast.count,
        threshold=PART_SHARE,
        subject=contrast.subject,
    )


def _part_finding(kind: str, query: str, part: Contrast, what: str, of: str) -> Finding:
    count = part.count
    by = f" of {listing(part.hurt)}" if part.hurt else ""
    return Finding(
        kind=kind,
        signal=signal_of(part),
        sentence=f"{what} {share(count.share)} of {count.total} {of}{by}",
        query=query,
        subject=part.subject,
        observed=count.share,
        required=PART_SHARE,
        total=count.total,
        bad=count.bad,
    )


def _index_finding(row: IndexRow, service: Service, now: datetime) -> Finding:
    age = index_age_s(row, now)
    stale = age > _allowed(service)
    return Finding(
        kind="index",
        signal=Sign.BAD if stale else Sign.GOOD,
        sentence=f"{row.index} is {span(age)} old, {span(_allowed(service))} are allowed",
        query="index_freshness",
        subject=row.index,
        observed=age,
        required=float(_allowed(service)),
    )
