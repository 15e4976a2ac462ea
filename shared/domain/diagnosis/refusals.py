"""What the targets refuse: whether a 429 or 503 from outside explains the breach, or may do so.

Part of the questions of `shared_causes`. A target that begins to refuse seconds after a release
looks like the release's fault to everybody who only compares times. So an arrival is blamed only
where the calls are known and hardly any of them was refused.
"""

import msgspec

from shared.domain.diagnosis.breach import LEAST_COMPARED, BreachKind
from shared.domain.diagnosis.inquiry import LEAST_EXPLAINED, Inquiry, explains
from shared.domain.diagnosis.upstreams import Upstream, taken_together, upstreams

_LEAST_REFUSED = 2
_REFUSED_SHARE = 0.2  # of the failing calls, from which nobody rules out that they are the cause


def guilty_upstreams(inquiry: Inquiry) -> list[Upstream]:
    """The targets that explain the breach, each alone or all together, for every version alike."""
    alone = len(inquiry.breach.versions) == 1
    evidence, threshold = inquiry.evidence, inquiry.breach.threshold
    found = upstreams(evidence, threshold, refusals_only=alone)
    guilty = [upstream for upstream in found if explains(inquiry, upstream.contrast)]
    if guilty:
        return guilty
    refusing = [one.contrast.subject for one in found if one.contrast.count.bad >= _LEAST_REFUSED]
    together = taken_together(evidence, refusing, threshold, refusals_only=alone)
    return [together] if explains(inquiry, together.contrast) else []


def refusal(inquiry: Inquiry) -> str:
    """That targets refuse a good part of the hurt version's failing calls, explained or not."""
    if inquiry.breach.kind is not BreachKind.AVAILABILITY:
        return ""
    rows = [row for row in inquiry.evidence.dependencies if row.deployment == inquiry.version]
    own = msgspec.structs.replace(inquiry.evidence, dependencies=tuple(rows))
    found = upstreams(own, inquiry.breach.threshold, refusals_only=True)
    refused = sum(upstream.contrast.count.bad for upstream in found)
    few = refused < max(_LEAST_REFUSED, _REFUSED_SHARE * sum(row.failed for row in rows))
    return "" if few else found[0].sentence


def silent_calls(inquiry: Inquiry) -> str:
    """That hardly any call of the hurt version is told of, though it must have made some; or ""."""
    own, others = _called(inquiry, own=True), _called(inquiry, own=False)
    if own.good < LEAST_COMPARED or not others.good:
        return ""
    each = min(others.calls / others.good, 1.0)  # a version may well call less often than another
    if own.calls >= LEAST_EXPLAINED * each * own.good:
        return ""
    return f"only {own.calls} calls of {inquiry.version} are told of, it answered {own.good} well"


class _Called(msgspec.Struct, frozen=True, kw_only=True):
    good: int
    calls: int


def _called(inquiry: Inquiry, *, own: bool) -> _Called:
    """The good answers of the hurt version, or of all others, and the calls that are told of."""
    evidence, version = inquiry.evidence, inquiry.version
    return _Called(
        good=sum(r.total - r.failed for r in evidence.onset if (r.deployment == version) is own),
        calls=sum(r.total for r in evidence.dependencies if (r.deployment == version) is own),
    )
