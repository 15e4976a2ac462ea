"""Review: what a second person must look at afterwards is listed, closed, and told when overdue."""

from contextlib import suppress
from typing import Any

import msgspec

from shared.domain.incidents.incident import Incident
from shared.domain.reviews.review import OWN_DEED, Review, Revised, conclude, remind
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Conflict, NotAllowed, NotFound, RejectedInput
from shared.protocol.leftovers import Leftovers
from shared.protocol.reviews import open_reviews, read_review
from shared.protocol.revise import Revision, revise
from shared.services import Services

LONGEST_CONCLUSION = 4_000


class Closing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person concluded."""

    conclusion: str


async def show_reviews(services: Services, _request: Request) -> Answer:
    """All reviews that are open, the first due first. Raises Unavailable."""
    now = services.now()
    found = await open_reviews(services)
    return json_answer(
        {"reviews": [{**_shown(one), "overdue": one.is_overdue(now)} for one in found]}
    )


async def close_review(services: Services, request: Request) -> Answer:
    """Close a review with a conclusion.

    Raises RejectedInput, NotFound, Unavailable, NotAllowed for whoever acted or asked for it, and
    Conflict where it is closed already.
    """
    said = request.read(Closing)
    conclusion, caller = said.conclusion.strip(), request.actor
    if not 0 < len(conclusion) <= LONGEST_CONCLUSION:
        allowed = f"conclusion must have 1 to {LONGEST_CONCLUSION} characters"
        raise RejectedInput("wrong-conclusion", allowed)
    review = (await read_review(services, request.path["id"])).value
    if review.is_own(caller.id):
        raise NotAllowed(OWN_DEED)

    def take(incident: Incident) -> Revision:
        now = services.now()
        closed = conclude(
            incident, review, who=caller.id, role=caller.role, conclusion=conclusion, now=now
        )
        return _revision(closed)

    step = await revise(services, review.incident, take)
    if step.incident is None:
        raise Conflict(step.reason)
    return json_answer(_shown((await read_review(services, review.id)).value))


async def remind_reviewers(services: Services, leftovers: Leftovers) -> None:
    """Tell of every review that is overdue, once a day. Raises Unavailable."""
    now = services.now()
    for review in leftovers.reviews:
        if review.wants_reminder(now):
            with suppress(Conflict, NotFound):  # somebody has closed it, or is at it
                await _remind(services, review.id)


async def _remind(services: Services, review_id: str) -> None:
    found = await read_review(services, review_id)

    def take(incident: Incident) -> Revision:
        return _revision(remind(incident, found.value, found.etag, services.now()))

    await revise(services, found.value.incident, take)


def _revision(revised: Revised) -> Revision:
    return Revision(step=revised.step, writes=revised.writes)


def _shown(review: Review) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(review)
    del shown["type"]
    return shown
