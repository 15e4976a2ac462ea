"""Ingest: an alert comes in, is made durable, and only then is Azure Monitor told 202.

First step of the flow. A 500 would lose the alert for good, because Azure does not retry it: input
that can never be taken is kept in quarantine and answered 400, a part that is out answers 503.
"""

from shared.domain.alerts.alert import parse_alert
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import RejectedInput
from shared.protocol.alarm.keeper import take_in
from shared.protocol.intake import recall, remember
from shared.services import Services


async def ingest(services: Services, request: Request) -> Answer:
    """Accept the alert of a request. Raises RejectedInput and Unavailable."""
    known = recall(services, request.body)
    if known:
        return _answer(known, new=False)
    try:
        alert = parse_alert(request.body, services.now(), services.redactor)
    except RejectedInput as error:
        from shared.protocol.quarantine import keep_body  # noqa: PLC0415 - few ever need it

        await keep_body(services, "api/alerts", request.body, error)
        raise
    delivery, new = await take_in(services, alert)
    remember(services, request.body, delivery)
    return _answer(delivery, new=new)


def _answer(delivery: str, *, new: bool) -> Answer:
    return json_answer({"delivery": delivery, "status": "accepted" if new else "duplicate"}, 202)
