"""The diagnosis: from the answers of the logs to one verdict and one sentence. Pure.

`diagnose` reads the evidence, finds what is hurt, looks at everything, asks whose fault it is,
ranks the changes and tells it. Three verdicts: BREACHED and HEALTHY need usable answers; whatever
could not be found out makes it INCONCLUSIVE, which pages and never acts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.release import Change, KnownGood
from shared.domain.diagnosis.attribution import attribute
from shared.domain.diagnosis.breach import Breach, BreachKind
from shared.domain.diagnosis.burns import parse_burns
from shared.domain.diagnosis.detection import burn_breaches, find_breaches, quality_breaches
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Diagnosis, Finding, Health, Sign
from shared.domain.diagnosis.doubts import doubts, unanswered
from shared.domain.diagnosis.evidence import Evidence, read_evidence
from shared.domain.diagnosis.findings import find_all, outcome_breaches
from shared.domain.diagnosis.inquiry import Inquiry
from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.narrative import (
    tell_breach,
    tell_healthy,
    tell_inconclusive,
    tell_recovered,
)
from shared.domain.diagnosis.onset import Arrival, Scope, arrivals, bin_width, count_of, refine
from shared.domain.diagnosis.parts import part_breaches
from shared.domain.diagnosis.proportions import Count
from shared.domain.diagnosis.suspects import Scene, changes_from, rank
from shared.domain.diagnosis.telemetry import QueryAnswer
from shared.domain.incidents.incident import Incident

_RECENT_BINS = 10


class _Examination(msgspec.Struct, frozen=True, kw_only=True):
    incident: Incident
    service: Service
    evidence: Evidence
    breaches: tuple[Breach, ...]
    findings: tuple[Finding, ...]
    arrivals: dict[str, Arrival]
    now: datetime

    @property
    def breach(self) -> Breach | None:
        """The worst breach that goes on."""
        running = [breach for breach in self.breaches if breach.running]
        return min(running, key=lambda one: list(BreachKind).index(one.kind), default=None)


def diagnose(
    *,
    incident: Incident,
    service: Service,
    answers: Mapping[str, QueryAnswer],
    changes: Sequence[Change],
    known_good: KnownGood | None,
    now: datetime,
) -> Diagnosis:
    """Diagnose an incident from the answers to all queries of `evidence.ROWS`, by name."""
    examined = _examine(incident, service, read_evidence(answers), now)
    changes = (*changes, *changes_from(examined.evidence.activity))
    diagnosis = _observed(examined)
    if examined.evidence.core_trouble is not None:
        return _inconclusive(diagnosis, examined, changes)
    if examined.breach is not None:
        return _breached(diagnosis, examined, examined.breach, changes, known_good)
    if doubts(examined.evidence, examined.service):
        return _inconclusive(diagnosis, examined, changes)
    return _healthy(diagnosis, examined)


def _examine(
    incident: Incident, service: Service, evidence: Evidence, now: datetime
) -> _Examination:
    requests = find_breaches(evidence, service)
    breaches = (
        *(requests or burn_breaches(evidence, service)),
        *part_breaches(evidence, service, now),
        *outcome_breaches(evidence),
        *quality_breaches(evidence, service),
    )
    return _Examination(
        incident=incident,
        service=service,
        evidence=evidence,
        breaches=breaches,
        findings=find_all(evidence, breaches, service, now),
        arrivals=_exact_arrivals(evidence),
        now=now,
    )


def _observed(examined: _Examination) -> Diagnosis:
    """What holds whatever the verdict: findings, burns, what was not answered, the traffic."""
    evidence = examined.evidence
    count = count_of(evidence.onset, Scope())
    return Diagnosis(
        incident=examined.incident.id,
        made_at=examined.now,
        health=Health.INCONCLUSIVE,
        sentence="",
        findings=examined.findings,
        burns=parse_burns(evidence.burn_rates, examined.service.slos),
        served_version=_mostly_served(_recent(evidence.onset)),
        requests=count.total,
        bad_requests=count.bad,
        bad_share=count.share,
        unanswered=unanswered(evidence),
    )


def _breached(
    diagnosis: Diagnosis,
    examined: _Examination,
    breach: Breach,
    changes: Sequence[Change],
    known_good: KnownGood | None,
) -> Diagnosis:
    inquiry = Inquiry(
        breach=breach,
        evidence=examined.evidence,
        service=examined.service,
        arrivals=examined.arrivals,
        known_good=known_good,
        now=examined.now,
    )
    attribution = attribute(inquiry)
    count = _customers(breach, diagnosis, examined.evidence)
    return msgspec.structs.replace(
        diagnosis,
        health=Health.BREACHED,
        sentence=_tell(examined, breach, attribution),
        breach=breach.kind.value,
        suspects=rank(changes, _scene(examined, breach, attribution)),
        attribution=attribution,
        onset_at=breach.at,
        served_version=_hurt_version(examined.evidence, breach) or diagnosis.served_version,
        affected=breach.affected,
        requests=count.total,
        bad_requests=count.bad,
        bad_share=count.share,
        regions_hit=breach.hit,
        ruled_out=attribution.ruled_out,
    )


def _inconclusive(
    diagnosis: Diagnosis, examined: _Examination, changes: Sequence[Change]
) -> Diagnosis:
    reasons = doubts(examined.evidence, examined.service)
    breach = examined.breach
    unknown = Attribution(cause=Cause.UNKNOWN, reasons=reasons)
    seen = _tell(examined, breach, Attribution(cause=Cause.UNKNOWN)) if breach else ""
    return msgspec.structs.replace(
        diagnosis,
        health=Health.INCONCLUSIVE,
        sentence=tell_inconclusive(reasons[0], seen),
        suspects=rank(changes, Scene(service=examined.service)),
        attribution=unknown,
    )


def _healthy(diagnosis: Diagnosis, examined: _Examination) -> Diagnosis:
    count = count_of(examined.evidence.onset, Scope())
    regions = sorted({row.region for row in examined.evidence.onset if row.region})
    ended = next((one for one in examined.breaches if one.ended_at), None)
    return msgspec.structs.replace(
        diagnosis,
        health=Health.HEALTHY,
        sentence=tell_recovered(ended) if ended else tell_healthy(count, regions),
        onset_at=ended.at if ended else None,
        attribution=Attribution(cause=Cause.NONE, reasons=("no objective is breached",)),
    )


def _tell(examined: _Examination, breach: Breach, attribution: Attribution) -> str:
    version = breach.versions[0] if len(breach.versions) == 1 else ""
    return tell_breach(
        breach, attribution, examined.arrivals.get(version), _part_sentence(examined, breach)
    )


def _part_sentence(examined: _Examination, breach: Breach) -> str:
    return next(
        (
            finding.sentence
            for finding in examined.findings
            if finding.signal is Sign.BAD
            and (finding.kind, finding.subject) == (breach.kind, breach.subject)
        ),
        "",
    )


def _scene(examined: _Examination, breach: Breach, attribution: Attribution) -> Scene:
    return Scene(
        service=examined.service,
        onset=breach.at,
        precision=breach.width,
        version=_hurt_version(examined.evidence, breach),
        regions=breach.regions,
        attribution=attribution,
    )


def _customers(breach: Breach, diagnosis: Diagnosis, evidence: Evidence) -> Count:
    """The customers' requests that the breach concerns; an old index spoils answers, not calls."""
    if breach.kind is BreachKind.INDEX:
        return Count(total=diagnosis.requests, bad=diagnosis.bad_requests)
    if breach.kind is BreachKind.LATENCY and breach.at is not None:
        slow = _slow_share(breach, evidence)
        return Count(total=breach.count.total, bad=round(breach.count.total * slow))
    return breach.count


