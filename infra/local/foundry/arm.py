"""Azure Resource Manager for the workspaces of the world, as azure-ai-ml talks to it.

GET, PUT and DELETE of endpoints and deployments, long-running operations, and ARM's errors. The
door in front (`faults.Door`) keeps the journal and makes trouble; the rules stand in `rules`, the
changes in `writes`.
"""

from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from infra.local.foundry import writes
from infra.local.foundry.faults import Door
from infra.local.foundry.resources import PROVIDER, Document, Endpoint, Operation
from infra.local.foundry.rules import ArmError
from infra.local.foundry.world import World

_WORKSPACE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    f"/providers/{PROVIDER}/workspaces/{{workspace}}"
)
_ENDPOINTS = f"{_WORKSPACE}/onlineEndpoints"
_ENDPOINT = f"{_ENDPOINTS}/{{endpoint}}"
_DEPLOYMENT = f"{_ENDPOINT}/deployments/{{deployment}}"


def create_arm(world: World, *more: Route) -> ASGIApp:
    """Build the server. It must be uvicorn's own app, not mounted: see `Door`.

    `more` are routes of other resource providers, behind the same door.
    """
    desk = _Desk(world)
    routes = [
        Route(_WORKSPACE, desk.workspace),
        Route(_ENDPOINTS, desk.list_endpoints),
        Route(_ENDPOINT, desk.get_endpoint, methods=["GET"]),
        Route(_ENDPOINT, desk.put_endpoint, methods=["PUT"]),
        Route(_ENDPOINT, desk.delete_endpoint, methods=["DELETE"]),
        Route(f"{_ENDPOINT}/listKeys", desk.list_keys, methods=["POST"]),
        Route(f"{_ENDPOINT}/deployments", desk.list_deployments),
        Route(_DEPLOYMENT, desk.get_deployment, methods=["GET"]),
        Route(_DEPLOYMENT, desk.put_deployment, methods=["PUT"]),
        Route(_DEPLOYMENT, desk.delete_deployment, methods=["DELETE"]),
        Route(f"{_WORKSPACE}/operations/{{operation}}", desk.operation),
        *more,
    ]
    app = Starlette(routes=routes, exception_handlers={ArmError: _refusal})
    return Door(app=app, clock=world.clock, faults=world.faults, journal=world.journal)


class _Desk:
    """The handlers, with the world at hand."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def workspace(self, request: Request) -> Response:
        self._admit(request)
        return _json(_workspace_document(self._world))

    async def list_endpoints(self, request: Request) -> Response:
        self._admit(request)
        self._world.settle()
        return _json({"value": [self._view(e) for e in self._world.endpoints.values()]})

    async def get_endpoint(self, request: Request) -> Response:
        self._admit(request)
        return _json(self._view(self._world.endpoint(request.path_params["endpoint"])))

    async def put_endpoint(self, request: Request) -> Response:
        caller = self._admit(request)
        name = request.path_params["endpoint"]
        operation = writes.put_endpoint(self._world, name, await request.json(), caller)
        return self._accepted(operation, self._view(self._world.endpoint(name)))

    async def delete_endpoint(self, request: Request) -> Response:
        self._admit(request)
        writes.delete_endpoint(self._world, request.path_params["endpoint"])
        return Response(status_code=204)

    async def list_keys(self, request: Request) -> Response:
        self._admit(request)
        self._world.endpoint(request.path_params["endpoint"])
        return _json({"primaryKey": self._world.scoring_key, "secondaryKey": ""})

    async def list_deployments(self, request: Request) -> Response:
        self._admit(request)
        endpoint = self._world.endpoint(request.path_params["endpoint"])
        return _json({"value": [d.document for d in endpoint.deployments.values()]})

    async def get_deployment(self, request: Request) -> Response:
        self._admit(request)
        return _json(self._world.deployment(*_names(request)).document)

    async def put_deployment(self, request: Request) -> Response:
        caller = self._admit(request)
        names = _names(request)
        operation = writes.put_deployment(self._world, *names, await request.json(), caller)
        return self._accepted(operation, operation.resource.document)

    async def delete_deployment(self, request: Request) -> Response:
        self._admit(request)
        writes.delete_deployment(self._world, *_names(request))
        return Response(status_code=204)

    async def operation(self, request: Request) -> Response:
        self._admit(request)
        self._world.settle()
        operation = self._world.operations.get(request.path_params["operation"])
        if operation is None:
            raise ArmError(404, "NotFound", "operation not found")
        return _json(operation.shown())

    def _admit(self, request: Request) -> str:
        """Check what every request must have; answers the caller's name."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise ArmError(401, "InvalidAuthenticationToken", "The access token is invalid")
        if "api-version" not in request.query_params:
            raise ArmError(400, "MissingApiVersionParameter", "api-version is required")
        place = request.path_params
        asked = _WORKSPACE.format_map(place).lower()
        if asked not in self._world.workspaces:
            raise ArmError(404, "ResourceNotFound", f"Workspace {place['workspace']} not found")
        return self._world.callers.get(token, "unknown")

    def _view(self, endpoint: Endpoint) -> Document:
        document = endpoint.shown(self._world.clock())
        uri = f"{self._world.scoring_url}/endpoints/{endpoint.name}/score"
        document["properties"]["scoringUri"] = uri
        return document

    def _accepted(self, operation: Operation, document: Document) -> Response:
        headers = {
            "Azure-AsyncOperation": writes.status_url(self._world, operation),
            "x-ms-async-operation-timeout": "PT30M",
        }
        # The answer still shows the old traffic: the operation has only begun.
        return _json(document, status=201, headers=headers)


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["endpoint"], request.path_params["deployment"]


def _workspace_document(world: World) -> Document:
    return {
        "id": world.workspace_id,
        "name": world.workspace,
        "type": f"{PROVIDER}/workspaces",
        "location": world.location,
        "kind": "Default",
        "identity": {"type": "SystemAssigned"},
        "properties": {"provisioningState": "Succeeded"},
    }


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ArmError)
    body = {"error": {"code": error.code, "message": error.message}}
    return _json(body, status=error.status)


def _json(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = msgspec.json.encode(body)
    return Response(content, status, headers, media_type="application/json")
