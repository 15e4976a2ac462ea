"""Recheck: what a plan rests on is looked at once more when somebody approves it.

The kill switch, the change freezes, and the endpoint as the executor saw it last: the app that has
public HTTP cannot read the endpoint itself. What is not so any more makes another plan. The
executor looks at all of it again, and right before the write a third time.
"""

from shared.domain.approvals.approval import ApprovalRequest
from shared.domain.approvals.outdated import Found, put_aside, what_changed
from shared.domain.decisions.control import Controls
from shared.domain.decisions.endpoint import parse_target
from shared.domain.freezes.frozen import frozen_now
from shared.domain.incidents.incident import Incident
from shared.errors import Conflict, Unavailable
from shared.protocol.lineage import read_sighting
from shared.protocol.records import read_controls
from shared.protocol.revise import Revision, revise
from shared.services import Services


async def recheck(services: Services, incident: Incident, request: ApprovalRequest) -> None:
    """Nobody approves what would not be done, nor what is not so any more.

    Raises Unavailable where the controls cannot be read, and Conflict with the reason.
    """
    controls = await read_controls(services)
    if not controls.known:
        raise Unavailable("tables", "the kill switches cannot be read")
    now, switches = services.now(), controls.kill_switches
    on = next((one for one in switches if one.stops(incident.service, now)), None)
    if on is not None:
        raise Conflict(f"The kill switch is on for {on.scope}, so nothing is moved: {on.reason}")
    changed = await _changed(services, request, controls)
    if changed:
        await _make_another(services, incident, request, changed)
        raise Conflict(f"{changed} Another plan is made: see incident {incident.id}.")


async def _changed(services: Services, request: ApprovalRequest, controls: Controls) -> str:
    service = services.catalog.services.get(request.plan.service)
    if service is None:  # its file is broken meanwhile, and the executor refuses
        return ""
    seen = await read_sighting(services, service, parse_target(request.plan.target))
    now = services.now()
    found = Found(
        frozen=frozen_now(services.catalog, controls, service.name, now),
        sighting=seen.value if seen else None,
        now=now,
    )
    return what_changed(request, service.policy, found)


async def _make_another(
    services: Services, incident: Incident, request: ApprovalRequest, why: str
) -> None:
    def take(current: Incident) -> Revision:
        return Revision(step=put_aside(current, request, why, services.now()))

    await revise(services, incident.id, take)
