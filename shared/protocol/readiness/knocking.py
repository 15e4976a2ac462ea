"""Knocking: ask each part for the least that it can be asked, to see whether one is let in.

`responders.watching.ready_responder` and `responders.watching.ready_executor` knock with their own
app's identity, `make doctor` with that of whoever runs it. Where the right to write counts, what is
asked for is a write that changes nothing: its key is of nothing, and its condition can never be
met. Nobody is paged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from shared.domain.app_event import AppEvent
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.event import ITSELF
from shared.domain.message import CHANGES, WORK
from shared.domain.readiness.check import Area
from shared.domain.readiness.sight import Saw, Sight
from shared.errors import (
    Conflict,
    Misconfigured,
    Missing,
    NotFound,
    Refused,
    RejectedInput,
    Unavailable,
)
from shared.services import Services

NOWHERE = "readiness"  # a partition and a prefix that hold nothing
EVENT = "backstop.readiness"
DAY = timedelta(days=1)

type Ask = Callable[[], Awaitable[object]]


class Anything(msgspec.Struct, frozen=True):
    """A row that is read for the right to read it."""


async def knock(
    area: Area, name: str, ask: Ask, service: str = "", *, writing: bool = False
) -> Sight:
    """Ask, and tell what came of it."""
    saw, detail = Saw.THERE, ""
    try:
        await ask()
    except Refused as error:
        saw, detail = Saw.REFUSED, error.detail
    except (Missing, NotFound, Conflict) as error:
        saw, detail = Saw.MISSING, str(error)
    except (Unavailable, RejectedInput) as error:
        saw, detail = Saw.SILENT, error.detail
    except Misconfigured as error:
        saw, detail = Saw.UNSET, str(error)
    return Sight(area=area, name=name, saw=saw, detail=detail, service=service, writing=writing)


async def knock_to_write(area: Area, name: str, ask: Ask) -> Sight:
    """The same, where what is asked for is a write that changes nothing."""
    return await knock(area, name, ask, writing=True)


async def knock_everywhere(services: Services) -> list[Sight]:
    """Where both apps go in: an identity, the tables, the topics, the logs."""
    knocks = (
        knock(Area.IDENTITY, "an access token", lambda: services.control_plane.identify()),  # noqa: PLW0108 - made within the knock
        knock(Area.TABLES, "state", lambda: services.state.scan(NOWHERE, "", Anything, limit=1)),
        knock(
            Area.TABLES,
            "deliveries",
            lambda: services.deliveries.scan(NOWHERE, "", Anything, limit=1),
        ),
        knock(Area.TABLES, "index", lambda: services.index.scan(NOWHERE, "", Anything, limit=1)),
        knock(Area.TABLES, "ledger", lambda: services.ledger.scan(NOWHERE, "", Anything, limit=1)),
        knock_to_write(Area.TABLES, "state", lambda: services.state.try_writing(NOWHERE)),
        knock_to_write(Area.TABLES, "deliveries", lambda: services.deliveries.try_writing(NOWHERE)),
        knock_to_write(Area.TABLES, "index", lambda: services.index.try_writing(NOWHERE)),
        knock(Area.BUS, f"topic {WORK}", lambda: services.bus.warm((WORK,))),
        knock(Area.BUS, f"topic {CHANGES}", lambda: services.bus.warm((CHANGES,))),
    )
    return [*await asyncio.gather(*knocks), await _knock_logs(services)]


async def knock_for_the_app(services: Services, app: str) -> list[Sight]:
    """What only an app itself can find out: that it gets its secrets, and may tell telemetry.

    A machine of one's own has no vault that anything is taken from.
    """
    told = knock(Area.TELEMETRY, "Application Insights", lambda: _tell(services, app))
    if services.settings.local and not services.settings.vault:
        return [await told]
    secrets = knock(Area.VAULT, "the app's secrets", lambda: services.secrets.try_reading())  # noqa: PLW0108 - made within the knock
    return list(await asyncio.gather(told, secrets))


async def _tell(services: Services, app: str) -> None:
    """One event: whoever may not tell it is refused at once, where the host's own only go missing.

    Raises as `AppEvents.send` does, and Misconfigured.
    """
    if services.app_events is None:
        raise Misconfigured("APPLICATIONINSIGHTS_CONNECTION_STRING is not set")
    event = AppEvent(name=EVENT, role=ITSELF, at=services.now(), properties={"backstop.app": app})
    await services.app_events.send([event])


async def ask_for_role_changes(services: Services) -> QueryAnswer:
    """When roles were last given or taken away, within the last day."""
    return await services.logs.query("role_changes", Since=services.now() - DAY)


async def _knock_logs(services: Services) -> Sight:
    area, name, answer = Area.LOGS, "the workspace", await ask_for_role_changes(services)
    if answer.status in (AnswerStatus.COMPLETE, AnswerStatus.EMPTY):
        return Sight(area=area, name=name, saw=Saw.THERE)
    refused = answer.detail.startswith(("401", "403"))
    saw = Saw.REFUSED if refused else Saw.SILENT
    return Sight(area=area, name=name, saw=saw, detail=answer.detail)
