"""What an endpoint looks like: its deployments, who gets the traffic, whether a change makes sense.

`shared.adapters.endpoint` reads an `EndpointSnapshot`; the rules compare two of them by their
fingerprints, because the service has no optimistic concurrency: nothing but an equal fingerprint
right before a write says that nobody else has touched the endpoint since the plan was made.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import msgspec

from shared.errors import RejectedInput

_ARM_ID = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)"
    r"/resourceGroups/(?P<resource_group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/(?P<workspace>[^/]+)"
    r"/onlineEndpoints/(?P<endpoint>[^/]+)/?$",
    re.IGNORECASE,
)


class TargetRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which endpoint is meant; every part is lower case, as ARM ids compare without case."""

    subscription: str
    resource_group: str
    workspace: str
    endpoint: str

    @property
    def id(self) -> str:
        """The ARM id, in lower case: one spelling for one endpoint."""
        return (
            f"/subscriptions/{self.subscription}/resourcegroups/{self.resource_group}"
            "/providers/microsoft.machinelearningservices"
            f"/workspaces/{self.workspace}/onlineendpoints/{self.endpoint}"
        ).lower()


def parse_target(arm_id: str) -> TargetRef:
    """Read the ARM id of a managed online endpoint, in whatever case; raises RejectedInput."""
    match = _ARM_ID.match(arm_id)
    if match is None:
        raise RejectedInput(
            "not-an-endpoint", f"{arm_id!r} is not the ARM id of an online endpoint"
        )
    return TargetRef(**{part: value.lower() for part, value in match.groupdict().items()})


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One version behind the endpoint.

    `state` is ARM's provisioning state; `instances` is None where the service does not say (a
    deployment that scales by itself). `definition` is what it is made of, by part; what may be
    secret is there as a digest. `configuration_digest` is what its tag says.
    """

    name: str
    state: str
    instances: int | None = None
    model: str = ""
    prompt_version: str = ""
    configuration_digest: str = ""
    definition: dict[str, str] = {}


class EndpointSnapshot(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One reading of an endpoint: live and mirrored shares in percent, by deployment name.

    `target` is the lower-case ARM id; `last_modified` moves when the service accepts a write and
    again when the write is through.
    """

    target: str
    traffic: dict[str, int]
    mirror: dict[str, int]
    state: str
    last_modified: str
    deployments: tuple[Deployment, ...]
    scoring_uri: str
    read_at: datetime

    @cached_property
    def fingerprint(self) -> str:
        """Equal for two readings between which nobody wrote: 16 hex digits.

        Shares of zero and the case of names do not count; the service is free with both.
        """
        material = (_shares(self.traffic), _shares(self.mirror), self.last_modified, self.state)
        return hashlib.sha256(msgspec.json.encode(material)).hexdigest()[:16]

    @property
    def idle(self) -> bool:
        """Whether no operation is in flight; a failed operation has ended, too."""
        return self.state.lower() in {"succeeded", "failed", "canceled"}

    def served(self) -> str | None:
        """Name the deployment that serves: the only one with at least half of the live traffic.

        None when nothing takes traffic, when no share reaches 50 %, or when two share it evenly.
        """
        leaders = [name for name, share in self.traffic.items() if share >= 50]
        return leaders[0] if len(leaders) == 1 else None

    def deployment(self, name: str) -> Deployment | None:
        """Find a deployment by name, without regard to case."""
        wanted = name.lower()
        return next((d for d in self.deployments if d.name.lower() == wanted), None)

    def serves(self, traffic: Mapping[str, int]) -> bool:
        """Whether the live traffic is split exactly like this."""
        return _shares(self.traffic) == _shares(traffic)


def refuse_traffic(snapshot: EndpointSnapshot, desired: Mapping[str, int]) -> str | None:
    """Say why this split must not be written, or None when nothing speaks against it."""
    if any(share < 0 for share in desired.values()) or sum(desired.values()) != 100:
        return f"the shares must be positive and sum to 100, not {sum(desired.values())}"
    for name, share in sorted(desired.items()):
        reason = _refuse_deployment(name, snapshot.deployment(name)) if share else None
        if reason is not None:
            return reason
    return None


def _refuse_deployment(name: str, deployment: Deployment | None) -> str | None:
    if deployment is None:
        return f"deployment {name} does not exist"
    if deployment.state.lower() != "succeeded":
        return f"deployment {name} is {deployment.state}"
    if deployment.instances == 0:
        return f"deployment {name} is scaled to zero"
    return None


def _shares(traffic: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted((name.lower(), share) for name, share in traffic.items() if share)


class WriteVerdict(StrEnum):
    """How a traffic write was answered. Unknown is no failure: read, then decide."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class WriteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the service said to a traffic write.

    accepted: an operation is under way. refused: the service will never take it, nothing changed.
    changed: nothing was sent, because somebody has written to the endpoint since it was read.
    unknown: it may or may not have been applied, so only a reading tells.
    """

    verdict: WriteVerdict
    detail: str = ""
    retry_after_s: float = 0.0


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of `sent` synthetic requests, pinned to `deployment` or (None) left to the split.

    `answered_by` counts answers by the deployment that the endpoint named, good and bad alike.
    """

    deployment: str | None
    region: str | None
    sent: int
    passed: int
    detail: str = ""
    answered_by: dict[str, int] = {}

    @property
    def ok(self) -> bool:
        """Whether all passed; nothing sent proves nothing."""
        return self.sent > 0 and self.passed == self.sent
