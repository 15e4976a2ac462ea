"""Releases and the known good: which version may be trusted, and by what evidence.

A release is registered by a pipeline or a person. Known good is *earned* by served traffic and kept
only as long as the version stays deployed; it is never "the other deployment".
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.keys import digest

UNKNOWN = {"registered": False}  # what was before the first release of a service

type CanaryShare = Annotated[int, msgspec.Meta(ge=1, le=99)]


class Registration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a service with its lineage. Digests and versions are opaque strings.

    `canary` are the percentages of traffic that it is going to get before it gets all of it,
    `started_by` is the person who started the pipeline, by their tenant and object.
    """

    service: str
    version: str
    deployment: str
    why: str
    model: str = ""
    model_artifact: str = ""
    prompt_revision: str = ""
    dataset_version: str = ""
    index_version: str = ""
    flags_version: str = ""
    configuration_digest: str = ""
    canary: tuple[CanaryShare, ...] = ()
    started_by: str = ""

    def said(self) -> dict[str, Any]:
        """What whoever registers it said, by field, without what others added to it."""
        return {name: getattr(self, name) for name in Registration.__struct_fields__}


class Release(Registration, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A registration that was taken, when and from whom, as events have them.

    `freeze` cites the change freeze in which it was made, "" outside of one. A stored one may have
    fields of a later day.
    """

    who: str
    role: str = ""
    freeze: str = ""
    registered_at: datetime

    def is_again(self, known: "Release") -> bool:
        """Whether it is the same release, whoever says so and when."""
        said = msgspec.structs.replace(
            self,
            who=known.who,
            role=known.role,
            freeze=known.freeze,
            registered_at=known.registered_at,
        )
        return said == known


class KnownGood(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence that a deployment served well: what it was, with what, how much, for how long."""

    deployment: str
    version: str
    earned_at: datetime
    soaked_s: int
    requests: int
    instances: int | None = None
    prompt_revision: str = ""
    index_version: str = ""
    flags_version: str = ""
    evidence: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Any change that may have caused trouble: a suspect before it is ranked.

    `kind` is release, traffic, flag, catalog, index, prompt or activity.
    """

    id: str
    kind: str
    at: datetime
    what: str
    who: str = ""
    deployment: str = ""
    region: str = ""
    resource: str = ""


def tell_registered(release: Release, before: Release | None) -> ChangeEvent:
    """The event of a release that is registered; `before` is the one whose place it takes."""
    return happened(
        EventKind.RELEASE_REGISTERED,
        registered_event(release),
        release.service,
        release.registered_at,
        actor=release.who,
        role=release.role,
        what=_what(release, before),
        why=release.why,
        before=msgspec.to_builtins(before) if before is not None else UNKNOWN,
        after=msgspec.to_builtins(release),
        evidence={"change_freeze": release.freeze} if release.freeze else {},
        configuration_digest=release.configuration_digest,
    )


def registered_event(release: Release) -> str:
    """The id of the event that tells of a release: one a version of a service."""
    return f"release-{digest(release.service, release.version)}"


def _what(release: Release, before: Release | None) -> str:
    """In one sentence; flags that were toggled are named, because nothing else may be new."""
    said = f"registered release {release.version} on deployment {release.deployment}"
    if before is None or before.flags_version == release.flags_version:
        return said
    flags = (before.flags_version or "none", release.flags_version or "none")
    return f"{said}; flags {flags[0]} become {flags[1]}"
