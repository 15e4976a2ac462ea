"""Causes that all versions share: no move of traffic between versions cures them.

The first half of the rules of `attribution`, in its order: an old index, a region, an upstream
target, a tool, and whatever else makes all versions fail alike.
"""

from shared.domain.diagnosis.breach import OUTAGE_SHARE, Breach
from shared.domain.diagnosis.diagnosis import Attribution, Cause
from shared.domain.diagnosis.inquiry import (
    Inquiry,
    NotIt,
    are_alike,
    blame,
    fine_elsewhere,
    guilty_tools,
    shares,
    tool_sentence,
)
from shared.domain.diagnosis.parts import index_age_s, stale_indexes
from shared.domain.diagnosis.phrases import listing, span, verb, within
from shared.domain.diagnosis.refusals import guilty_upstreams, refusal, silent_calls
from shared.domain.wording import share


def stale_index(inquiry: Inquiry) -> Attribution | NotIt:
    """An index is older than the service allows: no version can answer well from it."""
    stale = stale_indexes(inquiry.evidence, inquiry.service, inquiry.now)
    allowed = span(inquiry.service.index_max_age_s)
    if stale:
        age = span(index_age_s(stale[0], inquiry.now))
        reason = f"{stale[0].index} is {age} old, {allowed} are allowed"
        return blame(Cause.INDEX, reason, dependency=stale[0].index)
    ages = [
        f"{row.index} is {span(index_age_s(row, inquiry.now))} old"
        for row in inquiry.evidence.index_freshness
    ]
    if ages:
        return NotIt(ruled_out=f"index fresh: {listing(ages)}")
    return _unanswered_index(inquiry)


def _unanswered_index(inquiry: Inquiry) -> Attribution | NotIt:
    trouble = inquiry.evidence.trouble("index_freshness")
    wanted = [part.name for part in inquiry.service.dependencies if part.kind == "index"]
    if trouble is None or (trouble.empty and not wanted):
        return NotIt(ruled_out="index: the service has none")
    return NotIt(doubt=f"whether the index is fresh is not known: {trouble.sentence}")


def region_out(inquiry: Inquiry) -> Attribution | NotIt:
    """A region fails whichever version serves it, while the others are fine."""
    breach = inquiry.breach
    if not breach.regions:
        return NotIt(ruled_out="region: it does not depend on the region")
    where = listing(breach.regions)
    throttled = any(up.code == "429" for up in guilty_upstreams(inquiry))
    if are_alike(inquiry) and breach.fine_regions and not throttled:
        both = f"all versions fail alike in {where}: {shares(inquiry)}"
        fine = f"{listing(breach.fine_regions)} {verb(breach.fine_regions, 'is', 'are')} fine"
        return blame(Cause.REGION, both, fine, dependency=where)
    if _refused_here_alone(inquiry):
        return _lost(inquiry, where)
    return NotIt(ruled_out=_not_the_region(breach, where))


def _lost(inquiry: Inquiry, where: str) -> Attribution | NotIt:
    """Whether the region is lost, or only what is called there refuses a part."""
    breach, upstream = inquiry.breach, guilty_upstreams(inquiry)[0].sentence
    if breach.settled.share >= OUTAGE_SHARE:
        reason = f"{share(breach.settled.share)} of the requests fail in {where}"
        return blame(Cause.REGION, upstream, reason, dependency=where)
    if breach.has_just_begun:
        lately = f"{where} began to fail too lately to tell whether all of it is lost"
        return blame(Cause.UNKNOWN, lately, upstream)
    return NotIt(ruled_out=_not_the_region(breach, where))


def _not_the_region(breach: Breach, where: str) -> str:
    if breach.fine_versions:
        return f"region: {listing(breach.fine_versions)} serves {where} well"
    return f"region: {where} is not out, {share(1 - breach.settled.share)} of the requests succeed"


def _refused_here_alone(inquiry: Inquiry) -> bool:
    """Whether what is called fails for everybody in the region, and nowhere else."""
    guilty = guilty_upstreams(inquiry)
    alone = not inquiry.breach.fine_versions and fine_elsewhere(inquiry)
    return alone and bool(guilty) and guilty[0].code != "429"


def upstream_failing(inquiry: Inquiry) -> Attribution | NotIt:
    """A target that all versions call answers that it cannot."""
    guilty = guilty_upstreams(inquiry)
    if guilty:
        target = guilty[0].contrast.subject
        return blame(Cause.UPSTREAM, guilty[0].sentence, dependency=target)
    unknown = _unknown_calls(inquiry)
    if unknown:
        return NotIt(doubt=f"whether a target throttles is not known: {unknown}")
    refused = refusal(inquiry)
    if refused:
        return NotIt(doubt=f"{refused}, though that does not explain all that fails")
    return NotIt(ruled_out="upstream: no target answers 429 or 5xx to all versions")


def _unknown_calls(inquiry: Inquiry) -> str:
    """Why nobody can say what the targets answered, or ""; no rows are no good answers either."""
    trouble = inquiry.evidence.trouble("dependencies")
    return trouble.sentence if trouble is not None else silent_calls(inquiry)


def tool_failing(inquiry: Inquiry) -> Attribution | NotIt:
    """A tool fails for several versions alike."""
    guilty = guilty_tools(inquiry)
    if guilty and len(inquiry.breach.versions) > 1:
        return blame(Cause.DEPENDENCY, tool_sentence(guilty[0]), dependency=guilty[0].subject)
    return NotIt(ruled_out="tools: none fails for all versions")


def alike_everywhere(inquiry: Inquiry) -> Attribution | NotIt:
    """All versions fail alike for a reason that is not named: still no version's own."""
    if not are_alike(inquiry):
        return NotIt()
    breach = inquiry.breach
    reason = f"all versions fail alike{within(breach.regions)}: {shares(inquiry)}"
    return blame(Cause.DEPENDENCY, reason, "it is something that they share")
