"""The question whose fault a breach is, with all that its rules may look at.

`attribution` and `shared_causes` hold the rules; here is what they ask for: the slice's bins, who
served beside whom, which part explains the failures, and the form of an answer. What targets refuse
has a room of its own, `refusals`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.release import KnownGood
from shared.domain.diagnosis.breach import LEAST_COMPARED, Breach, BreachKind, gauge_of
from shared.domain.diagnosis.contrast import Contrast
from shared.domain.diagnosis.diagnosis import Attribution, Cause
from shared.domain.diagnosis.evidence import Evidence
from shared.domain.diagnosis.measurements import OnsetRow
from shared.domain.diagnosis.onset import LEAST_BAD, Arrival, Scope, count_of
from shared.domain.diagnosis.parts import MODEL_KIND, tool_contrasts
from shared.domain.diagnosis.phrases import listing
from shared.domain.diagnosis.proportions import NOTHING, Count, z_score
from shared.domain.wording import share

LEAST_EXPLAINED = 0.5
"""The share of the bad requests that a failing part must explain to be their cause."""

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


class NotIt(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that does not apply: what it rules out, or why it could not be answered."""

    ruled_out: str = ""
    doubt: str = ""


def guilty_tools(inquiry: Inquiry) -> list[Contrast]:
    """The tools that explain the breach, the worst first."""
    tools = tool_contrasts(inquiry.evidence)
    return [tool for tool in tools if explains(inquiry, tool)]


def tool_sentence(tool: Contrast) -> str:
    """How often the tool fails for whom."""
    calls = f"{share(tool.count.share)} of {tool.count.total} calls"
    return f"{tool.subject} fails {calls} of {listing(tool.hurt or sorted(tool.counts))}"


def slice_rows(inquiry: Inquiry) -> list[OnsetRow]:
    """The bins of the regions that are hit, whichever version served."""
    regions = inquiry.breach.regions
    return [row for row in inquiry.evidence.onset if not regions or row.region in regions]


def refusals(inquiry: Inquiry) -> str:
    """By which answer the model refuses most of the hurt version's calls; "" where it does not."""
    if inquiry.breach.kind is not BreachKind.AVAILABILITY:
        return ""
    codes: Counter[str] = Counter()
    for row in inquiry.evidence.dependencies:
        if row.deployment == inquiry.version and row.kind == MODEL_KIND:
            codes[row.result_code] += row.failed
    code, failed = codes.most_common(1)[0] if codes else ("", 0)
    return f"the model answers {code} to {failed} of its calls" if failed >= LEAST_BAD else ""


def measured(inquiry: Inquiry, rows: Iterable[OnsetRow]) -> Count:
    """Count the bins as the breach is measured: failed requests, or slow bins."""
    measure = gauge_of(inquiry.breach.kind, inquiry.service).measure
    return sum((measure(row) for row in rows), NOTHING)


def arrived_at(inquiry: Inquiry) -> datetime | None:
    """When the hurt version took traffic; None where it did before the data begin."""
    arrival = inquiry.arrivals.get(inquiry.version)
    return arrival.at if arrival else None


def are_alike(inquiry: Inquiry) -> bool:
    """Whether several versions are hurt, none is fine, and none is hurt far more than another."""
    breach = inquiry.breach
    if len(breach.versions) < 2 or breach.fine_versions:
        return False
    counts = [_since_onset(inquiry, version) for version in breach.versions]
    counts.sort(key=lambda count: count.share)
    mildest, worst = counts[0], counts[-1]
    return worst.share <= 2 * mildest.share or z_score(worst, mildest) < _LEAST_Z


def shares(inquiry: Inquiry) -> str:
    """The versions with their bad shares since the onset; only their names without an onset."""
    breach = inquiry.breach
    if breach.at is None or breach.kind is not BreachKind.AVAILABILITY:
        return listing(breach.versions)
    return listing(
        [f"{name} {share(_since_onset(inquiry, name).share)}" for name in breach.versions]
    )


def _since_onset(inquiry: Inquiry, version: str) -> Count:
    """What a version served since it began; of the bin in which it began only if that is all."""
    since, width = inquiry.breach.at, inquiry.breach.width
    rows = [row for row in slice_rows(inquiry) if row.deployment == version]
    if since is None:
        return measured(inquiry, rows)
    later = [row for row in rows if row.at >= since]
    return measured(inquiry, later or [row for row in rows if row.at > since - width])


def fine_elsewhere(inquiry: Inquiry) -> bool:
    """Whether the other regions are fine, all taken together: early none has enough by itself."""
    breach, since = inquiry.breach, inquiry.breach.at
    rows = [
        row
        for row in inquiry.evidence.onset
        if row.region not in breach.hit and (since is None or row.at > since - breach.width)
    ]
    count = measured(inquiry, rows)
    enough = sum(row.total for row in rows) >= LEAST_COMPARED and count.total > 0
    return enough and count.share < breach.threshold


def explains(inquiry: Inquiry, part: Contrast) -> bool:
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


def serve_beside(inquiry: Inquiry, versions: Sequence[str]) -> bool:
    """Whether one of the versions serves beside the hurt one, so that it would suffer as well.

    The bin in which it began does not tell: a predecessor may have served in it and left.
    """
    since = inquiry.breach.at or arrived_at(inquiry)
    rows = [row for row in inquiry.evidence.onset if since is None or row.at > since]
    served = (count_of(rows, Scope(deployment=name)).total for name in versions)
    return any(total >= LEAST_COMPARED for total in served)


def blame(cause: Cause, *reasons: str, version: str = "", dependency: str = "") -> Attribution:
    """The answer of a rule that applies."""
    said = tuple(reason for reason in reasons if reason)
    return Attribution(cause=cause, version=version, dependency=dependency, reasons=said)
