"""When it began: the change point of a breach, and when each version arrived.

Works on the bins of the query `onset`. The onset of a slice is the bin from which on its bad
share lies above the threshold with the strongest evidence, over all that follows. One early error
cannot move it: taking in the good requests around it would weaken the evidence. A slice may
also have recovered; then the onset has an end, and what comes after it is looked at by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

import msgspec

from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.proportions import (
    NOTHING,
    SURE,
    Count,
    evidence_above,
    evidence_below,
    is_absent,
)

LEAST_BAD = 5
"""Fewer bad requests than this are never a breach, whatever their share."""

SLOW_BINS = 0.2
"""The share of slow bins from which a slice counts as slow."""

_GAP_FACTOR = 4
_LEAST_FOR_P95 = 5  # a 95th percentile of fewer requests is just the slowest one
_DEFAULT_WIDTH = timedelta(minutes=1)

type Series = Sequence[tuple[datetime, Count]]
type Measure = Callable[[OnsetRow], Count]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of the traffic; "" stands for any."""

    deployment: str = ""
    region: str = ""

    def covers(self, row: OnsetRow) -> bool:
        """Whether the row belongs to the slice."""
        return self.deployment in ("", row.deployment) and self.region in ("", row.region)


class Onset(msgspec.Struct, frozen=True, kw_only=True):
    """When a breach began, when it ended if it has, and what was counted since it began."""

    at: datetime
    ended_at: datetime | None = None
    count: Count = NOTHING


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """When a deployment began to take traffic; None where it already did as the data begin."""

    deployment: str
    at: datetime | None = None


def failures(row: OnsetRow) -> Count:
    """Measure availability: the requests of a bin, and those that failed."""
    return Count(total=row.total, bad=row.failed)


def slowness(threshold_ms: float) -> Measure:
    """Measure latency: a bin counts once, as bad where its 95th percentile is too slow."""

    def measure(row: OnsetRow) -> Count:
        if row.p95_ms is None or row.total < _LEAST_FOR_P95:
            return NOTHING
        return Count(total=1, bad=int(row.p95_ms > threshold_ms))

    return measure


def series_of(rows: Iterable[OnsetRow], scopes: Iterable[Scope], measure: Measure) -> Series:
    """Fold the rows of the scopes into one count a bin, oldest first."""
    wanted = tuple(scopes)
    bins: dict[datetime, Count] = {}
    for row in rows:
        if any(scope.covers(row) for scope in wanted):
            counted, was = measure(row), bins.get(row.at)
            bins[row.at] = counted if was is None else was + counted
    return sorted(bins.items())


def count_of(
    rows: Iterable[OnsetRow],
    scope: Scope,
    measure: Measure = failures,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Count:
    """Count a scope's requests in the bins from `since` up to, but without, `until`."""
    counts = (
        measure(row)
        for row in rows
        if scope.covers(row)
        and (since is None or row.at >= since)
        and (until is None or row.at < until)
    )
    return sum(counts, NOTHING)


def find_onset(series: Series, threshold: float, least_bad: int = LEAST_BAD) -> Onset | None:
    """Find when the breach began that is on, else the latest that ended; None where none is."""
    found = _strongest(series, threshold, least_bad)
    if found is None or found.ended_at is None:
        return found
    # What ended may have been so bad that what began since is little beside it.
    later = [point for point in series if point[0] >= found.ended_at]
    return find_onset(later, threshold, least_bad) or found


def arrivals(rows: Sequence[OnsetRow]) -> dict[str, Arrival]:
    """When each deployment (last) began to take traffic, by its name."""
    names = sorted({row.deployment for row in rows})
    return {name: Arrival(deployment=name, at=_arrival(name, rows)) for name in names}


def bin_width(rows: Iterable[OnsetRow]) -> timedelta:
    """The bins' width, as the smallest step between two; one minute where there are not two."""
    times = sorted({row.at for row in rows})
    return min((late - early for early, late in pairwise(times)), default=_DEFAULT_WIDTH)


def refine(at: datetime, width: timedelta, moments: Iterable[datetime | None]) -> datetime:
    """The first of the exact moments that fall into the bin, else the bin's beginning."""
    inside = [moment for moment in moments if moment and at <= moment < at + width]
    return min(inside, default=at)


def _strongest(series: Series, threshold: float, least_bad: int) -> Onset | None:
    tails = _tails(series)
    if not tails:
        return None
    at, count = max(tails, key=lambda tail: evidence_above(tail[1], threshold))
    if count.bad < least_bad or evidence_above(count, threshold) < SURE:
        return None
    since = [point for point in series if point[0] >= at]
    return Onset(at=at, ended_at=_end(since, count.share, threshold), count=count)


def _tails(series: Series) -> list[tuple[datetime, Count]]:
    # For every bin, what was counted from it to the end.
    newest_first = list(reversed(series))
    counts = accumulate((count for _, count in newest_first), Count.__add__)
    return [(at, count) for (at, _), count in zip(newest_first, counts, strict=True)]


def _end(since: Series, share: float, threshold: float) -> datetime | None:
    below = [tail for tail in _tails(since) if tail[1].share < threshold]
    if not below:
        return None
    at, count = max(below, key=lambda tail: evidence_below(tail[1], share))
    return at if evidence_below(count, share) >= SURE else None


def _arrival(name: str, rows: Sequence[OnsetRow]) -> datetime | None:
    """The latest moment before which the deployment was surely absent while others served."""
    own = series_of(rows, [Scope(deployment=name)], failures)
    every = series_of(rows, [Scope()], failures)
    totals = dict(every)
    through = _running_totals(every)
    mine = _running_totals(own)
    last_at, _ = own[-1]
    arrived = None
    seen_through = 0
    for at, count in own:
        before = through[at] - totals[at].total
        served = mine[last_at] - mine[at] + count.total
        share = served / max(through[last_at] - before, 1)
        # A gap between two requests is looked at so often that chance makes long ones.
        gap = before - seen_through
        if is_absent(share, gap if not seen_through else gap // _GAP_FACTOR):
            arrived = at
        seen_through = through[at]
    return arrived


def _running_totals(series: Series) -> dict[datetime, int]:
    totals = accumulate(count.total for _, count in series)
    return dict(zip((at for at, _ in series), totals, strict=True))
