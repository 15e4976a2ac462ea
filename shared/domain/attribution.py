"""Whose fault it is: only a version's own fault can be cured by moving the traffic away from it.

Fifth step of the diagnosis. The rules are asked in this order and the first that applies wins:

1. an index is older than the service allows             -> INDEX, named
2. all versions of a region fail alike, others are fine  -> REGION, named
3. one target answers 429 or 5xx to every version        -> UPSTREAM, named
4. one tool fails for every version                      -> DEPENDENCY, named
5. all versions fail alike, everywhere                   -> DEPENDENCY, shared by all
6. the version that is hurt is the known good itself     -> NONE (or the tool at fault)
7. it began before the version took traffic              -> UNKNOWN
8. only this version fails, another serves the same well -> VERSION
9. it began soon after the version took traffic, its predecessor was fine in the same slice, and
   rules 1 and 3 could be answered                       -> VERSION
10. otherwise                                            -> UNKNOWN, with a tool at fault DEPENDENCY

A rule that does not apply leaves a sentence that says what it ruled out, and one that could not be
answered leaves a doubt. What probes say is not known here; the executor weighs it in `decide`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.breach import LEAST_COMPARED, Breach, BreachKind, gauge_of
from shared.domain.catalog import Service
from shared.domain.diagnosis import Attribution, Cause
from shared.domain.measurements import Evidence, OnsetRow
from shared.domain.onset import LEAST_BAD, Arrival, Scope, count_of
from shared.domain.parts import (
    UNAVAILABLE_CODES,
    Contrast,
    Upstream,
    index_age_s,
    stale_indexes,
    tool_contrasts,
    upstreams,
)
from shared.domain.phrases import clock, listing, span, verb, within
from shared.domain.proportions import NOTHING, Count, z_score
from shared.domain.release import KnownGood
from shared.domain.wording import share

ARRIVAL_MARGIN = timedelta(minutes=30)
"""A breach that begins later than this after a version's arrival is not put down to the arrival."""

LEAST_EXPLAINED = 0.5
"""The share of the bad requests that a failing part must explain to be their cause."""

