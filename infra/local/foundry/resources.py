"""The resources of the simulated subscription: endpoints, deployments, operations on them.

They hold ARM's own documents, so that what the SDK wrote is what the SDK reads. `world` keeps them,
`writes` changes them, `arm` shows them, `scoring` serves by them.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.local.foundry.behaviour import HEALTHY, Behaviour
from shared.domain.health.golden import GoldenCase

Document = dict[str, Any]

PROVIDER = "Microsoft.MachineLearningServices"
MODEL_TAG = "backstop.model"
PROMPT_TAG = "backstop.prompt_version"
CONFIGURATION_TAG = "backstop.configuration_digest"


def moment(at: float) -> datetime:
    """Turn epoch seconds into an aware UTC datetime."""
    return datetime.fromtimestamp(at, UTC)


def stamp(at: float) -> str:
    """Write epoch seconds as ARM does, with seven digits after the point."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


@dataclass(kw_only=True)
class Resource:
    """Anything with a document and a provisioning state."""

    name: str
    document: Document

    @property
    def id(self) -> str:
        """The ARM id, as it was spelled when the resource was made."""
        return str(self.document["id"])

    @property
    def properties(self) -> Document:
        """The part of the document that is the resource's own."""
        properties: Document = self.document["properties"]
        return properties

    @property
    def state(self) -> str:
        """ARM's provisioning state."""
        return str(self.properties["provisioningState"])

    def move(self, state: str, at: float) -> None:
        """Enter a state; the time of the last modification moves with every step."""
        self.properties["provisioningState"] = state
        self.document["systemData"]["lastModifiedAt"] = stamp(at)


@dataclass(kw_only=True)
class Deployment(Resource):
    """A version. `later` takes over `fuse_s` seconds after it first took live traffic."""

    behaviour: Behaviour = HEALTHY
    later: Behaviour | None = None
    fuse_s: float = 0.0
    first_served_at: float | None = None

    @property
    def model(self) -> str:
        """The model version that telemetry names."""
        return str(self.document["tags"].get(MODEL_TAG, ""))

    @property
    def prompt_version(self) -> str:
        """The prompt's revision."""
        return str(self.document["tags"].get(PROMPT_TAG, ""))

    @property
    def configuration_digest(self) -> str:
        """What stands for the thresholds and flags that it runs with; "" where it does not say."""
        return str(self.document["tags"].get(CONFIGURATION_TAG, ""))

    def behaviour_at(self, now: float) -> Behaviour:
        """Say how the version behaves at this moment."""
        if self.later is None or self.first_served_at is None:
            return self.behaviour
        return self.later if now - self.first_served_at >= self.fuse_s else self.behaviour


@dataclass(kw_only=True)
class Endpoint(Resource):
    """An endpoint with its versions, and the split that the data plane had at which time.

    `role` is the service under whose name its code tells telemetry, where that is another name;
    `regions` are those that it serves, none where it serves all of the world's; `indexes` are the
    search indexes that it answers from; `golden` are the questions whose answers are known.
    """

    role: str = ""
    regions: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    golden: tuple[GoldenCase, ...] = ()
    deployments: dict[str, Deployment] = field(default_factory=dict)
    served: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    stale_until: float = 0.0
    stale_document: Document = field(default_factory=dict)

    @property
    def service(self) -> str:
        """The name in telemetry."""
        return self.role or self.name

    def shown(self, now: float) -> Document:
        """Copy the document that a reader gets: for a while after a change still the old one."""
        return deepcopy(self.stale_document if now < self.stale_until else self.document)

    def states(self) -> dict[str, str]:
        """Provisioning states by lower-case deployment name."""
        return {name: deployment.state for name, deployment in self.deployments.items()}

    def serve(self, traffic: dict[str, int], at: float) -> None:
        """Let the data plane follow this split from now on."""
        self.served.append((at, dict(traffic)))
        for name, share in traffic.items():
            deployment = self.deployments.get(name.lower())
            if share and deployment is not None and deployment.first_served_at is None:
                deployment.first_served_at = at

    def split_at(self, at: float) -> dict[str, int]:
        """Positive shares in force at a time, by lower-case deployment name."""
        in_force: dict[str, int] = {}
        for since, traffic in self.served:
            if since <= at:
                in_force = traffic
        return {name.lower(): share for name, share in in_force.items() if share}


@dataclass(kw_only=True)
class Operation:
    """A long-running operation: when `done_at` has come, `properties` become the resource's."""

    id: str
    resource: Resource
    properties: Document
    before: Document
    started_at: float
    done_at: float
    caller: str
    status: str = "InProgress"

    def shown(self) -> Document:
        """The body of the operation's status."""
        running = self.status == "InProgress"
        body: Document = {
            "name": self.id,
            "status": "Updating" if running else self.status,
            "startTime": stamp(self.started_at),
            "percentComplete": 0.0 if running else 100.0,
        }
        if self.status == "Failed":
            body["error"] = {"code": "InferencingClientCallFailed", "message": "it did not work"}
        return body


def endpoint_document(id_: str, name: str, location: str, at: float) -> Document:
    """Make the document of a new managed online endpoint without deployments."""
    return {
        "id": id_,
        "name": name,
        "type": f"{PROVIDER}/workspaces/onlineEndpoints",
        "location": location,
        "kind": "Managed",
        "tags": {},
        "systemData": _system_data(at),
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "authMode": "Key",
            "description": "",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
            "traffic": {},
            "mirrorTraffic": {},
            "properties": {"azureml.onlineendpointid": id_},
        },
    }


def deployment_document(id_: str, name: str, location: str, at: float) -> Document:
    """Make the document of a new managed deployment with two instances."""
    return {
        "id": id_,
        "name": name,
        "type": f"{PROVIDER}/workspaces/onlineEndpoints/deployments",
        "location": location,
        "kind": "Managed",
        "tags": {},
        "sku": {"name": "Default", "capacity": 2},
        "systemData": _system_data(at),
        "properties": {
            "endpointComputeType": "Managed",
            "provisioningState": "Succeeded",
            "instanceType": "Standard_DS3_v2",
            "scaleSettings": {"scaleType": "Default"},
            "properties": {},
        },
    }


def _system_data(at: float) -> Document:
    return {
        "createdBy": "release-pipeline",
        "createdByType": "Application",
        "createdAt": stamp(at),
        "lastModifiedAt": stamp(at),
    }
