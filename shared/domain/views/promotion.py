"""Promotion: what a pipeline is told that asked for the gate while promotions are frozen.

The last step of `responders.watching.register` where it refuses. The detail is for whoever reads
the pipeline's log, the member `freeze` for the pipeline.
"""

from datetime import datetime

import msgspec

from shared.domain.freezes.frozen import Frozen
from shared.domain.freezes.promotion import RefusedPromotion
from shared.domain.views.problem import Problem

_THEN = (
    "Nothing was registered. Ask again when it has ended; where a hotfix cannot wait, a commander"
    " registers this very release, and the gate lets it by."
)


class CitedFreeze(msgspec.Struct, frozen=True, kw_only=True):
    """The freeze of a refusal. `by` set it, "" where no person did; `until` where it is known."""

    name: str
    scope: str
    reason: str
    by: str
    until: datetime | None


class FrozenProblem(Problem, frozen=True, kw_only=True, omit_defaults=True):
    """A problem that names the freeze by which a promotion is refused."""

    freeze: CitedFreeze


def refuse_promotion(refused: RefusedPromotion) -> FrozenProblem:
    """The answer 409 to a promotion that is refused: by what, by whom, until when, and what now."""
    frozen = refused.frozen
    who = f", set by {frozen.by}" if frozen.by else ""
    return FrozenProblem(
        type="urn:backstop:problem:promotions-frozen",
        title="Promotions are frozen",
        status=409,
        detail=f"{refused.reason}{who}. {_THEN}",
        freeze=_cited(frozen),
    )


def _cited(frozen: Frozen) -> CitedFreeze:
    return CitedFreeze(
        name=frozen.name,
        scope=frozen.scope,
        reason=frozen.reason,
        by=frozen.by,
        until=frozen.until,
    )
