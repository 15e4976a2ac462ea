"""Detection: which slices of the traffic are hurt, in the bins or in the burn rates.

Second step of the diagnosis. Each (deployment, region) is looked at alone, because a region that
fails by half hides in a total that looks green; where a single slice has too few requests, regions,
deployments and the total are looked at instead.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.diagnosis.breach import LEAST_COMPARED, Breach, BreachKind, Gauge, gauge_of
from shared.domain.diagnosis.burns import (
    WorstBurn,
    breach_share,
    burns_too_fast,
    parse_burns,
    worst_burn,
)
from shared.domain.diagnosis.evidence import Evidence
from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.onset import (
    Onset,
    Scope,
    bin_width,
    count_of,
    failures,
    find_onset,
    refine,
    series_of,
)
from shared.domain.diagnosis.proportions import NOTHING, Count, is_absent
from shared.domain.slos.slo import Sli

_LIKEWISE = 2
"""So many bad requests in a thin slice are taken with those of a slice that surely is hurt."""


class _Hurt(msgspec.Struct, frozen=True, kw_only=True):
    scope: Scope
    onset: Onset


_LEVELS: tuple[Callable[[OnsetRow], Scope], ...] = (
    lambda row: Scope(deployment=row.deployment, region=row.region),
    lambda row: Scope(region=row.region),
    lambda row: Scope(deployment=row.deployment),
    lambda _: Scope(),
)


def find_breaches(evidence: Evidence, service: Service) -> tuple[Breach, ...]:
    """Find what is wrong with the requests themselves, availability before latency."""
    kinds = (BreachKind.AVAILABILITY, BreachKind.LATENCY)
    found = [_find_breach(evidence, gauge_of(kind, service)) for kind in kinds]
    return tuple(breach for breach in found if breach is not None)


def burn_breaches(evidence: Evidence, service: Service) -> tuple[Breach, ...]:
    """A breach that only the burn rates show, because it is older than the bins of the onset."""
    burns = parse_burns(evidence.burn_rates, service.slos)
    requests = [burn for burn in burns if burn.sli != Sli.QUALITY]
    return _burn_breach(worst_burn(requests, service.policy), service)


def quality_breaches(evidence: Evidence, service: Service) -> tuple[Breach, ...]:
    """A breach of what judges say of the answers: only burn rates tell, labels come late."""
    burns = parse_burns(evidence.burn_rates, service.slos)
    judged = [burn for burn in burns if burn.sli == Sli.QUALITY]
    return _burn_breach(worst_burn(judged, service.policy), service)


def _burn_breach(worst: WorstBurn | None, service: Service) -> tuple[Breach, ...]:
    policy = service.policy
    if worst is None or not burns_too_fast(worst, policy):
        return ()
    total, bad, _ = worst.burn.windows[policy.long_window]
    value = (worst.burn.value,)
    return (
        Breach(
            kind=BreachKind(worst.burn.sli),
            versions=value if worst.burn.dimension == "deployment" else (),
            regions=value if worst.burn.dimension == "region" else (),
            hit=value if worst.burn.dimension == "region" else (),
            count=Count(total=total, bad=bad),
            threshold=breach_share(service, worst.burn.sli),
            subject=worst.burn.slo if worst.burn.sli == Sli.QUALITY else "",
        ),
    )


def _find_breach(evidence: Evidence, gauge: Gauge) -> Breach | None:
    """Take the finest level at which something is hurt now; else what was hurt and recovered."""
    recovered: list[_Hurt] = []
    for level in _LEVELS:
        hurt = _hurt(evidence.onset, level, gauge)
        running = [one for one in hurt if one.onset.ended_at is None]
        if running:
            return _breach(evidence, gauge, running)
        recovered = recovered or hurt
    return _breach(evidence, gauge, recovered) if recovered else None


def _hurt(
    rows: Sequence[OnsetRow], level: Callable[[OnsetRow], Scope], gauge: Gauge
) -> list[_Hurt]:
    hurt = []
    for scope, own in _split(rows, level).items():
        onset = find_onset(
            series_of(own, [Scope()], gauge.measure), gauge.threshold, gauge.least_bad
        )
        if onset is not None:
            hurt.append(_Hurt(scope=scope, onset=_ended_if_silent(onset, own, rows)))
    return hurt


def _split(
    rows: Sequence[OnsetRow], level: Callable[[OnsetRow], Scope]
) -> dict[Scope, list[OnsetRow]]:
    parts: dict[Scope, list[OnsetRow]] = {}
    for row in rows:
        parts.setdefault(level(row), []).append(row)
    return parts


def _ended_if_silent(onset: Onset, own: Sequence[OnsetRow], rows: Sequence[OnsetRow]) -> Onset:
    """A slice that surely takes no traffic any more hurts nobody any more."""
    if onset.ended_at is not None:
        return onset
    end = max(row.at for row in own) + bin_width(rows)
    served = count_of(own, Scope(), since=onset.at).total
    during = count_of(rows, Scope(), since=onset.at, until=end).total
    silent = is_absent(served / max(during, 1), count_of(rows, Scope(), since=end).total)
    return msgspec.structs.replace(onset, ended_at=end) if silent else onset


def _breach(evidence: Evidence, gauge: Gauge, hurt: Sequence[_Hurt]) -> Breach:
    rows = evidence.onset
    width = bin_width(rows)
    scopes = [one.scope for one in hurt]
    at = _began(rows, gauge, hurt)
    end = _ended(hurt)
    around = [row for row in rows if row.at >= at and (end is None or row.at < end)]
    scopes += _likewise(around, scopes, gauge)
    covered = _suffering(around, scopes, gauge)
    hit = _names(row.region for row in covered)
    versions = _names(row.deployment for row in covered)
    others = _other_regions(around, versions, hit)
    older = _older(rows, gauge, hit, versions)
    return Breach(
        kind=gauge.kind,
        versions=versions,
        fine_versions=_fine_versions(around, at, versions, hit, gauge),
        regions=hit if others else (),
        hit=hit,
        other_regions=tuple(sorted(others)),
        fine_regions=_names(name for name, part in others.items() if _is_fine(part, gauge)),
        at=older
        if older and older < at - width
        else refine(at, width, _first_failures(evidence, scopes, gauge)),
        ended_at=end,
        width=width,
        count=sum((failures(row) for row in covered), NOTHING),
        at_onset=sum((failures(row) for row in covered if row.at == at), NOTHING),
        threshold=gauge.threshold,
    )


def _suffering(rows: Sequence[OnsetRow], scopes: Sequence[Scope], gauge: Gauge) -> list[OnsetRow]:
    """The scopes' rows without those of versions that are fine there all the same."""
    covered = [row for row in rows if any(scope.covers(row) for scope in scopes)]
    parts = _split(covered, _LEVELS[2])
    hurt = {scope.deployment for scope, part in parts.items() if not _is_fine(part, gauge)}
    return [row for row in covered if row.deployment in hurt] or covered


