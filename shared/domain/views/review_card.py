"""The card that reminds the commander of a mandatory review which is overdue. Once a day each.

Unlike the cards of an incident it may come again, until somebody has closed the review.
"""

from datetime import datetime
from typing import Any

from shared.domain.catalog import Service
from shared.domain.incidents.incident import Incident
from shared.domain.reviews.review import Review
from shared.domain.views import briefing
from shared.domain.views.card_elements import banner, envelope, fact_set, link_button, text_block
from shared.domain.views.reviews import KINDS
from shared.domain.wording import duration, moment, plain


def render_review_card(
    review: Review, incident: Incident, service: Service | None, console: str, now: datetime
) -> dict[str, Any]:
    """Draw the card; `console` is the console's address, where the review is closed."""
    zone = service.time_zone if service else "UTC"
    title = plain(service.title if service else incident.service)
    late = duration(now - review.due_at)
    items = [
        text_block("A mandatory review is overdue", 200, size="Medium", weight="Bolder"),
        text_block(f"{title} · {incident.id} · {late} late", 700, size="Small"),
    ]
    facts = {
        "Due": moment(review.due_at, zone, now),
        "Acted": plain(review.opened_by),
        "Command": briefing.command(incident),
    }
    body = [
        banner("warning", items),
        text_block(f"{KINDS[review.kind]}. {plain(review.why)}", 900),
        fact_set(facts),
        text_block("Whoever acted cannot close it: another person concludes.", 200, isSubtle=True),
    ]
    buttons = [
        *link_button("Close the review", f"{console}/#reviews"),
        *link_button("Open the incident", f"{console}/incidents/{incident.id}"),
    ]
    return envelope(body, buttons)
