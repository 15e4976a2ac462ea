"""Unattributed change: what is served, compared with what was declared.

`compare` is asked by the executor on a timer. Something is declared as soon as a release of the
service is registered; before that nothing can be compared. What `shared.domain.lineage.explanation`
explains becomes what is declared; what it does not is a finding, and is told once it has stood for
the grace time.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import msgspec

from shared.domain.decisions.endpoint import Deployment
from shared.domain.decisions.release import Release
from shared.domain.keys import digest
from shared.domain.lineage.explanation import GRACE, explains, explains_split
from shared.domain.lineage.sighting import (
    ChangeKind,
    Definition,
    Finding,
    Look,
    Reported,
    Sighting,
    Standing,
    live,
)

STILL = timedelta(minutes=5)  # what was reported this long before the newest row is still served
_FROM_LOGS = frozenset({ChangeKind.PROMPT, ChangeKind.CONFIGURATION})
_NO_RELEASE = "no release"
_DIGEST = re.compile(r"(?:sha\d+:)?\b([0-9a-fA-F]{12})[0-9a-fA-F]{4,}\b")


def compare(before: Sighting, look: Look) -> Sighting:
    """Say what stands after this look; what is new in `standing` has `told_at` None."""
    found = list(_findings(before, look)) if look.recent else []
    moved = next((one for one in found if one.kind is ChangeKind.TRAFFIC), None)
    split = live(look.snapshot.traffic)
    return Sighting(
        target=before.target,
        service=before.service,
        seen_at=look.now,
        traffic=split,
        declared=before.declared if moved else split,
        served={**before.served, **dict.fromkeys(split, look.now)},
        definitions=dict(_definitions(before, look)),
        standing=_standing(before, found, look),
    )


def due(sighting: Sighting) -> tuple[Standing, ...]:
    """What nobody was told of, and no release has come to explain for the grace time."""
    return tuple(
        one
        for one in sighting.standing
        if one.told_at is None
        and one.seen_at == sighting.seen_at
        and sighting.seen_at - one.noticed_at >= GRACE
    )


def told(sighting: Sighting, incident: str) -> Sighting:
    """The sighting once everything that is due was told by an incident."""
    now, names = sighting.seen_at, {one.finding.id for one in due(sighting)}
    standing = tuple(
        msgspec.structs.replace(one, told_at=now, incident=incident)
        if one.finding.id in names
        else one
        for one in sighting.standing
    )
    return msgspec.structs.replace(sighting, standing=standing)


def _standing(before: Sighting, found: list[Finding], look: Look) -> tuple[Standing, ...]:
    known = {one.finding.id: one for one in before.standing}
    kept = {key: one for key, one in known.items() if _is_unseen(one.finding, look)}
    seen = {one.id: _seen(one, known.get(one.id), before, look) for one in found}
    return tuple({**kept, **seen}.values())


def _seen(finding: Finding, known: Standing | None, before: Sighting, look: Look) -> Standing:
    now = look.now
    if known is not None:
        return msgspec.structs.replace(known, seen_at=now)
    return Standing(finding=finding, since=before.seen_at, noticed_at=now, seen_at=now)


def _is_unseen(finding: Finding, look: Look) -> bool:
    """Whether this look cannot tell if a finding still stands."""
    if finding.kind in _FROM_LOGS and look.reported is None:
        return True
    found = look.snapshot.deployment(finding.deployment)
    return found is not None and not _is_settled(found)


def _findings(before: Sighting, look: Look) -> Iterator[Finding]:
    yield from _traffic(before, look)
    for name in live(look.snapshot.traffic):
        deployment = look.snapshot.deployment(name)
        if deployment is None or not _is_settled(deployment):
            continue  # it is being changed: its end is compared
        release = look.newest.get(name)
        if release is None:
            yield _unreleased(deployment)
            continue
        yield from _definition(before, deployment, release)
        yield from _reports(look, deployment, release)


def _traffic(before: Sighting, look: Look) -> Iterator[Finding]:
    now = live(look.snapshot.traffic)
    if now == before.declared:
        return
    was, served = _split(before.declared), _split(now)
    finding = Finding(
        kind=ChangeKind.TRAFFIC,
        deployment=look.snapshot.served() or "",
        declared=was,
        served=served,
        sentence=f"The traffic went from {was} to {served}: no release or rollback explains it.",
    )
    if not explains_split(before, look, before.since(finding)):
        yield finding


def _unreleased(deployment: Deployment) -> Finding:
    return Finding(
        kind=ChangeKind.VERSION,
        deployment=deployment.name,
        declared=_NO_RELEASE,
        served=deployment.name,
        sentence=f"{deployment.name} takes live traffic, and no release of it is registered.",
    )


def _definition(before: Sighting, deployment: Deployment, release: Release) -> Iterator[Finding]:
    known = before.definitions.get(deployment.name.lower())
    if known is None or known.parts == deployment.definition or explains(release, known.at):
        return
    named = ", ".join(_parts_that_differ(known.parts, deployment.definition))
    yield Finding(
        kind=ChangeKind.DEFINITION,
        deployment=deployment.name,
        declared=definition_digest(known.parts),
        served=definition_digest(deployment.definition),
        sentence=f"{deployment.name} was changed after release {release.version}: {named}.",
        release=release.version,
    )


def _parts_that_differ(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def definition_digest(parts: Mapping[str, str]) -> str:
    """What stands for a whole definition: 32 hex digits."""
    return digest(*(text for pair in sorted(parts.items()) for text in pair))


def _definitions(before: Sighting, look: Look) -> Iterator[tuple[str, Definition]]:
    """The definitions that are declared now: a change becomes so by the release that explains it.

    An idle deployment may be prepared for long: that is compared when it goes live.
    """
    for deployment in look.snapshot.deployments:
        name = deployment.name.lower()
        known = before.definitions.get(name)
        fresh = Definition(parts=deployment.definition, at=look.now)
        same = known is None or known.parts == fresh.parts
        explained = known is not None and explains(look.newest.get(name), known.at)
        if known is None or ((same or explained) and _is_settled(deployment)):
            yield name, fresh
        else:
            yield name, known


def _reports(look: Look, deployment: Deployment, release: Release) -> Iterator[Finding]:
    """What telemetry reports, and where it does not, what the deployment's tags say."""
    rows = _current(look, deployment, release)
    prompts = _values(rows, lambda row: row.prompt) or {deployment.prompt_version}
    digests = _values(rows, lambda row: row.configuration) or {deployment.configuration_digest}
    for served in sorted(prompts - {"", release.prompt_revision}):
        if release.prompt_revision:
            yield _prompt(deployment, release, served)
    for served in sorted(digests - {"", release.configuration_digest}):
        if release.configuration_digest:
            yield _configuration(deployment, release, served, look.recent)


