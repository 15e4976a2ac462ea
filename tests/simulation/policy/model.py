"""The policy once more, naively: what speaks against moving traffic without a person.

Written from the words of README, docs/runbooks/rollback.md, docs/decisions and the catalog's guide,
not from the rules' code; plain fields instead of the product's types, one sentence a rule. Seconds
are counted from the beginning of the history. What is not known never speaks for acting.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

MINUTE = 60.0
HOUR = 60 * MINUTE

# The fields of `policy` as the catalog's guide gives them for a service that leaves them out.
BURN_RATE = 4.0
MINIMUM_REQUESTS = 50
COOLDOWN = 15 * MINUTE
MOST_AN_HOUR = 2
DIAGNOSIS_LASTS = 20 * MINUTE
BAD, UNKNOWN = "breached", "inconclusive"
EVERY_REASON = frozenset({"freeze", "customer-impact", "compliance-tag", "low-confidence"})


@dataclass
class Deployed:
    """A deployment behind the endpoint."""

    state: str = "Succeeded"
    instances: int = 2


@dataclass(frozen=True)
class Shipped:
    """What a release says that it is made of; "" where it leaves it unsaid."""

    version: str
    prompt: str = "p7"
    index: str = "i3"
    flags: str = "f1"


@dataclass(frozen=True)
class Trusted:
    """The known good: which deployment, since when, made of what, with how many instances."""

    deployment: str
    at: float
    made_of: Shipped
    instances: int = 2


@dataclass(frozen=True)
class Foreseen:
    """The emergency that the owners approved before: at least so severe, burning so fast."""

    severity: int
    burn: float


@dataclass(frozen=True)
class Diagnosed:
    """What the diagnosis said. The burn is that of both windows, with their requests."""

    at: float
    health: str = BAD
    cause: str = "version"
    version: str = "v2"
    requests: int = 400
    burn_short: float = 50.0
    burn_long: float = 50.0
    burn_requests: int = 400
    blamed_by: tuple[str, ...] = ("onset", "contrast")
    unanswered: int = 0


@dataclass
class Trouble:
    """One incident: whether it is open, how often automation acted on it, how severe it is.

    `by_signal`: nobody tells of it but the service itself, or somebody who asks it.
    """

    open: bool = True
    acted: int = 0
    severity: int = 1
    by_signal: bool = False


@dataclass
class Facts:
    """The world as the policy sees it."""

    now: float = 0.0
    mode: str = "automatic"
    file_in_order: bool = True
    can_split: bool = True
    readable: bool = True
    busy: bool = False
    scoring: bool = True
    controls_readable: bool = True
    traffic: dict[str, int] = field(default_factory=lambda: {"v2": 100})
    deployed: dict[str, Deployed] = field(
        default_factory=lambda: {name: Deployed() for name in ("v1", "v2", "v3")}
    )
    failing: set[str] = field(default_factory=lambda: {"v2"})
    good: Trusted | None = Trusted("v1", -100 * HOUR, Shipped("1.4.0"))
    releases: list[tuple[str, Shipped]] = field(default_factory=list)  # oldest first
    switches: dict[str, float | None] = field(default_factory=dict)  # scope: end, None for never
    freezes: dict[str, float] = field(default_factory=dict)  # scope: end
    calendar_frozen_until: float = -HOUR
    budget_asks: bool = False  # an error budget is so far spent that a person must approve
    asks: frozenset[str] = EVERY_REASON
    customers: bool = False
    tagged: bool = False
    emergency: Foreseen | None = None
    maintenance_until: float = -HOUR
    storm_until: float = -HOUR
    moved: list[tuple[float, str]] = field(default_factory=list)  # when, away from whom
    trouble: Trouble | None = None
    diagnosed: Diagnosed | None = None

    def serving(self) -> str:
        """Who has most of the traffic; "" where two share it evenly or nobody has any."""
        most = [name for name, share in self.traffic.items() if share >= 50]
        return most[0] if len(most) == 1 else ""

    def shipped(self, deployment: str) -> Shipped | None:
        """What was registered last for a deployment."""
        found = [shipped for name, shipped in self.releases if name == deployment]
        return found[-1] if found else None


def speaks_against(facts: Facts) -> dict[str, str]:
    """All rules that do not let automation move the traffic now, in order, and what each means."""
    if not facts.file_in_order:
        return {"service-file-in-order": "refuse"}  # nothing else counts then
    against = {name: means for name, means, holds in RULES if not holds(facts)}
    if not is_emergency(facts, against):
        return against
    stays = {"second-source"} if _is_proven(facts) else {"second-source", "unmoved-since-earned"}
    return {
        name: means for name, means in against.items() if means != "needs_approval" or name in stays
    }


def is_emergency(facts: Facts, against: dict[str, str]) -> bool:
    """Whether what the owners foresaw is there, and only people's word or the mode is missing."""
    found, foreseen, trouble = facts.diagnosed, facts.emergency, facts.trouble
    others = {name for name, means in against.items() if means != "needs_approval"}
    if foreseen is None or found is None or trouble is None or others - {"mode-lets-act"}:
        return False
    burn = min(found.burn_short, found.burn_long)
    enough = found.burn_requests >= MINIMUM_REQUESTS
    return enough and trouble.severity <= foreseen.severity and burn >= foreseen.burn