_OUTAGE_SHARE = 0.9
_LEAST_Z = 3.3


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """All that the rules may look at. `breach` is the one that the diagnosis is about."""

    breach: Breach
    evidence: Evidence
    service: Service
    arrivals: Mapping[str, Arrival]
    known_good: KnownGood | None
    now: datetime

    @property
    def version(self) -> str:
        """The one version that is hurt; "" where there are several or none is known."""
        return self.breach.versions[0] if len(self.breach.versions) == 1 else ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says: a cause, or what it rules out, or what it could not find out."""

    found: Attribution | None = None
    ruled_out: str = ""
    doubt: str = ""


type Rule = Callable[[Inquiry], Answer]


def attribute(inquiry: Inquiry) -> Attribution:
    """Ask the rules in their order and answer the first cause that applies."""
    ruled_out: list[str] = []
    doubts: list[str] = []
    for rule in _RULES:
        answer = rule(inquiry)
        if answer.found is not None:
            return msgspec.structs.replace(answer.found, ruled_out=tuple(ruled_out))
        ruled_out += [answer.ruled_out] if answer.ruled_out else []
        doubts += [answer.doubt] if answer.doubt else []
    found = _by_arrival(inquiry, doubts)
    return msgspec.structs.replace(found, ruled_out=tuple(ruled_out))


def _index(inquiry: Inquiry) -> Answer:
    stale = stale_indexes(inquiry.evidence, inquiry.service, inquiry.now)
    allowed = span(inquiry.service.index_max_age_s)
    if stale:
        age = span(index_age_s(stale[0], inquiry.now))
        reason = f"{stale[0].index} is {age} old, {allowed} are allowed"
        return _found(Cause.INDEX, reason, dependency=stale[0].index)
    ages = [
        f"{row.index} is {span(index_age_s(row, inquiry.now))} old"
        for row in inquiry.evidence.index_freshness
    ]
    if ages:
        return Answer(ruled_out=f"index fresh: {listing(ages)}")
    return _unanswered_index(inquiry)


def _unanswered_index(inquiry: Inquiry) -> Answer:
    trouble = inquiry.evidence.trouble("index_freshness")
    wanted = [part.name for part in inquiry.service.dependencies if part.kind == "index"]
    if trouble is None or (trouble.empty and not wanted):
        return Answer(ruled_out="index: the service has none")
    return Answer(doubt=f"whether the index is fresh is not known: {trouble.sentence}")


def _region(inquiry: Inquiry) -> Answer:
    breach = inquiry.breach
    if not breach.regions:
        return Answer(ruled_out="region: it does not depend on the region")
    where = listing(breach.regions)
    throttled = any(up.code == "429" for up in _guilty_upstreams(inquiry))
    if _alike(inquiry) and breach.fine_regions and not throttled:
        both = f"all versions fail alike in {where}: {_shares(inquiry)}"
        fine = f"{listing(breach.fine_regions)} {verb(breach.fine_regions, 'is', 'are')} fine"
        return _found(Cause.REGION, both, fine, dependency=where)
    if _out(inquiry):
        reason = f"{share(breach.count.share)} of the requests fail in {where}"
        upstream = _guilty_upstreams(inquiry)[0].sentence
        return _found(Cause.REGION, upstream, reason, dependency=where)
    return Answer(ruled_out=_not_the_region(breach, where))


def _not_the_region(breach: Breach, where: str) -> str:
    if breach.fine_versions:
        return f"region: {listing(breach.fine_versions)} serves {where} well"
    return f"region: {where} is not out, {share(1 - breach.count.share)} of the requests succeed"


def _out(inquiry: Inquiry) -> bool:
    guilty = _guilty_upstreams(inquiry)
    breach = inquiry.breach
    whole = breach.count.share >= _OUTAGE_SHARE and not breach.fine_versions
    return whole and bool(breach.fine_regions) and bool(guilty) and guilty[0].code != "429"


def _upstream(inquiry: Inquiry) -> Answer:
    guilty = _guilty_upstreams(inquiry)
    if guilty:
        target = guilty[0].contrast.subject
        return _found(Cause.UPSTREAM, guilty[0].sentence, dependency=target)
    trouble = inquiry.evidence.trouble("dependencies")
    if trouble is not None and not trouble.empty:
        return Answer(doubt=f"whether a target throttles is not known: {trouble.sentence}")
    return Answer(ruled_out="upstream: no target answers 429 or 5xx to all versions")


def _guilty_upstreams(inquiry: Inquiry) -> list[Upstream]:
    """The targets that explain the breach: alike for every version that calls them now."""
    several = len(inquiry.breach.versions) > 1
    return [
        upstream
        for upstream in upstreams(inquiry.evidence, inquiry.breach.threshold)
        if _explains(inquiry, upstream.contrast) and (several or upstream.code in UNAVAILABLE_CODES)
    ]


def _tool(inquiry: Inquiry) -> Answer:
    guilty = _guilty_tools(inquiry)
    if guilty and len(inquiry.breach.versions) > 1:
        return _found(Cause.DEPENDENCY, _tool_sentence(guilty[0]), dependency=guilty[0].subject)
    return Answer(ruled_out="tools: none fails for all versions")


def _guilty_tools(inquiry: Inquiry) -> list[Contrast]:
    tools = tool_contrasts(inquiry.evidence)
    return [tool for tool in tools if _explains(inquiry, tool)]


def _tool_sentence(tool: Contrast) -> str:
    calls = f"{share(tool.count.share)} of {tool.count.total} calls"
    return f"{tool.subject} fails {calls} of {listing(tool.hurt)}"


def _everywhere(inquiry: Inquiry) -> Answer:
    if not _alike(inquiry):
        return Answer()
    breach = inquiry.breach
    reason = f"all versions fail alike{within(breach.regions)}: {_shares(inquiry)}"
    return _found(Cause.DEPENDENCY, reason, "it is something that they share")


def _known_good(inquiry: Inquiry) -> Answer:
    good = inquiry.known_good.deployment if inquiry.known_good else ""
    if not good or good not in inquiry.breach.versions:
        return Answer()
    tools = _guilty_tools(inquiry)
    reason = f"{good} is the known good itself: no move of traffic would cure it"
    if tools:
        name = tools[0].subject
        return _found(Cause.DEPENDENCY, _tool_sentence(tools[0]), reason, dependency=name)
    return _found(Cause.NONE, reason)


def _began_before(inquiry: Inquiry) -> Answer:
    """The slice failed before the version that is hurt now took traffic."""
    arrived = _arrived_at(inquiry)
    began = inquiry.breach.at
    if arrived is None or began is None:
        return Answer()
    if began < arrived - inquiry.breach.width:
        early = f"it began at {clock(began)}, before {inquiry.version} took traffic"
        return _found(Cause.UNKNOWN, f"{early} at {clock(arrived)}")
    return Answer(ruled_out=f"older trouble: all was fine before {clock(began)}")


def _confined(inquiry: Inquiry) -> Answer:
    breach = inquiry.breach
    if not inquiry.version or not _serving(inquiry, breach.fine_versions):
        return Answer()
    only = f"only {inquiry.version} fails{within(breach.hit if breach.regions else ())}"
    fine = f"{listing(breach.fine_versions)} {verb(breach.fine_versions, 'serves', 'serve')}"
    return _found(Cause.VERSION, only, f"{fine} the same well", version=inquiry.version)


_RULES: tuple[Rule, ...] = (
    _index,
    _region,
    _upstream,
    _tool,
    _everywhere,
    _known_good,
    _began_before,
    _confined,
)


def _by_arrival(inquiry: Inquiry, doubts: Sequence[str]) -> Attribution:
    """Rules 9 and 10: put it down to the version's arrival, if nothing speaks against it."""
    against = _against_arrival(inquiry) or "; ".join(doubts)
    arrived = _arrived_at(inquiry)
    if against or arrived is None:
        return _not_attributed(inquiry, against)
    version = inquiry.version
    if inquiry.breach.at is None:
        reason = f"it came with {version}, which took traffic at {clock(arrived)}"
    else:
        delay = span(max((inquiry.breach.at - arrived).total_seconds(), 0))
        reason = f"it began {delay} after {version} took traffic at {clock(arrived)}"
    fine = "its predecessor was fine in the same slice"
    return Attribution(cause=Cause.VERSION, version=version, reasons=(reason, fine))


