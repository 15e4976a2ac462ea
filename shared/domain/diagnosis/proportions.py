"""Counts of good and bad, and how sure one may be about their shares.

The arithmetic under the diagnosis, with the standard library only. Evidence is told in nats: 6 of
them mean that chance alone would show the like once in about 400 looks.
"""

from math import inf, log, log1p, sqrt
from statistics import NormalDist

import msgspec

SURE = 6.0
"""Nats of evidence from which we speak of a fact."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """So many, and so many of them bad."""

    total: int = 0
    bad: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Count both together."""
        return Count(total=self.total + other.total, bad=self.bad + other.bad)

    def __sub__(self, other: "Count") -> "Count":
        """Count what remains without the other."""
        return Count(total=self.total - other.total, bad=self.bad - other.bad)

    @property
    def share(self) -> float:
        """The bad share; 0 where there is nothing."""
        return self.bad / self.total if self.total else 0.0


NOTHING = Count()


def evidence_above(count: Count, rate: float) -> float:
    """How strongly, in nats, the count puts its share above the rate; 0 if it does not."""
    return _divergence(count, rate) if count.share > rate else 0.0


def evidence_below(count: Count, rate: float) -> float:
    """How strongly, in nats, the count puts its share below the rate; 0 if it does not."""
    return _divergence(count, rate) if count.share < rate else 0.0


def is_absent(share: float, others: int) -> bool:
    """Whether a part with this share of the traffic would surely be among so many requests."""
    if share >= 1.0:
        return others > 0
    return -others * log1p(-share) > SURE


def z_score(now: Count, before: Count) -> float:
    """The pooled two-proportion z of now against before; 0 where the test says nothing."""
    pooled = (now + before).share
    if not now.total or not before.total or pooled in {0.0, 1.0}:
        return 0.0
    spread = sqrt(pooled * (1 - pooled) * (1 / now.total + 1 / before.total))
    return (now.share - before.share) / spread


def p_value(z: float) -> float:
    """The two-sided probability of a z at least as large by chance."""
    return 2 * NormalDist().cdf(-abs(z))


def _divergence(count: Count, rate: float) -> float:
    # Kullback-Leibler divergence of two coins, times the number of throws: the logarithm of the
    # likelihood ratio between the share that was seen and the rate.
    return count.total * (_term(count.share, rate) + _term(1 - count.share, 1 - rate))


def _term(seen: float, supposed: float) -> float:
    if seen == 0.0:
        return 0.0
    return seen * log(seen / supposed) if supposed > 0.0 else inf
