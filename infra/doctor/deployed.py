"""A deployment: looked at with one's own identity, beside what each app found of itself.

Where a part refuses you that says nothing of the app, so it is `unknown`. Nothing is written but,
where it is asked for, the traffic of an endpoint as it is, inside its service's own maintenance.
"""

import asyncio

import msgspec

from infra.azure.tools import ToolFailed, az
from infra.doctor.api import NotRunning, ask
from infra.doctor.table import Findings, Part
from responders.watching.ready_executor import look_at_executor
from responders.watching.ready_responder import look_at_responder
from shared.domain.catalog import Service
from shared.domain.decisions.endpoint import WriteVerdict, parse_target
from shared.domain.readiness.check import Area, Check, failed, passed, unknown
from shared.domain.readiness.observed import MOVES, targets_of
from shared.domain.readiness.report import Report
from shared.domain.readiness.stage import stage_of_all
from shared.domain.windows import occurring
from shared.errors import RejectedInput, Unavailable
from shared.protocol.readiness.standing import read_reports, stages
from shared.services import Services
from shared.settings import Settings, read_settings

NAME = "a write that changes nothing"
DEADLINE_S = 60.0


async def look_at_deployment(services: Services | None = None, *, write: bool) -> Findings:
    """Everything that can be seen from here. Raises Misconfigured where a setting is missing."""
    known = services or Services(_as_you(read_settings()))
    try:
        mine = [
            *(await look_at_responder(known, by_the_app=False)).checks,
            *(await look_at_executor(known, by_the_app=False)).checks,
            *[await _write_noop(known, *one, write=write) for one in _movable(known)],
        ]
        told = await _told(known)
    finally:
        if services is None:
            await known.close()
    whose = "From here, as you"
    own = tuple({check.key: check for check in mine}.values())
    return msgspec.structs.replace(told, parts=(Part(whose=whose, checks=own), *told.parts))


def _as_you(settings: Settings) -> Settings:
    """Your own sign-in is used where the settings name a deployment, by addresses and no keys."""
    return msgspec.structs.replace(settings, local="=" in settings.tables)


def _part(report: Report) -> Part:
    whose = f"The {report.app}, by itself at {report.at:%Y-%m-%d %H:%M} UTC"
    return Part(whose=whose, checks=report.checks)


async def _told(services: Services) -> Findings:
    """What both apps found of themselves: from the tables, else by the API, else nothing."""
    try:
        return _findings(services, await read_reports(services))
    except Unavailable:
        pass
    try:
        token = await asyncio.to_thread(_your_token, services.settings.audience)
        return await ask(services.settings.public_url, token, moment="%Y-%m-%d %H:%M")
    except (ToolFailed, NotRunning):
        return _findings(services, [])


def _findings(services: Services, reports: list[Report]) -> Findings:
    standings = stages(services, reports)
    return Findings(
        parts=tuple(map(_part, reports)),
        stage=stage_of_all(standings),
        standings=tuple(standings),
    )


def _your_token(audience: str) -> str:
    """A token of yours for the API, by the sign-in of `az`. Raises ToolFailed."""
    return str(az("account", "get-access-token", "--resource", f"api://{audience}")["accessToken"])


def _movable(services: Services) -> list[tuple[Service, str]]:
    every = services.catalog.services.values()
    return [(one, target) for one in every if one.mode in MOVES for target in targets_of(one)]


async def _write_noop(services: Services, service: Service, target: str, *, write: bool) -> Check:
    area, name = Area.ENDPOINTS, f"{target.rpartition('/')[2]}: {NAME}"
    if not write or occurring(service.maintenance, services.now()) is None:
        why = "no maintenance window is open now" if write else "it was not asked for"
        mend = "in a maintenance window of the service: python -m infra.doctor --write-noop"
        return unknown(area, name, f"not tried: {why}", mend, service.name)
    wanted = parse_target(target)
    try:
        now = await services.endpoints.read(wanted)
        answer = await services.endpoints.write_traffic(
            wanted, now.traffic, deadline_s=DEADLINE_S, expected=now.fingerprint
        )
    except (Unavailable, RejectedInput) as error:
        return unknown(area, name, str(error), "run it again", service.name)
    if answer.verdict is WriteVerdict.ACCEPTED:
        return passed(area, name, "the service took it", service.name)
    return failed(area, name, f"{answer.verdict}: {answer.detail}", "azd provision", service.name)
