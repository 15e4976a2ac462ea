"""How the control plane takes a write: check, accept, and apply when the operation is done.

Also the way for whoever plays a release pipeline in process: `shift_traffic`.
"""

from copy import deepcopy
from typing import Any
from uuid import UUID

from infra.local.foundry.resources import Document, Endpoint, Operation, Resource
from infra.local.foundry.rules import ArmError, check_traffic
from infra.local.foundry.world import TrafficChange, World


def put_endpoint(world: World, name: str, body: Document, caller: str) -> Operation:
    """Accept a PUT of an endpoint; a new name makes a new one. Raises ArmError."""
    world.settle()
    properties = _endpoint_properties(body)
    known = world.endpoints.get(name.lower())
    _refuse_in_flight(known)
    states = known.states() if known is not None else {}
    check_traffic(properties["traffic"], properties["mirrorTraffic"], states)
    endpoint = known or world.add_endpoint(name)
    _note_change(world, endpoint, properties, caller)
    operation = _begin(world, endpoint, properties, caller)
    _replace_envelope(endpoint, body)
    return operation


def put_deployment(
    world: World, endpoint_name: str, name: str, body: Document, caller: str
) -> Operation:
    """Accept a PUT of a version; a new one behaves well. Raises ArmError."""
    endpoint = world.endpoint(endpoint_name)
    known = endpoint.deployments.get(name.lower())
    _refuse_in_flight(known)
    deployment = known or world.add_deployment(endpoint, name)
    operation = _begin(world, deployment, body.get("properties") or {}, caller)
    deployment.document["tags"] = body.get("tags") or {}
    deployment.document["sku"] = body.get("sku") or deployment.document["sku"]
    return operation


def shift_traffic(world: World, name: str, traffic: dict[str, int], caller: str) -> Operation:
    """Move the traffic as a release pipeline would, through the same checks and operation."""
    body = deepcopy(world.endpoint(name).document)
    body["properties"]["traffic"] = dict(traffic)
    return put_endpoint(world, name, body, caller)


def delete_deployment(world: World, endpoint_name: str, name: str) -> None:
    """Delete a version that takes no traffic. Raises ArmError."""
    endpoint = world.endpoint(endpoint_name)
    deployment = world.deployment(endpoint_name, name)
    if endpoint.properties["traffic"].get(deployment.name):
        raise ArmError(400, "BadRequest", f"Cannot delete '{name}' with non-zero traffic")
    del endpoint.deployments[name.lower()]


def delete_endpoint(world: World, name: str) -> None:
    """Delete an endpoint with its versions. Raises ArmError."""
    _refuse_in_flight(world.endpoint(name))
    del world.endpoints[name.lower()]


def _endpoint_properties(body: Document) -> dict[str, Any]:
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "location is required")
    given = body.get("properties") or {}
    if "authMode" not in given:
        raise ArmError(400, "BadRequest", "authMode is required")
    # A PUT replaces: what it leaves out is gone.
    return {
        "authMode": given["authMode"],
        "description": given.get("description"),
        "publicNetworkAccess": given.get("publicNetworkAccess") or "Enabled",
        "traffic": given.get("traffic") or {},
        "mirrorTraffic": given.get("mirrorTraffic") or {},
        "properties": given.get("properties") or {},
    }


def _replace_envelope(endpoint: Endpoint, body: Document) -> None:
    endpoint.document["tags"] = body.get("tags") or {}
    if "identity" in body:
        endpoint.document["identity"] = body["identity"]


def _refuse_in_flight(resource: Resource | None) -> None:
    if resource is not None and resource.state in ("Updating", "Creating"):
        message = f"Cannot update {resource.name}: it is in {resource.state} provisioning state"
        raise ArmError(409, "Conflict", message)


def _note_change(world: World, endpoint: Endpoint, properties: Document, caller: str) -> None:
    change = TrafficChange(
        at=world.clock(),
        endpoint=endpoint.name.lower(),
        traffic=dict(properties["traffic"]),
        mirror=dict(properties["mirrorTraffic"]),
        caller=caller,
    )
    world.accepted.append(change)


def _begin(world: World, resource: Resource, properties: Document, caller: str) -> Operation:
    now = world.clock()
    own = {**properties, "properties": dict(properties.get("properties") or {})}
    operation = Operation(
        id=UUID(int=world.rng.getrandbits(128)).hex,
        resource=resource,
        properties=own,
        before=deepcopy(resource.document),
        started_at=now,
        done_at=now + world.operation_s,
        caller=caller,
    )
    # The resource keeps it, so that a restarted caller can find its operation again.
    own["properties"]["AzureAsyncOperationUri"] = status_url(world, operation)
    world.operations[operation.id] = operation
    resource.move("Updating", now)
    world.tell_activity(resource, operation, now)
    return operation


def status_url(world: World, operation: Operation) -> str:
    """Where the operation's status can be asked for."""
    return (
        f"{world.arm_url}{world.workspace_id}/operations/{operation.id}"
        "?api-version=2022-02-01-preview"
    )
