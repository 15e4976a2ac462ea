"""The page of a service's releases as values: what was declared, what serves, what differs.

Each release says what it changed since the one before it; any two can be compared. What stands
unexplained is first, with the incident that tells of it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import zip_longest

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.awaited import say_awaited
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import Release
from shared.domain.lineage.artifact import release_id
from shared.domain.lineage.difference import CONTENTS, Difference, compare_releases
from shared.domain.lineage.sighting import Sighting, Standing
from shared.domain.stamp import Stamp, stamp
from shared.domain.wording import plain

LABELS = {
    "model_artifact": "Artifact",
    "prompt_revision": "Prompt",
    "dataset_version": "Dataset",
    "index_version": "Index",
    "flags_version": "Flags",
    "configuration_digest": "Configuration",
}


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a release is made of; `is_new` where the release before it had another."""

    label: str
    value: str
    is_new: bool = False


class ReleaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """One release. `live` is its share of the live traffic as last seen, "" for none."""

    id: str
    version: str
    deployment: str
    live: str
    at: Stamp
    who: str
    why: str
    facts: tuple[Fact, ...]


class UnattributedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change that nothing explains; `incident` is "" as long as nobody was told."""

    sentence: str
    since: Stamp
    incident: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two releases side by side: label, then the value in each."""

    a: str
    b: str
    rows: tuple[tuple[str, str, str], ...]
    same: str


class ReleasesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page; `next` leads to older releases.

    `awaited` is what the versions that serve still lack to be the known good.
    """

    name: str
    title: str
    releases: tuple[ReleaseLine, ...]
    unattributed: tuple[UnattributedLine, ...]
    awaited: tuple[str, ...]
    comparison: Comparison | None
    next: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the shell has gathered: a page of releases, newest first, with their live shares."""

    service: Service
    releases: Sequence[tuple[Release, int]]
    sightings: Sequence[Sighting]
    records: Sequence[EndpointRecord]
    now: datetime
    difference: Difference | None = None
    next: str = ""


def present_releases(seen: Seen) -> ReleasesPage:
    """Say what is known of a service's releases."""
    zone = seen.service.time_zone
    standing = [one for sighting in seen.sightings for one in sighting.standing]
    return ReleasesPage(
        name=seen.service.name,
        title=seen.service.title,
        releases=tuple(_lines(seen.releases, zone)),
        unattributed=tuple(_unattributed(one, zone) for one in standing),
        awaited=tuple(_awaited(seen)),
        comparison=_compared(seen.difference) if seen.difference else None,
        next=seen.next,
    )


def _awaited(seen: Seen) -> Iterable[str]:
    said = (say_awaited(one, seen.service.policy, seen.now) for one in seen.records)
    return (one for one in said if one)


def _lines(releases: Sequence[tuple[Release, int]], zone: str) -> Iterable[ReleaseLine]:
    older = [release for release, _ in releases[1:]]
    for (release, live), before in zip_longest(releases, older):
        yield ReleaseLine(
            id=release_id(release),
            version=release.version,
            deployment=release.deployment,
            live=f"serves {live} %" if live else "",
            at=stamp(release.registered_at, zone),
            who=release.who,
            why=plain(release.why),
            facts=_facts(release, before),
        )


def _facts(release: Release, before: Release | None) -> tuple[Fact, ...]:
    changes = compare_releases(before, release).changes if before else ()
    new = {change.field for change in changes}
    named = [(name, str(getattr(release, name))) for name in CONTENTS if name != "deployment"]
    facts = [
        Fact(label=label(name), value=value, is_new=name in new) for name, value in named if value
    ]
    if release.canary:
        steps = ", ".join(f"{share} %" for share in release.canary)
        facts.append(Fact(label="Canary", value=steps))
    return tuple(facts)


def _unattributed(one: Standing, zone: str) -> UnattributedLine:
    return UnattributedLine(
        sentence=plain(one.finding.sentence),
        since=stamp(one.noticed_at, zone),
        incident=one.incident,
    )


def _compared(difference: Difference) -> Comparison:
    return Comparison(
        a=difference.a,
        b=difference.b,
        rows=tuple(
            (label(one.field), one.a or "not said", one.b or "not said")
            for one in difference.changes
        ),
        same=", ".join(label(name).lower() for name in difference.same),
    )


def label(name: str) -> str:
    """A field's name as people read it, short enough for a phone."""
    return LABELS.get(name, name.capitalize())
