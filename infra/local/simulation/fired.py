"""Alerts Management of the local world: what was fired, whether or not anybody was told.

Whoever fires an alert registers it here, as Azure does, before an action group is called. The API
is the one call that Backstop makes, *Get All*: filtered by time, newest change first, in pages. Its
times are a little off from those of the webhook, as Azure's may be.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.alerts import LogAlert, stamp
from infra.local.foundry.rules import ArmError

PATH = "/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts"
MOST_WITH_CONTEXT = 25
MOST = 250
OFF = timedelta(seconds=1.5)  # between the webhook's times and these
RANGES = {
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


class AlertsManagement:
    """All alerts by subscription and name. `delivering` is off in a blackout: nobody is called."""

    def __init__(self) -> None:
        self.delivering = True
        self._alerts: dict[tuple[str, str], LogAlert] = {}

    def register(self, alert: LogAlert) -> None:
        """Know an alert, or that it has ended."""
        self._alerts[_subscription(alert), alert.number] = alert

    def route(self) -> Route:
        """The API, for the ARM server."""
        return Route(PATH, self._get_all)

    async def _get_all(self, request: Request) -> Response:
        _admit(request)
        asked = request.query_params
        subscription = request.path_params["subscription"].lower()
        since = datetime.now(UTC) - RANGES.get(asked.get("timeRange", "1d"), RANGES["1d"])
        found = [
            alert
            for (where, _), alert in self._alerts.items()
            if where == subscription and alert.fired_at >= since
        ]
        found.sort(key=_changed_at, reverse=asked.get("sortOrder", "desc") == "desc")
        return _page(request, found)


def _page(request: Request, found: list[LogAlert]) -> Response:
    asked = request.query_params
    with_context = asked.get("includeContext") == "true"
    size = min(int(asked.get("pageCount", 25)), MOST_WITH_CONTEXT if with_context else MOST)
    first = int(asked.get("ctoken", 0))
    shown = [_entry(alert, with_context) for alert in found[first : first + size]]
    following = request.url.include_query_params(ctoken=first + size)
    link = str(following) if first + size < len(found) else None
    content = msgspec.json.encode({"value": shown, "nextLink": link})
    return Response(content, media_type="application/json")


def _entry(alert: LogAlert, with_context: bool) -> Mapping[str, Any]:
    data = alert.body()["data"]
    told = data["essentials"]
    target = told["alertTargetIDs"][0]
    rules = f"{_scope(alert)}/providers/microsoft.insights/scheduledqueryrules"
    essentials = {
        "severity": told["severity"],
        "signalType": told["signalType"],
        "alertState": "New",
        "monitorCondition": told["monitorCondition"],
        "monitorService": told["monitoringService"],
        "targetResource": target,
        "targetResourceName": target.rsplit("/", 1)[-1],
        "sourceCreatedId": told["originAlertId"],
        "alertRule": f"{rules}/{alert.rule}",
        "startDateTime": stamp(alert.fired_at + OFF),
        "lastModifiedDateTime": stamp(_changed_at(alert) + OFF),
        "actionStatus": {"isSuppressed": False},
        "description": told["description"],
    }
    if alert.resolved_at:
        essentials["monitorConditionResolvedDateTime"] = stamp(alert.resolved_at + OFF)
    context = {"context": data["alertContext"]} if with_context else {}
    return {
        "id": f"{target}/providers/Microsoft.AlertsManagement/alerts/{alert.number}",
        "name": alert.rule,
        "type": "Microsoft.AlertsManagement/alerts",
        "properties": {"essentials": essentials, **context},
    }


def _changed_at(alert: LogAlert) -> datetime:
    return alert.resolved_at or alert.fired_at


def _scope(alert: LogAlert) -> str:
    return "/".join(alert.target.split("/")[:3])


def _subscription(alert: LogAlert) -> str:
    return alert.target.split("/")[2].lower()


def _admit(request: Request) -> None:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        raise ArmError(401, "InvalidAuthenticationToken", "The access token is invalid")
    if "api-version" not in request.query_params:
        raise ArmError(400, "MissingApiVersionParameter", "api-version is required")
