"""The one sentence that a commander reads first, in plain words.

Last step of the diagnosis: what is hurt, where, since when, what is fine, and what was ruled out.
The cards and pages repeat it as it is.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.diagnosis.attribution import ARRIVAL_MARGIN
from shared.domain.diagnosis.breach import Breach, BreachKind
from shared.domain.diagnosis.diagnosis import Attribution, Cause
from shared.domain.diagnosis.onset import Arrival
from shared.domain.diagnosis.phrases import clock, listing, span, verb
from shared.domain.diagnosis.proportions import Count
from shared.domain.wording import share


def tell_breach(
    breach: Breach, attribution: Attribution, arrival: Arrival | None, finding: str
) -> str:
    """What is wrong; `finding` is the sentence of the bad finding for breaches of parts."""
    said = [
        _what(breach, finding) + _after_arrival(breach, arrival),
        _elsewhere(breach),
        _beside(breach),
        _why(attribution, finding),
    ]
    return "; ".join(part for part in said if part) + "."


def tell_recovered(breach: Breach) -> str:
    """What was wrong and has ended by itself or by somebody's hand."""
    who = listing(breach.versions) or "the service"
    how = "was too slow"
    if breach.kind is BreachKind.AVAILABILITY:
        how = f"failed {share(breach.count.share)} of requests"
    times = [clock(moment) for moment in (breach.at, breach.ended_at) if moment]
    return f"All is well again: {who} {how}{_where(breach)} from {' to '.join(times)}."


def tell_healthy(count: Count, regions: Sequence[str]) -> str:
    """That nothing is wrong, and what this rests on."""
    where = f" in {listing(regions)}" if regions else ""
    return f"Requests are in order: {count.bad} of {count.total} failed{where}."


def tell_inconclusive(reason: str, seen: str = "") -> str:
    """That it could not be found out, and what is known nevertheless."""
    known = f" What is known: {seen}" if seen else ""
    return f"Cannot tell whether customers are hurt: {reason}.{known}"


def _what(breach: Breach, finding: str) -> str:
    who = listing(breach.versions) or "the service"
    where = _where(breach)
    since = f" since {clock(breach.at)}" if breach.at else ""
    match breach.kind:
        case BreachKind.AVAILABILITY:
            fails = verb(breach.versions or ("",), "fails", "fail")
            return f"{who} {fails} {share(breach.count.share)} of requests{where}{since}"
        case BreachKind.LATENCY:
            answers = verb(breach.versions or ("",), "answers", "answer")
            return f"{who} {answers} too slowly{where}{since}"
        case _:
            return finding


def _where(breach: Breach) -> str:
    return f" in {listing(breach.regions)}" if breach.regions else ""


def _after_arrival(breach: Breach, arrival: Arrival | None) -> str:
    moment: datetime | None = arrival.at if arrival else None
    if moment is None or breach.at is None or breach.at < moment:
        return ""
    delay = breach.at - moment
    took = f", {span(delay.total_seconds())} after it took traffic"
    return took if delay <= ARRIVAL_MARGIN else ""


def _elsewhere(breach: Breach) -> str:
    if not breach.regions or not breach.fine_regions:
        return ""
    if breach.fine_regions == breach.other_regions:
        return "the other regions are fine"
    return f"{listing(breach.fine_regions)} {verb(breach.fine_regions, 'is', 'are')} fine"


def _beside(breach: Breach) -> str:
    if not breach.fine_versions:
        return ""
    beside = " beside it" if breach.at else ""
    return f"{listing(breach.fine_versions)}{beside} {verb(breach.fine_versions, 'is', 'are')} fine"


def _why(attribution: Attribution, finding: str) -> str:
    if attribution.cause is Cause.VERSION:
        return "index fresh" if _index_is_fresh(attribution) else ""
    if attribution.cause is Cause.UNKNOWN:
        return f"the cause is not known: {attribution.reasons[0]}" if attribution.reasons else ""
    reason = attribution.reasons[0] if attribution.reasons else ""
    return "" if reason == finding else reason


def _index_is_fresh(attribution: Attribution) -> bool:
    return any(reason.startswith("index fresh") for reason in attribution.ruled_out)
