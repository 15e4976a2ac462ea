"""Health: what the last check of a service found."""

from shared.domain.health.report import HealthReport
from shared.domain.views.http import Answer, Request, json_answer
from shared.errors import NotFound, RejectedInput
from shared.protocol.health import read_health
from shared.services import Services


async def show_health(services: Services, request: Request) -> Answer:
    """What the last health check of a service found.

    Raises RejectedInput, NotFound and Unavailable.
    """
    name = request.query.get("service", "")
    if name not in services.catalog.services:
        known = ", ".join(sorted(services.catalog.services))
        raise RejectedInput("unknown-service", f"service is one of {known}")
    found = await read_health(services, name)
    if found is None:
        raise NotFound(f"{name} was not checked yet")
    return json_answer(_shown(found.value))


def _shown(report: HealthReport) -> dict[str, object]:
    return {
        "service": report.service,
        "at": report.at,
        "verdict": report.verdict,
        "first_failing": report.first_failing,
        "findings": [
            {
                "part": one.part,
                "name": one.name,
                "verdict": one.verdict,
                "sentence": one.sentence,
                "good": one.good,
                "total": one.total,
                "low": one.low,
                "high": one.high,
                "since": one.since,
            }
            for one in report.findings
        ],
    }
