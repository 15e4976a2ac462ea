"""Whose fault it is: only a version's own fault can be cured by moving the traffic away from it.

Fifth step of the diagnosis. The rules are asked in this order and the first that applies wins:

1. an index is older than the service allows             -> INDEX, named
2. all versions of a region fail alike, others are fine  -> REGION, named; UNKNOWN as long as
   nobody can tell a region that is lost from a target that refuses there
3. targets answer 429 or 5xx to every version            -> UPSTREAM, named
4. one tool fails for every version                      -> DEPENDENCY, named
5. all versions fail alike, everywhere                   -> DEPENDENCY, shared by all
6. the version that is hurt is the known good itself     -> NONE (or the tool at fault)
7. it began before the version took traffic              -> UNKNOWN
8. only this version fails, another serves the same well -> VERSION
9. it began soon after the version took traffic, its predecessor was fine in the same slice,
   rules 1 and 3 could be answered, and hardly any of its calls was refused -> VERSION
10. otherwise                                            -> UNKNOWN, with a tool at fault DEPENDENCY

A rule that does not apply leaves a sentence that says what it ruled out, and one that could not be
answered leaves a doubt. What probes say is not known here; the executor weighs it in `decide`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.diagnosis.breach import LEAST_COMPARED
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Ground
from shared.domain.diagnosis.inquiry import (
    Inquiry,
    NotIt,
    arrived_at,
    blame,
    guilty_tools,
    measured,
    refusals,
    serve_beside,
    slice_rows,
    tool_sentence,
)
from shared.domain.diagnosis.phrases import clock, listing, span, verb, within
from shared.domain.diagnosis.shared_causes import (
    alike_everywhere,
    region_out,
    stale_index,
    tool_failing,
    upstream_failing,
)

ARRIVAL_MARGIN = timedelta(minutes=30)
"""A breach that begins later than this after a version's arrival is not put down to the arrival."""

type Rule = Callable[[Inquiry], Attribution | NotIt]


def attribute(inquiry: Inquiry) -> Attribution:
    """Ask the rules in their order and answer the first cause that applies."""
    ruled_out: list[str] = []
    doubts: list[str] = []
    for rule in _RULES:
        answer = rule(inquiry)
        if isinstance(answer, Attribution):
            return msgspec.structs.replace(answer, ruled_out=tuple(ruled_out))
        ruled_out += [answer.ruled_out] if answer.ruled_out else []
        doubts += [answer.doubt] if answer.doubt else []
    found = _by_arrival(inquiry, doubts)
    return msgspec.structs.replace(found, ruled_out=tuple(ruled_out))


def _known_good(inquiry: Inquiry) -> Attribution | NotIt:
    good = inquiry.known_good.deployment if inquiry.known_good else ""
    if not good or good not in inquiry.breach.versions:
        return NotIt()
    tools = guilty_tools(inquiry)
    reason = f"{good} is the known good itself: no move of traffic would cure it"
    if tools:
        name = tools[0].subject
        return blame(Cause.DEPENDENCY, tool_sentence(tools[0]), reason, dependency=name)
    return blame(Cause.NONE, reason)


def _began_before(inquiry: Inquiry) -> Attribution | NotIt:
    """The slice failed before the version that is hurt now took traffic."""
    arrived = arrived_at(inquiry)
    began = inquiry.breach.at
    if arrived is None or began is None:
        return NotIt()
    if began < arrived - inquiry.breach.width:
        early = f"it began at {clock(began)}, before {inquiry.version} took traffic"
        return blame(Cause.UNKNOWN, f"{early} at {clock(arrived)}")
    return NotIt(ruled_out=f"older trouble: all was fine before {clock(began)}")


def _confined(inquiry: Inquiry) -> Attribution | NotIt:
    breach = inquiry.breach
    if not inquiry.version or not serve_beside(inquiry, breach.fine_versions):
        return NotIt()
    only = f"only {inquiry.version} fails{within(breach.hit if breach.regions else ())}"
    fine = f"{listing(breach.fine_versions)} {verb(breach.fine_versions, 'serves', 'serve')}"
    well = f"{fine} the same well"
    found = blame(Cause.VERSION, only, well, refusals(inquiry), version=inquiry.version)
    also = () if _against_arrival(inquiry) else (Ground.ONSET,)
    return msgspec.structs.replace(found, grounds=(*also, Ground.CONTRAST))


_RULES: tuple[Rule, ...] = (
    stale_index,
    region_out,
    upstream_failing,
    tool_failing,
    alike_everywhere,
    _known_good,
    _began_before,
    _confined,
)


def _by_arrival(inquiry: Inquiry, doubts: Sequence[str]) -> Attribution:
    """Rules 9 and 10: put it down to the version's arrival, if nothing speaks against it."""
    against = _against_arrival(inquiry) or "; ".join(doubts)
    arrived = arrived_at(inquiry)
    if against or arrived is None:
        return _not_attributed(inquiry, against)
    version = inquiry.version
    if inquiry.breach.at is None:
        reason = f"it came with {version}, which took traffic at {clock(arrived)}"
    else:
        delay = span(max((inquiry.breach.at - arrived).total_seconds(), 0))
        reason = f"it began {delay} after {version} took traffic at {clock(arrived)}"
    fine = "its predecessor was fine in the same slice"
    found = blame(Cause.VERSION, reason, fine, refusals(inquiry), version=version)
    return msgspec.structs.replace(found, grounds=(Ground.ONSET,))


def _against_arrival(inquiry: Inquiry) -> str:
    """Why the breach cannot be put down to an arrival; "" where it can."""
    breach = inquiry.breach
    arrived = arrived_at(inquiry)
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
    # The bin of the arrival may hold bad requests of the version itself.
    others = [row for row in slice_rows(inquiry) if row.deployment != inquiry.version]
    rows = [row for row in others if row.at < arrived]
    requests = sum(row.total for row in rows)
    if requests < LEAST_COMPARED:
        return f"the predecessor served {requests} requests in the slice, too few to compare"
    if breach.at is None and not breach.fine_versions:
        return "no other version is known to be fine"
    before = measured(inquiry, rows)
    fine = before.total > 0 and before.share < breach.threshold
    return "" if fine else "the predecessor was no better in the same slice"


def _not_attributed(inquiry: Inquiry, against: str) -> Attribution:
    tools = guilty_tools(inquiry)
    if tools:
        name = tools[0].subject
        return blame(Cause.DEPENDENCY, tool_sentence(tools[0]), against, dependency=name)
    return blame(Cause.UNKNOWN, against)
