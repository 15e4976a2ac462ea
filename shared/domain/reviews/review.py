"""The mandatory review: something was done that usually waits for a second person; one looks later.

Opened in the same transaction as what it is about, closed by a person who is not the one who acted.
It lies in the shard of its incident, under `~` as long as it is open, so that every tick finds it;
one that is overdue is told once a day. The incident keeps the ids of those that are open.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, Step, tell
from shared.domain.keys import digest
from shared.domain.row import Put, Remove, Write
from shared.domain.workdays import after_workdays

REMIND_EVERY = timedelta(days=1)
_MARK = "-R"


class ReviewKind(StrEnum):
    """Why a second person must look afterwards."""

    EMERGENCY_WAIVER = "emergency-waiver"
    LONE_APPROVAL = "lone-approval"
    MANUAL_OVERRIDE = "manual-override"
    FREEZE_HOTFIX = "freeze-hotfix"


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be reviewed: `by` whom it was done, by which `role`, and why as a sentence.

    `asked_by` is the person who had asked for it, "" where nobody did. It is due within so many
    working `days` of the `zone`.
    """

    kind: ReviewKind
    about: str
    why: str
    by: str
    role: str = ""
    asked_by: str = ""
    days: int
    zone: str


class Review(msgspec.Struct, frozen=True, kw_only=True, tag="review"):
    """One review. `opened_by` is who acted, "backstop" for automation; `why` is a sentence.

    `asked_by` is the person who had asked for it, "" where nobody did. `about` is the plan's id, or
    whatever else tells two reviews of one incident apart.
    """

    id: str
    incident: str
    service: str
    kind: ReviewKind
    about: str
    why: str
    opened_at: datetime
    due_at: datetime
    opened_by: str
    asked_by: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    conclusion: str = ""
    reminded_at: datetime | None = None

    @property
    def row(self) -> str:
        """Where it lies in its incident's shard."""
        return open_row(self.id) if self.closed_at is None else closed_row(self.id)

    def is_own(self, who: str) -> bool:
        """Whether it is about what this person did, or had asked for."""
        return who in (self.opened_by, self.asked_by)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been closed by now."""
        return self.closed_at is None and now >= self.due_at

    def wants_reminder(self, now: datetime) -> bool:
        """Whether somebody is to be told again that it is overdue."""
        told = self.reminded_at
        return self.is_overdue(now) and (told is None or now - told >= REMIND_EVERY)


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """What a step makes of a review: the incident with its event, and the rows to store with it."""

    step: Step
    writes: tuple[Write, ...] = ()


def open_row(review_id: str) -> str:
    """The row of a review that is open."""
    return f"~review|{review_id}"


def closed_row(review_id: str) -> str:
    """The row of a review that is closed."""
    return f"review|{review_id}"


def incident_of(review_id: str) -> str:
    """The incident that the review's id names; "" where it is no such id."""
    incident, mark, _ = review_id.rpartition(_MARK)
    return incident if mark else ""


def open_review(incident: Incident, opening: Opening, now: datetime) -> Revised:
    """Open a review, once for what it is about.

    The step's incident is the given one, without an event, where it is open already.
    """
    kind = opening.kind
    review = Review(
        id=f"{incident.id}{_MARK}{digest(kind, opening.about)[:8].upper()}",
        incident=incident.id,
        service=incident.service,
        kind=kind,
        about=opening.about,
        why=opening.why,
        opened_at=now,
        due_at=after_workdays(now, opening.days, opening.zone).astimezone(now.tzinfo),
        opened_by=opening.by,
        asked_by=opening.asked_by,
    )
    if review.id in incident.reviews:
        return Revised(step=Step(incident=incident))
    step = tell(
        incident,
        EventKind.REVIEW_OPENED,
        actor=opening.by,
        role=opening.role,
        what=f"opened a mandatory review ({kind}), due on {review.due_at:%Y-%m-%d %H:%M} UTC",
        why=opening.why,
        now=now,
        after=_told(review),
        changes={"reviews": (*incident.reviews, review.id)},
    )
    return Revised(step=step, writes=(Put(row=review.row, value=review),))


def conclude(
    incident: Incident, review: Review, *, who: str, role: str = "", conclusion: str, now: datetime
) -> Revised:
    """Close a review with what a person concluded; no incident, but the reason, where one may not.

    `conclusion` is not empty.
    """
    if review.id not in incident.reviews:
        return Revised(step=Step(incident=None, reason=f"review {review.id} is closed already"))
    if review.is_own(who):
        return Revised(step=Step(incident=None, reason=OWN_DEED))
    closed = msgspec.structs.replace(review, closed_by=who, closed_at=now, conclusion=conclusion)
    left = tuple(one for one in incident.reviews if one != review.id)
    step = tell(
        incident,
        EventKind.REVIEW_CLOSED,
        actor=who,
        role=role,
        what=f"closed the mandatory review ({review.kind})",
        why=conclusion,
        now=now,
        before=_told(review),
        after=_told(closed),
        changes={"reviews": left},
    )
    writes = (Remove(row=review.row), Put(row=closed.row, value=closed))
    return Revised(step=step, writes=writes)


OWN_DEED = "whoever acted, or asked for it, does not review it: another person must"


def remind(incident: Incident, review: Review, etag: str, now: datetime) -> Revised:
    """Tell that a review is overdue. `etag` is that of the review as it was read."""
    if review.id not in incident.reviews or not review.wants_reminder(now):
        return Revised(step=Step(incident=None, reason="nobody has to be reminded"))
    reminded = msgspec.structs.replace(review, reminded_at=now)
    step = tell(
        incident,
        EventKind.REVIEW_OVERDUE,
        actor="backstop",
        what=f"reminded of the mandatory review ({review.kind})",
        why=f"it was due on {review.due_at:%Y-%m-%d %H:%M} UTC",
        now=now,
        after=_told(review),
    )
    return Revised(step=step, writes=(Put(row=review.row, value=reminded, etag=etag),))


def _told(review: Review) -> dict[str, str]:
    """What the ledger keeps of it; the reasons are in the event itself."""
    return {
        "review": review.id,
        "kind": review.kind,
        "about": review.about,
        "due_at": review.due_at.isoformat(),
        "closed_by": review.closed_by,
    }
