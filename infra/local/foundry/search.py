"""The search service behind the endpoints: one index whose indexer writes, or has stopped.

As Azure AI Search answers: documents by their newest field, and the statistics of the index. While
the indexer runs, the newest document is a few seconds old; stopped, it grows old, and every route
still answers 200.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.foundry.resources import moment
from infra.local.foundry.rules import ArmError
from infra.local.foundry.world import World

BEHIND_S = 5.0
BEGUN_WITH = 48_000
DOCUMENTS_PER_S = 0.5
UPDATED = "last_updated"


def search_routes(world: World) -> list[Route]:
    """The routes of the search service."""
    desk = _Desk(world)
    return [
        Route("/indexes/{index}/docs/search", desk.search, methods=["POST"]),
        Route("/indexes/{index}/stats", desk.stats),
    ]


def newest_document(world: World) -> datetime:
    """When the newest document was written: a few seconds ago, or before the indexer stopped."""
    stopped_at = world.troubles.index_stopped_at
    written_at = world.clock() if stopped_at is None else stopped_at
    return moment(written_at) - timedelta(seconds=BEHIND_S)


class _Desk:
    """The handlers, with the world at hand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = world.clock()

    async def search(self, request: Request) -> Response:
        """The newest documents, of the fields that are selected."""
        self._admit(request)
        asked = await request.json()
        if asked.get("orderby") != f"{UPDATED} desc" or asked.get("select") != UPDATED:
            raise ArmError(400, "InvalidRequestParameter", f"only {UPDATED} is sorted by here")
        newest = newest_document(self._world)
        rows = [{"@search.score": 1.0, UPDATED: newest}][: int(asked.get("top", 50))]
        return _json({"@odata.count": self._documents(), "value": rows})

    async def stats(self, request: Request) -> Response:
        """How many documents there are."""
        self._admit(request)
        count = self._documents()
        return _json({"documentCount": count, "storageSize": count * 2_048, "vectorIndexSize": 0})

    def _documents(self) -> int:
        lasted_s = newest_document(self._world).timestamp() - self._began
        return BEGUN_WITH + max(0, int(lasted_s * DOCUMENTS_PER_S))

    def _admit(self, request: Request) -> None:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            raise ArmError(401, "Unauthorized", "no token")
        if "api-version" not in request.query_params:
            raise ArmError(400, "MissingApiVersionParameter", "api-version is required")
        if request.path_params["index"] not in self._world.indexes:
            raise ArmError(404, "ResourceNotFound", "no such index")


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
