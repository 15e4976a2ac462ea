"""What ARM tells of rights and alert rules in the local world, for the readiness probe.

The rules are those that a deployment of the world's catalog has; of services that have customers
the world evaluates them. Everything may be done, until somebody takes a right away: `denied` are
the actions that nobody has any more.
"""

from collections.abc import Iterable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.foundry.rules import ArmError
from shared.domain.catalog import Service
from shared.domain.detection.rules import rules_of

RULES = "/subscriptions/{subscription}/providers/Microsoft.Insights/scheduledQueryRules"
GROUPS = "/subscriptions/{subscription}/providers/Microsoft.Insights/actionGroups"
GROUP = "ag-backstop-local"
PERMISSIONS = "/{scope:path}/providers/Microsoft.Authorization/permissions"


class ControlPlane:
    """Rights and rules of one world."""

    def __init__(self, services: Iterable[Service], webhook: str) -> None:
        self.denied: list[str] = []
        self._webhook = webhook
        self._names = sorted({rule.name for service in services for rule in rules_of(service)})

    def routes(self) -> tuple[Route, ...]:
        """The API, for the ARM server; what matches these matches no other."""
        return (
            Route(RULES, self._list_rules),
            Route(GROUPS, self._list_groups),
            Route(PERMISSIONS, self._list_permissions),
        )

    async def _list_rules(self, request: Request) -> Response:
        _admit(request)
        on = {"enabled": True, "actions": {"actionGroups": [GROUP]}}
        return _json({"value": [{"name": name, "properties": on} for name in self._names]})

    async def _list_groups(self, request: Request) -> Response:
        _admit(request)
        receiver = {
            "name": "responder",
            "serviceUri": self._webhook,
            "useAadAuth": True,
            "useCommonAlertSchema": True,
        }
        group = {"name": GROUP, "properties": {"enabled": True, "webhookReceivers": [receiver]}}
        return _json({"value": [group]})

    async def _list_permissions(self, request: Request) -> Response:
        _admit(request)
        return _json({"value": [{"actions": ["*"], "notActions": self.denied}]})


def _admit(request: Request) -> None:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        raise ArmError(401, "InvalidAuthenticationToken", "The access token is invalid")
    if "api-version" not in request.query_params:
        raise ArmError(400, "MissingApiVersionParameter", "api-version is required")


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
