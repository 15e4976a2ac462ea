"""The targets that the service calls, models first of all: how often each answers that it cannot.

Part of the findings, and what `refusals` asks when it looks for whose fault a breach is. Tools are
calls as well, but have a query and a room of their own (`parts`).
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from shared.domain.diagnosis.contrast import Contrast, contrast_of, signal_of
from shared.domain.diagnosis.diagnosis import Finding
from shared.domain.diagnosis.evidence import Evidence
from shared.domain.diagnosis.measurements import DependencyRow
from shared.domain.diagnosis.phrases import listing, verb
from shared.domain.diagnosis.proportions import NOTHING, Count
from shared.domain.wording import share

FROM_SHARE = 0.05
"""The share of refused calls from which a finding calls a target bad."""

UNAVAILABLE_CODES = frozenset({"429", "502", "503", "504"})
"""Answers by which a target says that it is the one who cannot; a 400 may be the caller's fault."""

_TOOL_KIND = "execute_tool"


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """A target, or several taken together, that answers 429 or 5xx; with its most frequent code."""

    targets: tuple[str, ...]
    contrast: Contrast
    code: str

    @property
    def sentence(self) -> str:
        """What it answers how often, for people."""
        count = self.contrast.count
        answers = verb(self.targets, "answers", "answer")
        said = f"{answers} {self.code} to {share(count.share)} of {count.total} calls"
        return f"{self.contrast.subject} {said}"


def upstreams(
    evidence: Evidence, threshold: float, *, refusals_only: bool = False
) -> tuple[Upstream, ...]:
    """How often each target (tools apart) answers 429 or 5xx; the worst first.

    `refusals_only` counts the answers of `UNAVAILABLE_CODES` alone: a 500 may be the caller's
    fault, as long as no other caller shares it.
    """
    rows: dict[str, list[DependencyRow]] = {}
    for row in evidence.dependencies:
        if row.kind != _TOOL_KIND:
            rows.setdefault(row.target, []).append(row)
    found = [_upstream(part, threshold, refusals_only) for part in rows.values()]
    return tuple(sorted(found, key=lambda one: (-one.contrast.count.share, one.contrast.subject)))


def taken_together(
    evidence: Evidence, targets: Sequence[str], threshold: float, *, refusals_only: bool = False
) -> Upstream:
    """The same of several targets as if they were one: a quota may end for all of them at once."""
    rows = [row for row in evidence.dependencies if row.target in targets]
    return _upstream(rows, threshold, refusals_only)


def upstream_finding(upstream: Upstream) -> Finding:
    """What is to be said of a target, whether it refuses or not."""
    contrast = upstream.contrast
    fine = f"{contrast.subject} takes the calls ({contrast.count.total})"
    return Finding(
        kind="dependency",
        signal=signal_of(contrast),
        sentence=upstream.sentence if contrast.hurt else fine,
        query="dependencies",
        subject=contrast.subject,
        observed=contrast.count.share,
        required=FROM_SHARE,
        total=contrast.count.total,
        bad=contrast.count.bad,
    )


def _upstream(rows: Sequence[DependencyRow], threshold: float, refusals_only: bool) -> Upstream:
    counts: dict[str, Count] = {}
    codes: Counter[str] = Counter()
    for row in rows:
        bad = row.failed if _says_it_cannot(row, refusals_only) else 0
        counts[row.deployment] = counts.get(row.deployment, NOTHING) + Count(
            total=row.total, bad=bad
        )
        codes[row.result_code] += bad
    targets = tuple(sorted({row.target for row in rows}))
    return Upstream(
        targets=targets,
        contrast=contrast_of(listing(targets), counts, threshold),
        code=codes.most_common(1)[0][0] if codes else "",
    )


def _says_it_cannot(row: DependencyRow, refusals_only: bool) -> bool:
    if row.result_code in UNAVAILABLE_CODES:
        return True
    return row.result_code.startswith("5") and not refusals_only
