"""What is hurt, where, and since when: the breach that a diagnosis is about, and its yardstick.

`detection`, `parts` and `findings` find breaches; `attribution`, `narrative` and `recovery` read
them. A breach names the versions that are hurt and those that serve the same slice well at the same
time: whose fault it is lives on that contrast.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.catalog import Service
from shared.domain.diagnosis.burns import breach_share
from shared.domain.diagnosis.onset import LEAST_BAD, SLOW_BINS, Measure, failures, slowness
from shared.domain.diagnosis.proportions import NOTHING, Count

LEAST_COMPARED = 20
"""A slice with fewer requests is neither good nor bad: too few to tell."""

OUTAGE_SHARE = 0.9
"""From this share of bad requests on, what is hurt is not merely hurt but out."""

_LEAST_SLOW_BINS = 4


class BreachKind(StrEnum):
    """What the customers suffer from, worst first."""

    AVAILABILITY = "availability"
    LATENCY = "latency"
    TOOL = "tool"
    CONTENT_SAFETY = "content-safety"
    OUTCOME = "outcome"
    INDEX = "index"
    QUALITY = "quality"


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong for customers.

    `versions` are hurt, `fine_versions` serve the same slice well. `regions` is empty where the
    breach does not depend on the region or hits all of them; `hit` names the regions in either
    case. Of the `other_regions` that the hurt versions serve, `fine_regions` surely are not hit.
    `count` counts the slice's requests since `at`, which is None where the query has no time, and
    `at_onset` those of the onset's own bin. `subject` is the tool or index at fault, or the
    objective of quality.
    """

    kind: BreachKind
    versions: tuple[str, ...] = ()
    fine_versions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    hit: tuple[str, ...] = ()
    other_regions: tuple[str, ...] = ()
    fine_regions: tuple[str, ...] = ()
    at: datetime | None = None
    ended_at: datetime | None = None
    width: timedelta = timedelta(0)
    count: Count = NOTHING
    at_onset: Count = NOTHING
    threshold: float = 0.0
    subject: str = ""

    @property
    def running(self) -> bool:
        """Whether it goes on; a breach that ended is told of, but nothing is to be done."""
        return self.ended_at is None

    @property
    def has_just_begun(self) -> bool:
        """Whether hardly more is known than the onset's own bin, which was well at first."""
        return (self.count - self.at_onset).total < LEAST_BAD

    @property
    def settled(self) -> Count:
        """The count without the onset's own bin, once there is more."""
        return self.count if self.has_just_begun else self.count - self.at_onset

    @property
    def affected(self) -> str:
        """The slice as the diagnosis names it: "region=x" for one region, else ""."""
        return f"region={self.regions[0]}" if len(self.regions) == 1 else ""


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind of breach is measured: the share of bad from `threshold`, with `least_bad`."""

    kind: BreachKind
    measure: Measure
    threshold: float
    least_bad: int


def gauge_of(kind: BreachKind, service: Service) -> Gauge:
    """How the requests are measured for a breach of this kind: by slowness or by failures."""
    if kind is BreachKind.LATENCY:
        return Gauge(
            kind=kind,
            measure=slowness(service.latency_threshold_ms()),
            threshold=SLOW_BINS,
            least_bad=_LEAST_SLOW_BINS,
        )
    return Gauge(kind=kind, measure=failures, threshold=breach_share(service), least_bad=LEAST_BAD)