def _slow_share(breach: Breach, evidence: Evidence) -> float:
    """The share of slow requests in the last minutes, for the narrowest slice that is measured."""
    slices = [("deployment", breach.versions), ("region", breach.regions), ("", ("",))]
    named = {(dimension, names[0]) for dimension, names in slices if len(names) == 1}
    slow = [
        Count(total=row.t5m, bad=row.b5m).share
        for row in evidence.burn_rates
        if row.sli == "latency" and (row.dimension, row.value) in named
    ]
    return max(slow, default=0.0)


def _hurt_version(evidence: Evidence, breach: Breach) -> str:
    rows = [row for row in evidence.onset if row.deployment in breach.versions]
    return _mostly_served([row for row in rows if breach.at is None or row.at >= breach.at])


def _mostly_served(rows: Sequence[OnsetRow]) -> str:
    served: Counter[str] = Counter()
    for row in rows:
        served[row.deployment] += row.total
    return served.most_common(1)[0][0] if served else ""


def _recent(rows: Sequence[OnsetRow]) -> list[OnsetRow]:
    newest = max((row.at for row in rows), default=None)
    width = bin_width(rows)
    return [row for row in rows if newest and row.at > newest - _RECENT_BINS * width]


def _exact_arrivals(evidence: Evidence) -> dict[str, Arrival]:
    """The arrivals, to the second where the versions' first requests are known."""
    width = bin_width(evidence.onset)
    first_seen = {
        name: [row.first_seen for row in evidence.versions if row.deployment == name]
        for name in {row.deployment for row in evidence.versions}
    }
    return {
        name: msgspec.structs.replace(
            arrival, at=refine(arrival.at, width, first_seen.get(name, [])) if arrival.at else None
        )
        for name, arrival in arrivals(evidence.onset).items()
    }
