"""Whether it helped: the affected slice after the traffic moved, held against the diagnosis.

Used by verify. Only what was served after the move counts, by bins that lie behind it altogether.
Good needs the objective kept and, where it was missed before, a share that surely is lower; too
little traffic is its own verdict, and so is a query that was not answered: neither is a success.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import LEAST_COMPARED, Breach, BreachKind, Gauge, gauge_of
from shared.domain.diagnosis.burns import burn_rate
from shared.domain.diagnosis.detection import find_breaches
from shared.domain.diagnosis.diagnosis import Diagnosis, Health
from shared.domain.diagnosis.evidence import Evidence, read_evidence
from shared.domain.diagnosis.findings import outcome_breaches
from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.parts import part_breaches
from shared.domain.diagnosis.phrases import clock, listing, within
from shared.domain.diagnosis.proportions import NOTHING, SURE, Count, evidence_above, evidence_below
from shared.domain.diagnosis.telemetry import QueryAnswer
from shared.domain.wording import share

_QUERIES = {
    BreachKind.AVAILABILITY: "onset",
    BreachKind.LATENCY: "onset",
    BreachKind.TOOL: "tool_failures",
    BreachKind.CONTENT_SAFETY: "content_safety",
    BreachKind.OUTCOME: "outcomes",
    BreachKind.INDEX: "index_freshness",
    BreachKind.QUALITY: "burn_rates",
}
_LATE = "Too early to tell: how good the answers since are, judges say only later."


class RecoveryVerdict(StrEnum):
    """What can be said after the move."""

    GOOD = "good"
    BAD = "bad"
    TOO_EARLY = "too-early"
    UNKNOWN = "unknown"


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict with the requests of the affected slice since the move, and their burn rate."""

    verdict: RecoveryVerdict
    sentence: str
    total: int = 0
    bad: int = 0
    share: float = 0.0
    burn: float | None = None


def recovered(
    before: Diagnosis,
    answers: Mapping[str, QueryAnswer],
    since: datetime,
    service: Service,
    now: datetime,
) -> Recovery:
    """Judge the time after `since` by the same yardstick that found the breach.

    `answers` needs `onset`, and for a breach of another kind its query too, asked from `since` on.
    """
    evidence = _after(read_evidence(answers), since)
    kind = BreachKind(before.breach or BreachKind.AVAILABILITY)
    gauge = gauge_of(kind, service)
    rows = _slice(evidence, before)
    count = _requests(rows)
    verdict = (
        _unanswered(evidence, kind)
        or _still_breached(evidence, kind, service, now)
        or _later(kind)
        or _judge(rows, before, gauge, since)
    )
    return _with_counts(verdict, count, service)


def _unanswered(evidence: Evidence, kind: BreachKind) -> Recovery | None:
    for query in ("onset", _QUERIES[kind]):
        trouble = evidence.trouble(query)
        if trouble is not None and not trouble.empty:
            sentence = f"Cannot tell whether it helped: {trouble.sentence}."
            return Recovery(verdict=RecoveryVerdict.UNKNOWN, sentence=sentence)
    return None


def _still_breached(
    evidence: Evidence, kind: BreachKind, service: Service, now: datetime
) -> Recovery | None:
    """A breach of the requests, here or elsewhere, or of the same part as before."""
    requests = [breach for breach in find_breaches(evidence, service) if breach.running]
    parts = [*part_breaches(evidence, service, now), *outcome_breaches(evidence)]
    same = [breach for breach in parts if breach.kind is kind]
    return next((_still_bad(breach) for breach in (*requests, *same)), None)


def _later(kind: BreachKind) -> Recovery | None:
    """Labels of the answers since the move are not there yet, so a person has to look."""
    if kind is not BreachKind.QUALITY:
        return None
    return Recovery(verdict=RecoveryVerdict.TOO_EARLY, sentence=_LATE)


def _still_bad(breach: Breach) -> Recovery:
    who = listing(breach.versions) or breach.subject
    where = within(breach.regions) if breach.hit else ""
    counted = f"{share(breach.count.share)} of {breach.count.total} bad"
    sentence = f"It did not help: {breach.kind} of {who} is still breached{where}, {counted}."
    return Recovery(verdict=RecoveryVerdict.BAD, sentence=sentence)


def _judge(rows: list[OnsetRow], before: Diagnosis, gauge: Gauge, since: datetime) -> Recovery:
    count = _requests(rows)
    measured = sum((gauge.measure(row) for row in rows), NOTHING)
    where = within(before.regions_hit) if before.affected else ""
    seen = f"{share(measured.share)} bad of {count.total} requests{where} since {clock(since)}"
    compared = f"{seen}, {share(before.bad_share)} before"
    if evidence_above(measured, gauge.threshold) >= SURE:
        return Recovery(verdict=RecoveryVerdict.BAD, sentence=f"It did not help: {compared}.")
    if count.total < LEAST_COMPARED or not _surely_better(measured, before, gauge):
        return Recovery(verdict=RecoveryVerdict.TOO_EARLY, sentence=f"Too early to tell: {seen}.")
    said = f"It helped: {compared}." if _was_breached(before) else f"All is well: {seen}."
    return Recovery(verdict=RecoveryVerdict.GOOD, sentence=said)


def _surely_better(measured: Count, before: Diagnosis, gauge: Gauge) -> bool:
    if measured.share >= gauge.threshold:
        return False
    # A person asked for the move: the few that failed by accident before are no share to be beaten.
    if not _was_breached(before):
        return True
    # Parts are judged by their own query; slow bins are no share of requests.
    if gauge.kind is not BreachKind.AVAILABILITY or not before.bad_requests:
        return measured.total > 0
    return evidence_below(measured, min(before.bad_share, 0.999)) >= SURE


def _was_breached(before: Diagnosis) -> bool:
    return before.health is Health.BREACHED


def _after(evidence: Evidence, since: datetime) -> Evidence:
    rows = tuple(row for row in evidence.onset if row.at >= since)
    return msgspec.structs.replace(evidence, onset=rows)


def _slice(evidence: Evidence, before: Diagnosis) -> list[OnsetRow]:
    regions = before.regions_hit
    return [row for row in evidence.onset if not regions or row.region in regions]


def _requests(rows: list[OnsetRow]) -> Count:
    return sum((Count(total=row.total, bad=row.failed) for row in rows), NOTHING)


def _with_counts(recovery: Recovery, count: Count, service: Service) -> Recovery:
    objectives = [slo.objective for slo in service.slos if slo.sli == "availability"]
    burn = burn_rate(count.total, count.bad, max(objectives, default=0.99))
    return msgspec.structs.replace(
        recovery, total=count.total, bad=count.bad, share=count.share, burn=burn
    )
