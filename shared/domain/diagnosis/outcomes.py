"""Business outcomes: whether the service still decides as it used to.

A summary can be quick, free of errors and wrong. So the shares of the outcomes (accepted, edited,
rejected) are compared with the same weekday and hours of the weeks before, in both directions: too
many accepted is as suspicious as too few. Volume does not matter, only the mix, so month-end, a
storm's surge and a quiet holiday are no findings.
"""

from collections.abc import Iterable

import msgspec

from shared.domain.diagnosis.measurements import OutcomeRow
from shared.domain.diagnosis.proportions import Count, p_value, z_score
from shared.domain.wording import share

LEAST_NOW = 50
LEAST_BEFORE = 100
LEAST_Z = 4.0
"""Two-sided p of 6 in 100,000: several outcomes are looked at, again and again."""
LEAST_SWING = 0.05
"""With enough traffic every difference is significant; five points are also worth a page."""


class Swing(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome, now and in the baseline. `points` is the signed difference of the shares."""

    outcome: str
    now: Count
    before: Count
    z: float

    @property
    def points(self) -> float:
        """How far the share moved: 0.12 is twelve percentage points up."""
        return self.now.share - self.before.share

    @property
    def enough(self) -> bool:
        """Whether both sides have enough outcomes to be compared."""
        return self.now.total >= LEAST_NOW and self.before.total >= LEAST_BEFORE

    @property
    def suspicious(self) -> bool:
        """Whether the move is beyond chance and large enough to matter."""
        return self.enough and abs(self.z) >= LEAST_Z and abs(self.points) >= LEAST_SWING

    @property
    def sentence(self) -> str:
        """What moved from where to where, for people."""
        moved = f"from {share(self.before.share)} to {share(self.now.share)}"
        chance = f"n={self.now.total}, p={p_value(self.z):.1g}"
        return f'"{self.outcome}" went {moved} against the same weekday and hour before ({chance})'


def swings(rows: Iterable[OutcomeRow]) -> tuple[Swing, ...]:
    """Compare every outcome with its baseline, the largest move first."""
    compared = [_swing(row) for row in rows]
    return tuple(sorted(compared, key=lambda swing: -abs(swing.points)))


def _swing(row: OutcomeRow) -> Swing:
    now = Count(total=row.n1, bad=row.x1)
    before = Count(total=row.n0, bad=row.x0)
    return Swing(outcome=row.outcome, now=now, before=before, z=z_score(now, before))
