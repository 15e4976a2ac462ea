"""What the service is made of and leans on: tools, content safety, upstream targets, indexes.

Third step of the diagnosis, beside `findings`. Each part gives findings, and, where customers are
hurt by it although the requests succeed, a `Breach`. Whether a part fails alike for all versions is
what tells a broken dependency from a version that uses it badly.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from shared.domain.breach import LEAST_COMPARED, Breach, BreachKind
from shared.domain.catalog import Service
from shared.domain.diagnosis import Finding, Signal
from shared.domain.measurements import DependencyRow, Evidence, IndexRow
from shared.domain.onset import LEAST_BAD
from shared.domain.phrases import listing, span
from shared.domain.proportions import NOTHING, SURE, Count, evidence_above
from shared.domain.wording import share

PART_SHARE = 0.1
"""The share of failing tool calls, or of blocked answers, from which customers are hurt."""

UNAVAILABLE_CODES = frozenset({"429", "502", "503", "504"})
"""Answers by which a target says that it is the one who cannot; a 400 may be the caller's fault."""

MODEL_KIND = "GenAI | chat"
_TOOL_KIND = "GenAI | tool"


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One part, by the deployments that use it: who is hurt, who is fine, and the counts."""

    subject: str
    counts: dict[str, Count]
    hurt: tuple[str, ...]
    fine: tuple[str, ...]

    @property
    def count(self) -> Count:
        """The counts of the hurt deployments together; of all where none is hurt."""
        counted = [self.counts[name] for name in self.hurt] or list(self.counts.values())
        return sum(counted, NOTHING)


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """One target that answers 429 or 5xx, with its most frequent code."""

    contrast: Contrast
    code: str

    @property
    def sentence(self) -> str:
        """What it answers how often, for people."""
        count = self.contrast.count
        return (
            f"{self.contrast.subject} answers {self.code} to {share(count.share)} of"
            f" {count.total} calls"
        )


def tool_contrasts(evidence: Evidence) -> tuple[Contrast, ...]:
    """How each tool's calls end, by deployment; the worst first."""
    counts: dict[str, dict[str, Count]] = {}
    for row in evidence.tool_failures:
        _add(counts, row.tool, row.deployment, Count(total=row.total, bad=row.failed))
    return _worst_first(_contrast(tool, by, PART_SHARE) for tool, by in counts.items())


def safety_contrast(evidence: Evidence) -> Contrast:
    """How many answers content safety blocks, by deployment."""
    counts: dict[str, dict[str, Count]] = {}
    for row in evidence.content_safety:
        _add(counts, "", row.deployment, Count(total=row.total, bad=row.blocked))
    return _contrast("content safety", counts.get("", {}), PART_SHARE)


def upstreams(evidence: Evidence, threshold: float) -> tuple[Upstream, ...]:
    """How often each target (tools apart) answers that it cannot; the worst first."""
    counts: dict[str, dict[str, Count]] = {}
    codes: dict[str, Counter[str]] = {}
    for row in evidence.dependencies:
        if row.kind == _TOOL_KIND:
            continue
        unavailable = _unavailable(row)
        _add(counts, row.target, row.deployment, Count(total=row.total, bad=unavailable))
        codes.setdefault(row.target, Counter())[row.result_code] += unavailable
    contrasts = _worst_first(_contrast(name, by, threshold) for name, by in counts.items())
    return tuple(
        Upstream(contrast=contrast, code=codes[contrast.subject].most_common(1)[0][0])
        for contrast in contrasts
    )


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
    targets = [_upstream_finding(one) for one in upstreams(evidence, PART_SHARE / 2)]
    indexes = [_index_finding(row, service, now) for row in evidence.index_freshness]
    return (*tools, *blocks, *targets, *indexes)


def _add(counts: dict[str, dict[str, Count]], subject: str, deployment: str, count: Count) -> None:
    by_deployment = counts.setdefault(subject, {})
    by_deployment[deployment] = by_deployment.get(deployment, NOTHING) + count


def _contrast(subject: str, counts: Mapping[str, Count], threshold: float) -> Contrast:
    hurt = tuple(sorted(name for name, count in counts.items() if _is_hurt(count, threshold)))
    fine = tuple(sorted(name for name, count in counts.items() if _is_fine(count, threshold)))
    return Contrast(subject=subject, counts=dict(counts), hurt=hurt, fine=fine)


def _is_hurt(count: Count, threshold: float) -> bool:
    return count.bad >= LEAST_BAD and evidence_above(count, threshold) >= SURE


def _is_fine(count: Count, threshold: float) -> bool:
    return count.total >= LEAST_COMPARED and count.share < threshold


def _worst_first(contrasts: Iterable[Contrast]) -> tuple[Contrast, ...]:
    return tuple(sorted(contrasts, key=lambda one: (-one.count.share, one.subject)))


def _unavailable(row: DependencyRow) -> int:
    server_error = row.result_code.startswith("5") or row.result_code in UNAVAILABLE_CODES
    return row.failed if server_error else 0


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


def _signal(contrast: Contrast) -> Signal:
    if contrast.hurt:
        return Signal.BAD
    return Signal.GOOD if contrast.count.total >= LEAST_COMPARED else Signal.LOW_TRAFFIC


def _part_finding(kind: str, query: str, part: Contrast, what: str, of: str) -> Finding:
    count = part.count
    by = f" of {listing(part.hurt)}" if part.hurt else ""
    return Finding(
        kind=kind,
        signal=_signal(part),
        sentence=f"{what} {share(count.share)} of {count.total} {of}{by}",
        query=query,
        subject=part.subject,
        observed=count.share,
        required=PART_SHARE,
        total=count.total,
        bad=count.bad,
    )


def _upstream_finding(upstream: Upstream) -> Finding:
    contrast = upstream.contrast
    fine = f"{contrast.subject} takes the calls ({contrast.count.total})"
    return Finding(
        kind="dependency",
        signal=_signal(contrast),
        sentence=upstream.sentence if contrast.hurt else fine,
        query="dependencies",
        subject=contrast.subject,
        observed=contrast.count.share,
        required=PART_SHARE / 2,
        total=contrast.count.total,
        bad=contrast.count.bad,
    )


def _index_finding(row: IndexRow, service: Service, now: datetime) -> Finding:
    age = index_age_s(row, now)
    stale = age > _allowed(service)
    return Finding(
        kind="index",
        signal=Signal.BAD if stale else Signal.GOOD,
        sentence=f"{row.index} is {span(age)} old, {span(_allowed(service))} are allowed",
        query="index_freshness",
        subject=row.index,
        observed=age,
        required=float(_allowed(service)),
    )