def _against_arrival(inquiry: Inquiry) -> str:
    """Why the breach cannot be put down to an arrival; "" where it can."""
    breach = inquiry.breach
    arrived = _arrived_at(inquiry)
    if not inquiry.version:
        return f"no single version is hurt: {listing(breach.versions) or 'none is known'}"
    if arrived is None:
        return f"{inquiry.version} already served before the data begin, nothing to compare with"
    # Without an onset the breach is at most as old as the version.
    delay = (breach.at or inquiry.now) - arrived
    if delay > ARRIVAL_MARGIN:
        return f"the version had served for {span(delay.total_seconds())} when it began"
    return _against_predecessor(inquiry, arrived)


def _against_predecessor(inquiry: Inquiry, arrived: datetime) -> str:
    breach = inquiry.breach
    rows = [row for row in _slice(inquiry) if row.at < arrived]
    requests = sum(row.total for row in rows)
    if requests < LEAST_COMPARED:
        return f"the predecessor served {requests} requests in the slice, too few to compare"
    if breach.at is None and not breach.fine_versions:
        return "no other version is known to be fine"
    if _measured(inquiry, rows).share >= breach.threshold:
        return "the predecessor was no better in the same slice"
    return ""


def _not_attributed(inquiry: Inquiry, against: str) -> Attribution:
    tools = _guilty_tools(inquiry)
    if tools:
        name = tools[0].subject
        found = _found(Cause.DEPENDENCY, _tool_sentence(tools[0]), against, dependency=name).found
    else:
        found = _found(Cause.UNKNOWN, against).found
    assert found is not None
    return found


def _slice(inquiry: Inquiry) -> list[OnsetRow]:
    """The bins of the regions that are hit, whichever version served."""
    regions = inquiry.breach.regions
    return [row for row in inquiry.evidence.onset if not regions or row.region in regions]


def _measured(inquiry: Inquiry, rows: Iterable[OnsetRow]) -> Count:
    measure = gauge_of(inquiry.breach.kind, inquiry.service).measure
    return sum((measure(row) for row in rows), NOTHING)


def _arrived_at(inquiry: Inquiry) -> datetime | None:
    arrival = inquiry.arrivals.get(inquiry.version)
    return arrival.at if arrival else None


def _alike(inquiry: Inquiry) -> bool:
    """Whether several versions are hurt, none is fine, and none is hurt far more than another."""
    breach = inquiry.breach
    if len(breach.versions) < 2 or breach.fine_versions:
        return False
    counts = [_since_onset(inquiry, version) for version in breach.versions]
    counts.sort(key=lambda count: count.share)
    mildest, worst = counts[0], counts[-1]
    return worst.share <= 2 * mildest.share or z_score(worst, mildest) < _LEAST_Z


def _shares(inquiry: Inquiry) -> str:
    versions = inquiry.breach.versions
    return listing([f"{name} {share(_since_onset(inquiry, name).share)}" for name in versions])


def _since_onset(inquiry: Inquiry, version: str) -> Count:
    since = inquiry.breach.at
    rows = [row for row in _slice(inquiry) if row.deployment == version]
    return _measured(inquiry, [row for row in rows if since is None or row.at >= since])


def _explains(inquiry: Inquiry, part: Contrast) -> bool:
    """Whether the part fails often enough for every version that is hurt, and for no fine one."""
    breach = inquiry.breach
    if not breach.versions or breach.fine_versions:
        return False
    if breach.kind is not BreachKind.AVAILABILITY:
        return set(breach.versions) <= set(part.hurt)
    failing = {name: part.counts.get(name, NOTHING).bad for name in breach.versions}
    return all(
        bad >= LEAST_BAD and bad >= LEAST_EXPLAINED * _since_onset(inquiry, name).bad
        for name, bad in failing.items()
    )


def _serving(inquiry: Inquiry, versions: Sequence[str]) -> bool:
    """Whether one of the versions serves beside the hurt one, so that it would suffer as well."""
    since = inquiry.breach.at or _arrived_at(inquiry)
    rows = inquiry.evidence.onset
    served = (count_of(rows, Scope(deployment=name), since=since).total for name in versions)
    return any(total >= LEAST_COMPARED for total in served)


def _found(cause: Cause, *reasons: str, version: str = "", dependency: str = "") -> Answer:
    said = tuple(reason for reason in reasons if reason)
    return Answer(
        found=Attribution(cause=cause, version=version, dependency=dependency, reasons=said)
    )
