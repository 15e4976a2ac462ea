"""The scenes of readiness: what fell is told once, however the look at it was struck."""

from datetime import timedelta

from responders.watching.ready_executor import ready_executor
from responders.watching.ready_responder import ready_responder
from shared.domain.incidents.escalation import wakes
from shared.domain.readiness.report import Report
from shared.domain.readiness.rights import Rights
from shared.protocol.listing import open_incidents
from shared.protocol.waking import SHARD
from tests.fakes import FakeServices
from tests.fakes.scene import TARGET
from tests.simulation.crossing.jobs import Job
from tests.simulation.crossing.scenes import NOTHING

DAY_S = timedelta(days=1).total_seconds()


async def _role_removed(services: FakeServices) -> None:
    """The executor was ready a day ago; since then somebody took its rights on the endpoint."""
    await ready_executor(services.another("yesterday"), NOTHING)
    services.outside.wait(DAY_S)
    services.control_plane.given[TARGET] = Rights()


async def _door_opened(services: FakeServices) -> None:
    """Since the responder looked a day ago, its door lets in who has no token."""
    await ready_responder(services.another("yesterday"), NOTHING)
    services.outside.wait(DAY_S)
    services.doorbell.status = 200


async def _look_as_executor(services: FakeServices) -> None:
    await ready_executor(services, NOTHING)


async def _look_as_responder(services: FakeServices) -> None:
    await ready_responder(services, NOTHING)


async def _executor_fell(services: FakeServices) -> None:
    await _fell(services, "executor")


async def _responder_fell(services: FakeServices) -> None:
    await _fell(services, "responder")


async def _fell(services: FakeServices, app: str) -> None:
    """One incident that pages, and a report that says since when."""
    (incident,) = await open_incidents(services)
    assert wakes(incident)
    assert app in incident.title
    assert services.state.peek(SHARD, f"readiness|{app}", Report).at >= incident.opened_at


JOBS = (
    Job(name="ready_executor", prepare=_role_removed, run=_look_as_executor, holds=_executor_fell),
    Job(
        name="ready_responder", prepare=_door_opened, run=_look_as_responder, holds=_responder_fell
    ),
)
