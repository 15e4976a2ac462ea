"""Evidence: an auditor asks for a bundle, sees how far it has come, and takes it away.

The responder only takes the order and hands out what is there; the executor collects. Every bundle
that was made is in the ledger itself, with who asked for it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from shared.domain.evidence.order import Order, OrderState, new_order
from shared.domain.evidence.scope import make_scope, sentence_of
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import Unavailable
from shared.protocol.commit import read_incident
from shared.protocol.evidence.orders import (
    BUNDLES,
    bundle_name,
    newest_orders,
    place_order,
    read_order,
)
from shared.services import Services

ZIP = "application/zip"


class EvidenceRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bundle is to be about: an incident, or a period with a time zone."""

    incident: str = ""
    since: datetime | None = None
    until: datetime | None = None


class EvidenceForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page's forms say: an incident, or the first and the last day of a period in UTC."""

    incident: str = ""
    first: date | None = None
    last: date | None = None


async def order_evidence(services: Services, request: Request) -> Answer:
    """Order a bundle about an incident or a period. Raises RejectedInput, NotFound, Unavailable."""
    asked = request.read(EvidenceRequest)
    now = services.now()
    scope = make_scope(now, incident=asked.incident, since=asked.since, until=asked.until)
    if scope.incident:
        await read_incident(services, scope.incident)
    order = new_order(scope, request.actor.id, request.actor.role, now)
    await place_order(services, order)
    return json_answer(shown(order), status=202)


async def order_by_form(services: Services, request: Request) -> Answer:
    """The same from the page's forms, which know whole days. Raises as `order_evidence` does."""
    said = request.read(EvidenceForm)
    asked = EvidenceRequest(incident=said.incident)
    if said.first and said.last:
        ends = min(_midnight(said.last) + timedelta(days=1), services.now())
        asked = EvidenceRequest(since=_midnight(said.first), until=ends)
    body = msgspec.json.encode(asked)
    return await order_evidence(services, msgspec.structs.replace(request, body=body))


async def show_orders(services: Services, request: Request) -> Answer:
    """The newest orders, and how far each has come. Raises RejectedInput, Unavailable."""
    orders = await newest_orders(services, request.limit())
    return json_answer({"evidence": [shown(order) for order in orders]})


async def hand_out(services: Services, request: Request) -> Answer:
    """The bundle as a zip file; as long as there is none, how far it has come.

    Raises NotFound, Unavailable.
    """
    order = await read_order(services, request.path["id"])
    if order.state is not OrderState.DONE:
        return json_answer(
            shown(order), status=202 if order.state is not OrderState.FAILED else 200
        )
    data = await services.blobs.read(BUNDLES, bundle_name(order))
    if data is None:
        raise Unavailable("blobs", f"the bundle of {order.id} is not there", 30.0)
    name = f'attachment; filename="{order.id}.zip"'
    headers = {"Content-Disposition": name, "ETag": f'"{order.sha256}"'}
    return Answer(body=data, content_type=ZIP, headers=headers)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def shown(order: Order) -> dict[str, Any]:
    """An order as the API shows it."""
    said = msgspec.to_builtins(order)
    return {**said, "about": sentence_of(order.scope)}
