"""Promotions in a freeze: what a pipeline's gate asks for, and how a refusal is told.

Asked by `responders.watching.register` before traffic is shifted. As with a rollback in a freeze a
person's word lets pass: here that of a commander, who registers the very release while the freeze
is on.
"""

from enum import StrEnum

import msgspec

from shared.domain.authority.caller import AppRole
from shared.domain.decisions.release import Release
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.freezes.frozen import ChangeKind, Frozen, blocks
from shared.domain.keys import digest


class IfFrozen(StrEnum):
    """What is to become of a release that is registered while promotions are frozen."""

    WARN = "warn"  # kept, marked and warned of: it is shipped already, or goes all the same
    REFUSE = "refuse"  # not kept: the pipeline stops before it shifts traffic


class RefusedPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """A release that was asked for in a freeze and not let through; kept to be told of once."""

    asked: Release
    frozen: Frozen

    @property
    def name(self) -> str:
        """The same for a version of a service and one freeze, however often it is asked for."""
        began = self.frozen.since.isoformat() if self.frozen.since else ""
        freeze = (self.frozen.name, self.frozen.scope, began)
        return digest(self.asked.service, self.asked.version, *freeze)

    @property
    def row(self) -> str:
        """Where it lies in its service's shard."""
        return f"refused|{self.asked.service}|{self.name}"

    @property
    def reason(self) -> str:
        """Why it was refused, as a sentence without its full stop."""
        return blocks(ChangeKind.PROMOTION, self.frozen, self.asked.registered_at).rstrip(".")


def allows(known: Release | None, frozen: Frozen) -> bool:
    """Whether a commander let this release by: they registered it themselves in this freeze."""
    if known is None or not is_let_by(known):
        return False
    return frozen.since is None or known.registered_at >= frozen.since


def is_let_by(release: Release) -> bool:
    """Whether a commander set a freeze aside for it, by registering it themselves."""
    return bool(release.freeze) and release.role == AppRole.COMMANDER


def tell_refused(refused: RefusedPromotion) -> ChangeEvent:
    """The event of a promotion that was refused: nothing came of it, so nothing is after it."""
    asked, frozen = refused.asked, refused.frozen
    return happened(
        EventKind.PROMOTION_REFUSED,
        f"promotion-refused-{refused.name}",
        asked.service,
        asked.registered_at,
        actor=asked.who,
        role=asked.role,
        what=f"was refused the promotion of release {asked.version} on deployment"
        f" {asked.deployment}",
        why=refused.reason,
        evidence={"change_freeze": asked.freeze, "set_by": frozen.by, "asked": asked.said()},
        configuration_digest=asked.configuration_digest,
    )
