"""One part of the service, by the deployments that use it: who is hurt by it and who is fine.

What `parts` (tools, content safety) and `upstreams` (models and other targets) are judged by: a
part that fails alike for all versions is broken, one that fails for one version is used badly.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.domain.diagnosis.breach import LEAST_COMPARED
from shared.domain.diagnosis.diagnosis import Sign
from shared.domain.diagnosis.onset import LEAST_BAD
from shared.domain.diagnosis.proportions import NOTHING, SURE, Count, evidence_above


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One part, by the deployments that use it: who is hurt, who is fine, and the counts."""

    subject: str
    counts: dict[str, Count]
    hurt: tuple[str, ...]
    fine: tuple[str, ...]

    @property
    def count(self) -> Count:
        """The counts of the hurt deployments together; of all where none is hurt."""
        counted = [self.counts[name] for name in self.hurt] or list(self.counts.values())
        return sum(counted, NOTHING)


def contrast_of(subject: str, counts: Mapping[str, Count], threshold: float) -> Contrast:
    """Tell the deployments that the part surely fails from `threshold` on from the fine ones."""
    hurt = tuple(sorted(name for name, count in counts.items() if _is_hurt(count, threshold)))
    fine = tuple(sorted(name for name, count in counts.items() if _is_fine(count, threshold)))
    return Contrast(subject=subject, counts=dict(counts), hurt=hurt, fine=fine)


def worst_first(contrasts: Iterable[Contrast]) -> tuple[Contrast, ...]:
    """The parts in the order of their bad shares."""
    return tuple(sorted(contrasts, key=lambda one: (-one.count.share, one.subject)))


def signal_of(contrast: Contrast) -> Sign:
    """What a finding about the part says."""
    if contrast.hurt:
        return Sign.BAD
    return Sign.GOOD if contrast.count.total >= LEAST_COMPARED else Sign.LOW_TRAFFIC


def _is_hurt(count: Count, threshold: float) -> bool:
    return count.bad >= LEAST_BAD and evidence_above(count, threshold) >= SURE


def _is_fine(count: Count, threshold: float) -> bool:
    return count.total >= LEAST_COMPARED and count.share < threshold
