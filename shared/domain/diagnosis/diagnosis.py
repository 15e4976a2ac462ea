"""What was found out, and what could not be: findings, suspects, attribution.

Three verdicts, because "could not find out" is neither healthy nor broken. The rooms that fill
these types: `findings` (from telemetry), `suspects` (from changes), `attribution` (whose fault).
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class Health(StrEnum):
    """What the telemetry says. INCONCLUSIVE pages and never acts."""

    BREACHED = "breached"
    HEALTHY = "healthy"
    INCONCLUSIVE = "inconclusive"


class Sign(StrEnum):
    """What a finding says about the one thing that it looked at."""

    BAD = "bad"
    GOOD = "good"
    LOW_TRAFFIC = "low-traffic"
    NO_DATA = "no-data"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `sentence` is for people, `query` names the KQL file.

    `kind`: burn-rate, partial-outage, version, latency, tool, content-safety, outcome, anomaly,
    dependency, index, tenant.
    """

    kind: str
    signal: Sign
    sentence: str
    query: str
    subject: str = ""  # "region=swedencentral", "deployment=v2", a tool's or a target's name
    observed: float | None = None
    required: float | None = None
    total: int = 0
    bad: int = 0


class Burn(msgspec.Struct, frozen=True, kw_only=True):
    """How fast one objective's budget burns for the total ("") or one slice, by window name.

    `windows` maps "5m", "30m", "1h", "6h", "3d" to (total, bad, burn rate); the rate is None
    without traffic.
    """

    slo: str
    sli: str
    dimension: str
    value: str
    windows: dict[str, tuple[int, int, float | None]]


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A change that may be the cause, with the reasons for its rank; the likeliest comes first."""

    change: str
    kind: str
    what: str
    who: str
    at: datetime
    score: float
    deployment: str = ""
    reasons: tuple[str, ...] = ()


class Cause(StrEnum):
    """Whose fault it is. Only VERSION can be cured by moving traffic."""

    VERSION = "version"
    DEPENDENCY = "dependency"
    INDEX = "index"
    REGION = "region"
    UPSTREAM = "upstream"
    NONE = "none"
    UNKNOWN = "unknown"


class Ground(StrEnum):
    """How a version was found to be at fault; a doubt remains where one of them is missing."""

    ONSET = "onset"  # the trouble came with it, and its predecessor was fine
    CONTRAST = "contrast"  # another version serves the same well at the same time


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """The cause, the version or the dependency that it names, and why. First match wins."""

    cause: Cause
    version: str = ""
    dependency: str = ""
    reasons: tuple[str, ...] = ()
    grounds: tuple[Ground, ...] = ()  # of a version
    ruled_out: tuple[str, ...] = ()  # the causes that were asked before and why they are not it

    @property
    def named(self) -> str:
        """The cause and what it is, for people: "region swedencentral"."""
        return f"{self.cause.value} {self.version or self.dependency}".strip()


class Tenants(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the bad requests hurt since the onset, by the tenants' opaque ids.

    Of `served` tenants those that are surely `hit`, and those that are `out`: they get next to no
    good answer. `more_hit` and `more_out` are counted only. Not `known` where the logs did not say;
    that is never nobody.
    """

    known: bool = True
    served: int = 0
    hit: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    more_hit: int = 0
    more_out: int = 0

    @property
    def hits(self) -> int:
        """How many are hit, by name or not."""
        return len(self.hit) + self.more_hit

    @property
    def outs(self) -> int:
        """How many are out, by name or not."""
        return len(self.out) + self.more_out


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """All that one run of the diagnostics found. Counts are customers' requests since the onset."""

    incident: str
    made_at: datetime
    health: Health
    sentence: str
    breach: str = ""  # what customers suffer from, a `BreachKind`; "" where nothing is breached
    findings: tuple[Finding, ...] = ()
    burns: tuple[Burn, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    attribution: Attribution = Attribution(cause=Cause.UNKNOWN)
    onset_at: datetime | None = None
    served_version: str = ""
    affected: str = ""  # the slice that is hurt: "region=swedencentral", or "" for all
    requests: int = 0
    bad_requests: int = 0
    bad_share: float = 0.0
    regions_hit: tuple[str, ...] = ()
    tenants: Tenants | None = None  # None where the service's telemetry names none
    ruled_out: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()  # queries without a usable answer, with the reason
