"""Who is hurt: the tenants behind the requests, which a share of all requests hides.

Two in a hundred requests may be one in fifty of everybody's, or all that one customer sends. So the
severity asks for the tenants as well, once it is known since when to count. A tenant is a customer
organisation or a line of business, by the opaque id in `backstop.tenant`; a service that tells of
none is judged without, and an answer that is missing never means that nobody is hurt.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import LEAST_COMPARED, OUTAGE_SHARE, BreachKind
from shared.domain.diagnosis.burns import breach_share
from shared.domain.diagnosis.diagnosis import Diagnosis, Finding, Health, Sign, Tenants
from shared.domain.diagnosis.evidence import Trouble, read_rows
from shared.domain.diagnosis.measurements import TenantRow
from shared.domain.diagnosis.onset import LEAST_BAD
from shared.domain.diagnosis.proportions import SURE, Count, evidence_above
from shared.domain.diagnosis.telemetry import QueryAnswer

MOST_NAMES = 50  # kept of those that are hit, and of those that are out
LONGEST_NAME = 64  # what is longer is no opaque id, and may be personal: counted, never kept
_COUNTED = (BreachKind.AVAILABILITY, BreachKind.LATENCY)  # of requests, not of parts of them


def counted_since(diagnosis: Diagnosis) -> datetime | None:
    """Since when to count whose requests are bad; None where there is no such question."""
    counts = diagnosis.health is Health.BREACHED and diagnosis.breach in _COUNTED
    return diagnosis.onset_at if counts else None


def name_tenants(diagnosis: Diagnosis, answer: QueryAnswer, service: Service) -> Diagnosis:
    """Say in the diagnosis who is hurt, by the answer of `tenants` since the onset.

    Without rows nothing is said: the service tells of no tenants.
    """
    read = read_rows(answer.name, answer, TenantRow)
    if isinstance(read, Trouble):
        return diagnosis if read.empty else _unknown(diagnosis, read)
    kind = BreachKind(diagnosis.breach)
    counts = {row.tenant: Count(total=row.total, bad=_bad(row, kind)) for row in read}
    threshold = breach_share(service, kind)
    hit = sorted(name for name, one in counts.items() if _is_hit(one, threshold))
    out = sorted(name for name, one in counts.items() if _is_out(one))
    found = Tenants(
        served=read[0].served,
        hit=_kept(hit),
        out=_kept(out),
        more_hit=len(hit) - len(_kept(hit)),
        more_out=len(out) - len(_kept(out)),
    )
    finding = _finding(found, counts.values(), threshold)
    return msgspec.structs.replace(
        diagnosis, tenants=found, findings=_among(diagnosis.findings, finding)
    )


def tell_tenants(found: Tenants) -> str:
    """How many are hurt, for people; their ids are in the diagnosis only."""
    if not found.hits:
        return f"no single one of {found.served} tenants is surely hurt"
    hurt = f"{found.hits} of {found.served} tenants {_verb(found.hits, 'is', 'are')} hurt"
    gets = _verb(found.outs, "gets", "get")
    return f"{hurt}, {found.outs} {gets} next to no good answer" if found.outs else hurt


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _kept(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if len(name) <= LONGEST_NAME)[:MOST_NAMES]


def _unknown(diagnosis: Diagnosis, trouble: Trouble) -> Diagnosis:
    finding = Finding(
        kind="tenant", signal=Sign.UNKNOWN, sentence=trouble.sentence, query=trouble.query
    )
    return msgspec.structs.replace(
        diagnosis,
        tenants=Tenants(known=False),
        findings=(*diagnosis.findings, finding),
        unanswered=(*diagnosis.unanswered, trouble.sentence),
    )


def _bad(row: TenantRow, kind: BreachKind) -> int:
    return row.slow if kind is BreachKind.LATENCY else row.failed


def _is_hit(count: Count, threshold: float) -> bool:
    return count.bad >= LEAST_BAD and evidence_above(count, threshold) >= SURE


def _is_out(count: Count) -> bool:
    return count.total >= LEAST_COMPARED and count.share >= OUTAGE_SHARE


def _finding(found: Tenants, counts: Iterable[Count], threshold: float) -> Finding:
    worst = max(counts, key=lambda count: (count.share, count.total))
    return Finding(
        kind="tenant",
        signal=Sign.BAD if found.hits else Sign.LOW_TRAFFIC,
        sentence=tell_tenants(found),
        query="tenants",
        observed=worst.share,
        required=threshold,
        total=worst.total,
        bad=worst.bad,
    )


def _among(findings: tuple[Finding, ...], new: Finding) -> tuple[Finding, ...]:
    """The bad ones stay first."""
    return tuple(sorted((*findings, new), key=lambda one: one.signal is not Sign.BAD))
