"""The decision and the plan: what policy says, with every rule it asked.

`decide` (in `shared.domain.decisions.decide`) fills these. The same inputs give the same hash, so
that what was approved can be compared with what is done.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.catalog import Mode
from shared.domain.keys import digest


class Verdict(StrEnum):
    """What is to be done now."""

    ROLL_BACK = "roll_back"
    NEEDS_APPROVAL = "needs_approval"
    HOLD = "hold"
    INCONCLUSIVE = "inconclusive"
    REFUSE = "refuse"


class Authority(StrEnum):
    """By whose word traffic may move: the policy's alone, its emergency criteria, or people's."""

    POLICY = "policy"
    EMERGENCY = "emergency"
    APPROVAL = "approval"


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the policy, observed against required."""

    rule: str
    passed: bool
    observed: str
    required: str
    evidence: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly what would be written: traffic in percent, from the state that was judged."""

    id: str
    incident: str
    service: str
    target: str
    bad: str
    good: str
    before: dict[str, int]
    after: dict[str, int]
    fingerprint: str

    @property
    def hash(self) -> str:
        """What an approval is bound to."""
        return digest(msgspec.json.encode(self, order="deterministic").decode())


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict with its reasons. `would_be` is the verdict if the mode were automatic.

    `reason` is the sentence of the first rule that failed, or says that all passed. `waived` says
    what took the place of an approval, "" where nothing did; `overridden` are the rules that failed
    and that a person's request set aside.
    """

    incident: str
    verdict: Verdict
    would_be: Verdict
    mode: Mode
    reason: str
    rules: tuple[RuleResult, ...]
    plan: Plan | None = None
    authority: Authority = Authority.POLICY
    waived: str = ""
    overridden: tuple[str, ...] = ()
    policy: str = ""
    policy_hash: str = ""
    decided_at: datetime
    hash: str = ""

    @property
    def despite_freeze(self) -> bool:
        """Whether a change freeze was known, and people or an emergency allowed it all the same."""
        return any(result.rule == "no-freeze" and result.evidence for result in self.rules)

    @property
    def failed_rule(self) -> str:
        """The rule that decided, the first that failed; "" where all passed."""
        return next((result.rule for result in self.rules if not result.passed), "")
