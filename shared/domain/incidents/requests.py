"""What people and plans ask of an incident: a rollback that a person wants, an approval it awaits.

Kept in the incident itself, so that whatever ends the incident's step ends them in the same write.
"""

from datetime import datetime, timedelta

import msgspec

REQUEST_LASTS = timedelta(minutes=30)  # a diagnosis, and as long as an approval may take


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """The request for approval of the plan that waits, or waited last.

    `id` finds it (`shared.domain.approvals.approval`), `nonce` tells it from an earlier one for the
    very same plan.
    """

    id: str
    nonce: str
    expires_at: datetime


class RollbackRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A person asks for traffic to be moved: to the known good, or (a hotfix) to version `to`.

    It takes the place of an attributed cause in the next decision, and of nothing else.
    """

    by: str
    role: str
    reason: str
    at: datetime
    to: str = ""

    def stands(self, now: datetime) -> bool:
        """Whether it still is what somebody wants; an old one is asked anew."""
        return now - self.at <= REQUEST_LASTS
