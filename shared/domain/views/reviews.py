"""Mandatory reviews on the console's first page: what a second person must look at, and by when."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from shared.domain.catalog import Service
from shared.domain.reviews.review import Review, ReviewKind
from shared.domain.stamp import Stamp, stamp
from shared.domain.wording import plain

KINDS = {
    ReviewKind.EMERGENCY_WAIVER: "Moved without approval in an emergency",
    ReviewKind.LONE_APPROVAL: "Approved by one person alone",
    ReviewKind.MANUAL_OVERRIDE: "Done by one person against the rules",
    ReviewKind.FREEZE_HOTFIX: "Let by in a change freeze",
}


class ReviewLine(msgspec.Struct, frozen=True, kw_only=True):
    """One review that is open. `by` is who acted and may not close it; "" for automation."""

    id: str
    incident: str
    service: str
    title: str
    why: str
    by: str
    due: Stamp
    overdue: bool


def present_reviews(
    reviews: Iterable[Review], services: Mapping[str, Service], now: datetime
) -> tuple[ReviewLine, ...]:
    """Every open review, in the given order."""
    return tuple(_line(one, services.get(one.service), now) for one in reviews)


def _line(review: Review, service: Service | None, now: datetime) -> ReviewLine:
    return ReviewLine(
        id=review.id,
        incident=review.incident,
        service=service.title if service else review.service,
        title=KINDS[review.kind],
        why=plain(review.why),
        by="" if review.opened_by == "backstop" else plain(review.opened_by),
        due=stamp(review.due_at, service.time_zone if service else "UTC"),
        overdue=review.is_overdue(now),
    )
