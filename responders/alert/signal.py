"""Signal: a service tells of a breach itself; it is made durable, and only then answered 202.

First step of the fast lane, the counterpart of ingest: the same intake, the same triage, the same
incident with the alert of Azure Monitor that follows. Only an app that the service's own file names
may tell of it.
"""

import math

from shared.domain.alerts.alert import Condition
from shared.domain.signals.signal import (
    ROUTE,
    Signal,
    alert_of,
    may_tell,
    owner_of,
    read_signal,
)
from shared.domain.views.http import Answer, Request, json_answer
from shared.domain.views.problem import Problem, answer_of
from shared.errors import NotAllowed, RejectedInput
from shared.protocol.alarm.keeper import take_in
from shared.protocol.intake import SIGNAL
from shared.services import Services


async def take_signal(services: Services, request: Request) -> Answer:
    """Accept the signal of a request. Raises RejectedInput, NotAllowed and Unavailable."""
    try:
        signal = read_signal(request.body, services.now(), services.redactor)
        service = owner_of(signal, services.catalog)
        if not may_tell(service, request.actor.app_id):
            raise NotAllowed(f"the file of {service.name} does not name this app in signals")
        alert = alert_of(signal, service)
    except RejectedInput as error:
        from shared.protocol.quarantine import keep_body  # noqa: PLC0415 - few ever need it

        await keep_body(services, ROUTE, request.body, error)
        raise
    begins = alert.condition is Condition.FIRED
    wait_s = services.memory.allowance.wait_s(service.name, services.now(), begins=begins)
    if wait_s:
        return _slow_down(signal, wait_s)
    delivery, new = await take_in(services, alert, source=SIGNAL)
    status = "accepted" if new else "duplicate"
    judged = alert.reading.judged if alert.reading else ""
    return json_answer({"delivery": delivery, "status": status, "judged": judged}, 202)


def _slow_down(signal: Signal, wait_s: float) -> Answer:
    problem = Problem(
        type="urn:backstop:problem:too-many-signals",
        title="Too many signals",
        status=429,
        detail=f"{signal.service} has sent as many signals as are taken at once.",
        retry_after_s=math.ceil(wait_s),
    )
    return answer_of(problem)