def _values(rows: list[Reported], read: Callable[[Reported], str]) -> set[str]:
    return {read(row) for row in rows} - {""}


def _current(look: Look, deployment: Deployment, release: Release) -> list[Reported]:
    """The rows of what is still served, once the release has had its time to arrive."""
    name = deployment.name.lower()
    rows = [row for row in look.reported or () if row.deployment.lower() == name]
    newest = max((row.last_seen for row in rows), default=look.now)
    arrived = release.registered_at + GRACE
    return [row for row in rows if row.last_seen >= max(newest - STILL, arrived)]


def _prompt(deployment: Deployment, release: Release, served: str) -> Finding:
    return Finding(
        kind=ChangeKind.PROMPT,
        deployment=deployment.name,
        declared=release.prompt_revision,
        served=served,
        sentence=f"{deployment.name} serves prompt {brief(served)}, and release {release.version}"
        f" declares {brief(release.prompt_revision)}.",
        release=release.version,
    )


def _configuration(
    deployment: Deployment, release: Release, served: str, recent: tuple[Release, ...]
) -> Finding:
    """The configuration is another one; that of an earlier release was put back."""
    earlier = next((one for one in recent if one.configuration_digest == served), None)
    whose = f", which is that of release {earlier.version}: it was put back" if earlier else ""
    return Finding(
        kind=ChangeKind.CONFIGURATION,
        deployment=deployment.name,
        declared=release.configuration_digest,
        served=served,
        sentence=f"{deployment.name} serves configuration {brief(served)}, and release"
        f" {release.version} declares {brief(release.configuration_digest)}{whose}.",
        release=release.version,
    )


def brief(text: str) -> str:
    """The text with twelve digits of each long digest: a sentence is for people."""
    return _DIGEST.sub(r"\1", text)


def _is_settled(deployment: Deployment) -> bool:
    return deployment.state.lower() == "succeeded"


def _split(traffic: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in sorted(traffic.items())) or "nowhere"
