"""The state that the ARM server and the scoring route share: one world, one clock, one sink.

A write goes through `writes` and takes effect when its operation is done; the scoring route then
serves by it and tells telemetry what it served. So a rollback cures the world only if it is real.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from infra.local.foundry import telemetry
from infra.local.foundry.answers import Processes
from infra.local.foundry.behaviour import Troubles
from infra.local.foundry.faults import Entry, Fault
from infra.local.foundry.resources import (
    PROVIDER,
    Deployment,
    Endpoint,
    Operation,
    Resource,
    deployment_document,
    endpoint_document,
)
from infra.local.foundry.rules import ArmError

Sink = Callable[[str, dict[str, Any]], None]


def discard(_table: str, _row: dict[str, Any]) -> None:
    """Let telemetry go nowhere."""


class TrafficChange(msgspec.Struct, frozen=True, kw_only=True):
    """A traffic PUT that the service accepted, `at` epoch seconds, as its body said it."""

    at: float
    endpoint: str
    traffic: dict[str, int]
    mirror: dict[str, int]
    caller: str


@dataclass(kw_only=True)
class World:
    """Everything that happens outside of Backstop's own processes.

    `operation_s`: how long a write takes; `stale_reads_s`: how long readers then see the old split;
    `propagation_s`: how long the data plane still serves it; `failing_operations`: how many of the
    next ones end in failure; `callers`: names by token. `scoring_url` must be set once the scoring
    server has its port.
    """

    sink: Sink = discard
    clock: Callable[[], float] = time.time
    rng: Random = field(default_factory=lambda: Random(7))
    subscription: str = "11111111-1111-1111-1111-111111111111"
    resource_group: str = "rg-claims"
    workspace: str = "mlw-claims"
    location: str = "westeurope"
    arm_url: str = "https://management.azure.com"
    scoring_url: str = "http://127.0.0.1:0"
    scoring_key: str = ""
    regions: tuple[str, ...] = ("westeurope", "northeurope", "francecentral", "swedencentral")
    index: str = "policy-wordings"
    operation_s: float = 2.0
    stale_reads_s: float = 0.0
    propagation_s: float = 0.0
    latency_scale: float = 1.0
    failing_operations: int = 0
    callers: dict[str, str] = field(default_factory=lambda: {"local": "backstop"})
    troubles: Troubles = field(default_factory=Troubles)
    processes: Processes = field(default_factory=Processes)
    faults: list[Fault] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    accepted: list[TrafficChange] = field(default_factory=list)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def workspace_id(self) -> str:
        """The ARM id of the only workspace."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/{PROVIDER}/workspaces/{self.workspace}"
        )

    @property
    def intended_changes(self) -> list[TrafficChange]:
        """The accepted traffic changes without repeats of an identical body."""
        distinct: dict[bytes, TrafficChange] = {}
        for change in self.accepted:
            body = (change.endpoint, sorted(change.traffic.items()), sorted(change.mirror.items()))
            distinct.setdefault(msgspec.json.encode(body), change)
        return list(distinct.values())

    @property
    def indexes(self) -> set[str]:
        """The names of all search indexes that an endpoint answers from."""
        return {name for endpoint in self.endpoints.values() for name in endpoint.indexes}

    @property
    def workspaces(self) -> set[str]:
        """The ARM ids of all workspaces, lower case: the own one, and those of other endpoints."""
        homes = (one.id.lower().partition("/onlineendpoints/") for one in self.endpoints.values())
        return {self.workspace_id.lower(), *(home for home, _, _ in homes)}

    def add_endpoint(self, name: str, id_: str = "") -> Endpoint:
        """Put an endpoint into the world as if it had always been there; `id_` is its ARM id."""
        id_ = id_ or f"{self.workspace_id}/onlineEndpoints/{name}"
        document = endpoint_document(id_, name, self.location, self.clock())
        endpoint = Endpoint(name=name, document=document)
        self.endpoints[name.lower()] = endpoint
        return endpoint

    def add_deployment(self, endpoint: Endpoint, name: str, **tags: str) -> Deployment:
        """Put a healthy version behind an endpoint; `tags` become ARM tags."""
        id_ = f"{endpoint.id}/deployments/{name}"
        document = deployment_document(id_, name, self.location, self.clock())
        document["tags"].update(tags)
        deployment = Deployment(name=name, document=document)
        endpoint.deployments[name.lower()] = deployment
        return deployment

    def endpoint(self, name: str) -> Endpoint:
        """Find an endpoint after everything due has happened; raises ArmError 404."""
        self.settle()
        endpoint = self.endpoints.get(name.lower())
        if endpoint is None:
            raise ArmError(404, "NotFound", f"Endpoint {name} not found")
        return endpoint

    def endpoint_of(self, service: str) -> Endpoint:
        """Find the endpoint that serves under a service's name; raises ArmError 404."""
        names = [one.name for one in self.endpoints.values() if one.service == service]
        return self.endpoint(names[0] if names else service)

    def deployment(self, endpoint: str, name: str) -> Deployment:
        """Find a version; raises ArmError 404."""
        deployment = self.endpoint(endpoint).deployments.get(name.lower())
        if deployment is None:
            raise ArmError(404, "NotFound", f"Deployment {name} not found")
        return deployment

    def regions_of(self, endpoint: Endpoint) -> tuple[str, ...]:
        """The regions that an endpoint serves; the first one takes who names none."""
        return endpoint.regions or self.regions

    def settle(self) -> None:
        """End the operations whose time has come."""
        now = self.clock()
        for operation in self.operations.values():
            if operation.status == "InProgress" and operation.done_at <= now:
                self._end(operation)

    def stop_index(self) -> None:
        """Let the search index fall behind from now on, for all versions alike."""
        self.troubles.index_stopped_at = self.clock()

    def resume_index(self) -> None:
        """Let the search index catch up at once."""
        self.troubles.index_stopped_at = None

    def _end(self, operation: Operation) -> None:
        if self.failing_operations > 0:
            self.failing_operations -= 1
            self._close(operation, "Failed")
            return
        resource = operation.resource
        resource.document["properties"] = {**resource.properties, **operation.properties}
        self._close(operation, "Succeeded")
        if isinstance(resource, Endpoint):
            resource.serve(resource.properties["traffic"], operation.done_at)
            resource.stale_until = operation.done_at + self.stale_reads_s
            resource.stale_document = operation.before

    def _close(self, operation: Operation, status: str) -> None:
        operation.status = status
        operation.resource.move(status, operation.done_at)
        self.tell_activity(operation.resource, operation, operation.done_at)

    def tell_activity(self, resource: Resource, operation: Operation, at: float) -> None:
        """Write the control plane's own line about an operation."""
        row = telemetry.activity_row(resource, operation, at)
        self.sink("AzureActivity", row)