def is_frozen(facts: Facts) -> bool:
    """Whether the calendar or a commander has frozen the service's changes, or nobody can tell."""
    return not facts.controls_readable or facts.now < max(
        [facts.calendar_frozen_until, *facts.freezes.values()]
    )


def _is_proven(facts: Facts) -> bool:
    """Whether the known good's release is the one that earned the trust."""
    now = facts.shipped(facts.good.deployment) if facts.good is not None else None
    return now is not None and facts.good is not None and now.version == facts.good.made_of.version


def _sure(facts: Facts) -> bool:
    """Blamed both ways, and every query had an answer."""
    found = facts.diagnosed
    return (
        found is not None and {*found.blamed_by} == {"onset", "contrast"} and not found.unanswered
    )


def _unless_asked(reason: str, holds: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    """A rule that counts only where the policy names the reason."""
    return lambda facts: reason not in facts.asks or holds(facts)


def _good(facts: Facts) -> Deployed | None:
    """The known good as it is deployed, where all of that is known."""
    if facts.good is None or not facts.readable:
        return None
    return facts.deployed.get(facts.good.deployment)


def _conclusive(facts: Facts) -> bool:
    return facts.diagnosed is not None and facts.diagnosed.health != UNKNOWN


def _fresh(facts: Facts) -> bool:
    return facts.diagnosed is not None and facts.now - facts.diagnosed.at <= DIAGNOSIS_LASTS


def _enough_requests(facts: Facts) -> bool:
    return facts.diagnosed is not None and facts.diagnosed.requests >= MINIMUM_REQUESTS


def _not_acted_on(facts: Facts) -> bool:
    return facts.trouble is not None and facts.trouble.acted == 0


def _not_left_lately(facts: Facts) -> bool:
    """A version that a rollback has left must earn its trust again."""
    good = facts.good
    return good is None or not any(
        away == good.deployment and at >= good.at for at, away in facts.moved
    )


def _blamed(facts: Facts) -> str:
    found = facts.diagnosed
    return found.version if found is not None and found.cause == "version" else ""


def _switched_off(facts: Facts) -> bool:
    return any(end is None or facts.now < end for end in facts.switches.values())


def _not_on_the_good_yet(facts: Facts) -> bool:
    if facts.good is None:
        return facts.readable
    return facts.readable and facts.traffic.get(facts.good.deployment, 0) < 100


def _blamed_serves(facts: Facts) -> bool:
    blamed, good = _blamed(facts), facts.good.deployment if facts.good else ""
    return facts.readable and facts.traffic.get(blamed, 0) > 0 and blamed != good


def _good_is_healthy(facts: Facts) -> bool:
    found = _good(facts)
    return found is not None and found.state == "Succeeded" and found.instances > 0


def _good_was_probed(facts: Facts) -> bool:
    return _good(facts) is not None and facts.scoring


def _good_passes(facts: Facts) -> bool:
    return (
        _good_was_probed(facts)
        and facts.good is not None
        and facts.good.deployment not in facts.failing
    )


def _burns(facts: Facts) -> bool:
    """The logs say that the budget burns too fast."""
    found = facts.diagnosed
    return (
        found is not None
        and found.burn_requests >= MINIMUM_REQUESTS
        and min(found.burn_short, found.burn_long) >= BURN_RATE
    )


def _blamed_was_seen_to_fail(facts: Facts) -> bool:
    """Asked by name, the blamed version fails what the known good passes.

    It is asked only where nobody but a signal tells of the trouble.
    """
    told = facts.trouble is not None and facts.trouble.by_signal
    bad, reach = _blamed(facts), facts.readable and facts.scoring
    return told and reach and bad in facts.failing & {*facts.deployed} and _good_passes(facts)


def _bad_enough(facts: Facts) -> bool:
    most = max(facts.traffic, key=lambda name: facts.traffic[name], default="")
    live_fails = facts.readable and facts.scoring and most in facts.failing
    return _burns(facts) or (live_fails and _good_passes(facts)) or _blamed_was_seen_to_fail(facts)


def _somebody_else_says_so(facts: Facts) -> bool:
    """A signal alone never moves traffic: the logs agree, or the blamed version is seen to fail."""
    alone = facts.trouble is not None and facts.trouble.by_signal
    return not alone or _burns(facts) or _blamed_was_seen_to_fail(facts)


def _loud(facts: Facts) -> bool:
    """No maintenance and no storm; an incident that is over is not held back any more."""
    over = facts.trouble is None or not facts.trouble.open
    return over or facts.now >= max(facts.maintenance_until, facts.storm_until)


def _as_when_trusted(facts: Facts) -> bool:
    """The release on the known good is the one that earned it, and what all share has not moved."""
    if facts.good is None or not facts.readable:
        return False
    earned, now = facts.good.made_of, facts.shipped(facts.good.deployment)
    live = facts.shipped(facts.serving())
    shared = [(live.index, earned.index), (live.flags, earned.flags)] if live else []
    return now == earned and all(said in ("", was) for said, was in shared)


def _capacity(facts: Facts) -> bool:
    found = _good(facts)
    if found is None or facts.good is None:
        return False
    loads = [
        facts.deployed[name].instances
        for name, share in facts.traffic.items()
        if share and name in facts.deployed
    ]
    return found.instances >= max([facts.good.instances, *loads])


RULES: tuple[tuple[str, str, Callable[[Facts], bool]], ...] = (
    ("supported-target", "refuse", lambda f: f.can_split),
    ("incident-open", "hold", lambda f: f.trouble is not None and f.trouble.open),
    ("diagnosis-conclusive", "inconclusive", _conclusive),
    ("diagnosis-fresh", "inconclusive", _fresh),
    ("still-breached", "hold", lambda f: f.diagnosed is not None and f.diagnosed.health == BAD),
    ("controls-known", "refuse", lambda f: f.controls_readable),
    ("kill-switch-off", "hold", lambda f: f.controls_readable and not _switched_off(f)),
    ("endpoint-readable", "inconclusive", lambda f: f.readable),
    ("endpoint-idle", "hold", lambda f: f.readable and not f.busy),
    ("known-good-exists", "refuse", lambda f: f.good is not None),
    ("not-already-good", "hold", _not_on_the_good_yet),
    ("cause-is-version", "hold", lambda f: _blamed(f) != ""),
    ("blamed-version-serves", "hold", _blamed_serves),
    ("known-good-deployed", "refuse", lambda f: _good(f) is not None),
    ("known-good-healthy", "refuse", _good_is_healthy),
    ("target-probe-known", "inconclusive", _good_was_probed),
    ("target-probe-passes", "refuse", _good_passes),
    ("minimum-traffic", "inconclusive", _enough_requests),
    ("burn-rate-or-failed-probe", "hold", _bad_enough),
    ("nothing-keeps-quiet", "hold", _loud),
    ("cooldown", "hold", lambda f: all(f.now - at >= COOLDOWN for at, _ in f.moved)),
    ("rate-limit", "hold", lambda f: sum(f.now - at < HOUR for at, _ in f.moved) < MOST_AN_HOUR),
    ("one-automatic-rollback-an-incident", "hold", _not_acted_on),
    ("no-ping-pong", "hold", _not_left_lately),
    ("mode-lets-act", "hold", lambda f: f.mode in ("approve", "automatic")),
    ("unmoved-since-earned", "needs_approval", _as_when_trusted),
    ("capacity-enough", "needs_approval", _capacity),
    ("no-freeze", "needs_approval", _unless_asked("freeze", lambda f: not is_frozen(f))),
    ("budget-lets", "needs_approval", lambda f: not (f.controls_readable and f.budget_asks)),
    (
        "no-customer-impact",
        "needs_approval",
        _unless_asked("customer-impact", lambda f: not f.customers),
    ),
    (
        "no-compliance-tag",
        "needs_approval",
        _unless_asked("compliance-tag", lambda f: not f.tagged),
    ),
    ("second-source", "needs_approval", _somebody_else_says_so),
    ("confidence-enough", "needs_approval", _unless_asked("low-confidence", _sure)),
    ("mode-automatic", "needs_approval", lambda f: f.mode == "automatic"),
)
"""Every rule in the order of the policy: its name, what it means to fail it, whether it holds."""
