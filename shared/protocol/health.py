"""Where the report of the last health check lies: the executor writes it, people read it."""

from shared.domain.health.report import HealthReport
from shared.domain.keys import shard_of
from shared.domain.row import Stored
from shared.services import Services


def health_row(service: str) -> str:
    """Where the last report of a service lies, in its shard."""
    return f"health|{service}"


async def read_health(services: Services, service: str) -> Stored[HealthReport] | None:
    """The last report of a service. Raises Unavailable."""
    return await services.state.read(shard_of(service), health_row(service), HealthReport)