def _likewise(rows: Sequence[OnsetRow], scopes: Sequence[Scope], gauge: Gauge) -> list[Scope]:
    """Slices of the same versions that fail as well, though of too few requests to be sure."""
    versions = {scope.deployment for scope in scopes if scope.deployment}
    own = [row for row in rows if row.deployment in versions]
    parts = {one: _measured(part, gauge) for one, part in _split(own, _LEVELS[0]).items()}
    return [
        scope
        for scope, count in parts.items()
        if scope not in scopes and count.bad >= _LIKEWISE and count.share >= gauge.threshold
    ]


def _began(rows: Sequence[OnsetRow], gauge: Gauge, hurt: Sequence[_Hurt]) -> datetime:
    pooled = series_of(rows, [one.scope for one in hurt], gauge.measure)
    onset = find_onset(pooled, gauge.threshold, gauge.least_bad)
    return onset.at if onset else min(one.onset.at for one in hurt)


def _ended(hurt: Sequence[_Hurt]) -> datetime | None:
    ends = [one.onset.ended_at for one in hurt if one.onset.ended_at is not None]
    return max(ends) if len(ends) == len(hurt) else None


def _older(
    rows: Sequence[OnsetRow], gauge: Gauge, hit: Sequence[str], versions: Sequence[str]
) -> datetime | None:
    """When the regions began to suffer under other versions, and did to the end of those."""
    others = [row for row in rows if row.region in hit and row.deployment not in versions]
    series = series_of(others, [Scope()], gauge.measure)
    onset = find_onset(series, gauge.threshold, gauge.least_bad)
    return onset.at if onset and onset.ended_at is None else None


def _first_failures(
    evidence: Evidence, scopes: Sequence[Scope], gauge: Gauge
) -> list[datetime | None]:
    if gauge.kind is not BreachKind.AVAILABILITY:
        return []
    return [
        part.first_failure
        for part in evidence.slices
        if any(
            scope.deployment in ("", part.deployment) and scope.region in ("", part.region)
            for scope in scopes
        )
    ]


def _other_regions(
    rows: Sequence[OnsetRow], versions: Sequence[str], hit: Sequence[str]
) -> dict[str, list[OnsetRow]]:
    """What the hurt versions serve elsewhere, by region."""
    own = [row for row in rows if row.deployment in versions and row.region not in hit]
    return {scope.region: part for scope, part in _split(own, _LEVELS[1]).items()}


def _fine_versions(
    rows: Sequence[OnsetRow],
    at: datetime,
    versions: Sequence[str],
    hit: Sequence[str],
    gauge: Gauge,
) -> tuple[str, ...]:
    """Who serves the same regions well at the same time.

    In the onset's own bin it may have served before it began, as a predecessor does that has left:
    once there is more, that bin proves nothing.
    """
    later = [row for row in rows if row.at > at] or rows
    own = [row for row in later if row.deployment not in versions and row.region in hit]
    parts = _split(own, _LEVELS[2])
    return _names(scope.deployment for scope, part in parts.items() if _is_fine(part, gauge))


def _is_fine(rows: Sequence[OnsetRow], gauge: Gauge) -> bool:
    requests = sum(row.total for row in rows)
    measured = _measured(rows, gauge)
    return requests >= LEAST_COMPARED and measured.total > 0 and measured.share < gauge.threshold


def _measured(rows: Iterable[OnsetRow], gauge: Gauge) -> Count:
    return sum((gauge.measure(row) for row in rows), NOTHING)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
