"""The ingestion route of Application Insights: custom events, as an app posts them itself.

Takes what a connection string's IngestionEndpoint takes, as far as the product sends it: an array
of envelopes of base type EventData. They are rows of AppEvents at once.
"""

from datetime import datetime
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from infra.local.logs.store import Row, TelemetryStore


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    properties: dict[str, str] = {}
    measurements: dict[str, float] = {}


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    kind: str = msgspec.field(name="baseType")
    event: _Event = msgspec.field(name="baseData")


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    time: datetime
    data: _Data
    tags: dict[str, Any] = {}


async def take_events(request: Request) -> JSONResponse:
    """Append the events of a request; 400 where it is none that we know."""
    store: TelemetryStore = request.app.state.store
    try:
        envelopes = msgspec.json.decode(await request.body(), type=list[_Envelope])
    except msgspec.DecodeError as error:
        return JSONResponse({"errors": [{"message": str(error)}]}, 400)
    if any(one.data.kind != "EventData" for one in envelopes):
        return JSONResponse({"errors": [{"message": "only EventData is taken here"}]}, 400)
    await run_in_threadpool(store.append, "AppEvents", [_row(one) for one in envelopes])
    counted = {"itemsReceived": len(envelopes), "itemsAccepted": len(envelopes), "errors": []}
    return JSONResponse(counted)


def _row(envelope: _Envelope) -> Row:
    event, tags = envelope.data.event, envelope.tags
    return {
        "TimeGenerated": envelope.time,
        "AppRoleName": str(tags.get("ai.cloud.role", "")),
        "AppRoleInstance": str(tags.get("ai.cloud.roleInstance", "")),
        "Name": event.name,
        "Properties": event.properties,
        "Measurements": event.measurements,
    }
