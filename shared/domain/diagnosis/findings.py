"""The findings: everything that was looked at, and what it says, good and bad alike.

Fourth step of the diagnosis. A query without a usable answer is a finding, too: it says that it
could not be found out, and never that all is well. The rooms `comparison` (slices and versions) and
`parts` (tools, targets, indexes) do their share; here are burn rates, anomalies and outcomes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import Breach, BreachKind
from shared.domain.diagnosis.burns import WorstBurn, burns_too_fast, parse_burns, worst_burn
from shared.domain.diagnosis.comparison import slice_findings, version_findings
from shared.domain.diagnosis.diagnosis import Burn, Finding, Sign
from shared.domain.diagnosis.evidence import Evidence, Trouble
from shared.domain.diagnosis.measurements import AnomalyRow
from shared.domain.diagnosis.onset import LEAST_BAD
from shared.domain.diagnosis.outcomes import LEAST_SWING, Swing, swings
from shared.domain.diagnosis.parts import part_findings
from shared.domain.diagnosis.proportions import Count
from shared.domain.slos.slo import Sli, Slo

_RECENT = timedelta(minutes=15)

_KINDS = {
    "burn_rates": "burn-rate",
    "onset": "partial-outage",
    "slices": "partial-outage",
    "versions": "version",
    "tool_failures": "tool",
    "content_safety": "content-safety",
    "outcomes": "outcome",
    "anomalies": "anomaly",
    "dependencies": "dependency",
    "index_freshness": "index",
}


def find_all(
    evidence: Evidence, breaches: Sequence[Breach], service: Service, now: datetime
) -> tuple[Finding, ...]:
    """Look at everything; what is bad comes first."""
    since = min((breach.at for breach in breaches if breach.at), default=None)
    found = [
        *burn_findings(evidence, service),
        *slice_findings(evidence, service, since),
        *version_findings(evidence, service),
        *part_findings(evidence, service, now),
        *(_outcome_finding(swing) for swing in swings(evidence.outcomes)),
        *anomaly_findings(evidence, now),
        *(trouble_finding(one) for one in evidence.troubles if one.query in _KINDS),
    ]
    return tuple(sorted(found, key=lambda finding: finding.signal is not Sign.BAD))


def trouble_finding(trouble: Trouble) -> Finding:
    """A query that says nothing: unknown or no data, never healthy."""
    return Finding(
        kind=_KINDS[trouble.query],
        signal=trouble.signal,
        sentence=trouble.sentence,
        query=trouble.query,
    )


def burn_findings(evidence: Evidence, service: Service) -> tuple[Finding, ...]:
    """One finding an objective: the total, or the slice of it that burns fastest."""
    if evidence.trouble("burn_rates"):
        return ()
    burns = parse_burns(evidence.burn_rates, service.slos)
    return tuple(_burn_finding(slo, burns, service) for slo in service.slos)


def anomaly_findings(evidence: Evidence, now: datetime) -> tuple[Finding, ...]:
    """One finding a region: whether its failures left their baseline in the last 15 minutes."""
    recent: dict[str, list[AnomalyRow]] = {}
    for row in evidence.anomalies:
        if row.at >= now - _RECENT:
            recent.setdefault(row.region, []).append(row)
    return tuple(_anomaly_finding(region, rows) for region, rows in sorted(recent.items()))


def outcome_breaches(evidence: Evidence) -> tuple[Breach, ...]:
    """A breach for the outcome that swung most: one swing moves the other shares along."""
    suspicious = [swing for swing in swings(evidence.outcomes) if swing.suspicious]
    return tuple(
        Breach(kind=BreachKind.OUTCOME, subject=swing.outcome, count=_decided_otherwise(swing))
        for swing in suspicious[:1]
    )


def _decided_otherwise(swing: Swing) -> Count:
    total = swing.now.total
    return Count(total=total, bad=round(abs(swing.points) * total))


def _burn_finding(slo: Slo, burns: Sequence[Burn], service: Service) -> Finding:
    policy = service.policy
    own = [burn for burn in burns if burn.slo == slo.name]
    worst = worst_burn(own, policy)
    total, bad, _ = (worst.burn if worst else own[0]).windows[policy.long_window]
    return Finding(
        kind="quality" if slo.sli == Sli.QUALITY else "burn-rate",
        signal=_burn_sign(worst, total, service),
        sentence=_burn_sentence(slo, worst, total, service),
        query="burn_rates",
        subject=slo.name,
        observed=worst.rate if worst else None,
        required=policy.burn_rate,
        total=total,
        bad=bad,
    )


def _burn_sign(worst: WorstBurn | None, total: int, service: Service) -> Sign:
    if worst is None:
        return Sign.LOW_TRAFFIC if total else Sign.NO_DATA
    return Sign.BAD if burns_too_fast(worst, service.policy) else Sign.GOOD


def _burn_sentence(slo: Slo, worst: WorstBurn | None, total: int, service: Service) -> str:
    policy = service.policy
    if worst is None:
        what = "judged answers" if slo.sli == Sli.QUALITY else "requests"
        return f"{slo.name}: {total} {what} in {policy.long_window}, too few for a burn rate"
    where = f" for {worst.where}" if worst.where else ""
    windows = f"over {policy.short_window} and {policy.long_window}"
    return f"{slo.name} burns {worst.rate:.1f} times as fast as allowed{where} {windows}"


def _outcome_finding(swing: Swing) -> Finding:
    signal = Sign.BAD if swing.suspicious else Sign.GOOD
    return Finding(
        kind="outcome",
        signal=signal if swing.enough else Sign.LOW_TRAFFIC,
        sentence=swing.sentence,
        query="outcomes",
        subject=swing.outcome,
        observed=swing.points,
        required=LEAST_SWING,
        total=swing.now.total,
        bad=swing.now.bad,
    )


def _anomaly_finding(region: str, rows: Sequence[AnomalyRow]) -> Finding:
    worst = max(rows, key=lambda row: (row.flag, row.score))
    above = worst.flag > 0 and worst.failed >= LEAST_BAD
    seen = f"{worst.failed:.0f} failures a bin against {worst.baseline:.1f} as usual"
    return Finding(
        kind="anomaly",
        signal=Sign.BAD if above else Sign.GOOD,
        sentence=f"{region}: {seen if above else 'failures as usual'}",
        query="anomalies",
        subject=f"region={region}",
        observed=worst.failed,
        required=worst.baseline,
    )
