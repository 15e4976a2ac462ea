"""Sightings: what a look at an endpoint saw, and what of it nothing has explained yet.

The executor's comparison (`responders.watching.compare`) keeps one sighting a target. It remembers
the last split and the last definitions that a release or an intent explained: what differs from
them, or from what the newest release declares, is a `Finding`, and stands until it is explained or
undone.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.release import Release
from shared.domain.keys import digest


class ChangeKind(StrEnum):
    """What was changed without a word. The names are stable: the ledger keeps them."""

    VERSION = "unreleased-version"  # takes live traffic, and no release names it
    TRAFFIC = "traffic-moved"
    PROMPT = "prompt-edited"
    CONFIGURATION = "configuration-changed"  # such as a threshold that was put back
    DEFINITION = "definition-changed"  # the deployment's model, environment, code or variables


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between what is declared and what is served, as text for people.

    `release` is the version that declares; "" where none does.
    """

    kind: ChangeKind
    deployment: str
    declared: str
    served: str
    sentence: str
    release: str = ""

    @property
    def id(self) -> str:
        """Equal for the same change, however often it is seen: 32 hex digits."""
        return digest(self.kind, self.deployment.lower(), self.declared, self.served, self.release)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that stands: not seen at `since`, first at `noticed_at`, last at `seen_at`.

    `told_at` is None as long as a release may still come that explains it.
    """

    finding: Finding
    since: datetime
    noticed_at: datetime
    seen_at: datetime
    told_at: datetime | None = None
    incident: str = ""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment was made of when it was last seen as declared, and when that was."""

    parts: dict[str, str]
    at: datetime


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """All that is remembered of one target; shares in percent, definitions by lower-case name.

    `traffic` is what was seen last, `declared` the last split that something explained; `served` is
    when each deployment was last seen with live traffic.
    """

    target: str
    service: str
    seen_at: datetime
    traffic: dict[str, int] = {}
    declared: dict[str, int] = {}
    served: dict[str, datetime] = {}
    definitions: dict[str, Definition] = {}
    standing: tuple[Standing, ...] = ()

    def since(self, finding: Finding) -> datetime:
        """When it was last seen that this was not so."""
        known = {one.finding.id: one.since for one in self.standing}
        return known.get(finding.id, self.seen_at)

    def share(self, deployment: str) -> int:
        """The live share of a deployment at the last look, in percent."""
        return live(self.traffic).get(deployment.lower(), 0)


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment's own telemetry says that it served with; "" where it does not say."""

    deployment: str
    prompt: str
    configuration: str
    last_seen: datetime


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one look gathered about a target.

    `newest` is the newest release of each deployment by lower-case name, `recent` those of the
    service, newest first. `ours` are the splits that Backstop's own intents wrote, with when.
    `reported` is None where the logs did not answer: nothing is known then, nothing is forgotten.
    """

    service: str
    snapshot: EndpointSnapshot
    newest: Mapping[str, Release]
    recent: tuple[Release, ...]
    reported: tuple[Reported, ...] | None
    ours: tuple[tuple[datetime, dict[str, int]], ...] = ()
    now: datetime


def live(traffic: Mapping[str, int]) -> dict[str, int]:
    """The shares that are not zero, by lower-case name."""
    return {name.lower(): share for name, share in sorted(traffic.items()) if share}


def first_sighting(look: Look) -> Sighting:
    """What is there when nothing is remembered is taken as it is."""
    seen = live(look.snapshot.traffic)
    return Sighting(
        target=look.snapshot.target,
        service=look.service,
        seen_at=look.now,
        traffic=seen,
        declared=seen,
    )
