"""azure-ai-ml's entities in our words, and our change in theirs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.adapters.arm_definition import definition_of
from shared.domain.decisions.endpoint import Deployment, EndpointSnapshot, TargetRef

PROMPT_TAG = "backstop.prompt_version"
CONFIGURATION_TAG = "backstop.configuration_digest"
MODEL_TAG = "backstop.model"
# The SDK writes systemData into the endpoint's own properties, and would send it back.
_SYSTEM_DATA = ("createdBy", "createdAt", "lastModifiedAt")


def snapshot_of(
    target: TargetRef, endpoint: Any, deployments: Iterable[Any], *, now: datetime
) -> EndpointSnapshot:
    """Translate an OnlineEndpoint and its OnlineDeployments as they were read at `now`."""
    return EndpointSnapshot(
        target=target.id,
        traffic=_shares(endpoint.traffic),
        mirror=_shares(getattr(endpoint, "mirror_traffic", None)),
        state=_state(endpoint),
        last_modified=str(endpoint.properties.get("lastModifiedAt", "")),
        deployments=tuple(_deployment(found) for found in deployments),
        scoring_uri=str(endpoint.scoring_uri or ""),
        read_at=now,
    )


def with_traffic(endpoint: Any, traffic: Mapping[str, int]) -> Any:
    """Change only the traffic: a fresh entity would wipe tags, description and identity.

    A mirror on a deployment that goes live is taken off; the service allows only one of the two.
    """
    live = {name.lower() for name, share in traffic.items() if share}
    mirror = getattr(endpoint, "mirror_traffic", None) or {}
    endpoint.mirror_traffic = {n: share for n, share in mirror.items() if n.lower() not in live}
    endpoint.traffic = dict(traffic)
    for key in _SYSTEM_DATA:
        endpoint.properties.pop(key, None)
    return endpoint


def _deployment(found: Any) -> Deployment:
    tags = found.tags or {}
    return Deployment(
        name=str(found.name),
        state=_state(found),
        instances=found.instance_count,
        model=str(tags.get(MODEL_TAG) or found.model or ""),
        prompt_version=str(tags.get(PROMPT_TAG, "")),
        configuration_digest=str(tags.get(CONFIGURATION_TAG, "")),
        definition=definition_of(found),
    )


def _state(resource: Any) -> str:
    # An enum for the states that the SDK knows, a plain string for newer ones.
    state = resource.provisioning_state
    return str(getattr(state, "value", state))


def _shares(traffic: Mapping[str, Any] | None) -> dict[str, int]:
    return {str(name): int(share) for name, share in (traffic or {}).items()}
