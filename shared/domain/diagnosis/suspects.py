"""The changes that may be the cause, the likeliest first.

Sixth step of the diagnosis. Nothing that happened after the onset can have caused it. Of the rest a
change is the more suspicious the closer it lies before the onset, the more its kind is known to
break things, and the better its reach fits what is hurt: same version, same region, same resource.
The rank helps the commander to look in the right place; it never moves traffic.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from shared.domain.catalog import Service
from shared.domain.decisions.release import Change
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Suspect
from shared.domain.diagnosis.measurements import ActivityRow
from shared.domain.diagnosis.phrases import span

_KIND_WEIGHTS = {
    "traffic": 1.0,
    "release": 0.9,
    "prompt": 0.9,
    "index": 0.7,
    "flag": 0.7,
    "activity": 0.4,
    "catalog": 0.2,
}

_FITTING_KINDS = {
    Cause.VERSION: ("traffic", "release", "prompt", "flag"),
    Cause.INDEX: ("index",),
    Cause.REGION: ("activity",),
    Cause.UPSTREAM: ("activity",),
    Cause.DEPENDENCY: ("activity", "flag"),
}

_HALF_LIFE = timedelta(minutes=15)
_FITS = 2.0
_MISFITS = 0.2

type Weighed = tuple[float, str]


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What the changes are held against. `precision` is how exactly the onset is known.

    `version` is the one that is hurt and `regions` those that are hit, empty for all.
    """

    service: Service
    onset: datetime | None = None
    precision: timedelta = timedelta(0)
    version: str = ""
    regions: tuple[str, ...] = ()
    attribution: Attribution = Attribution(cause=Cause.UNKNOWN)


def changes_from(rows: Iterable[ActivityRow]) -> tuple[Change, ...]:
    """The writes in the control plane as changes, one for each operation, at its first row."""
    operations: dict[str, ActivityRow] = {}
    for row in sorted(rows, key=lambda row: row.at):
        operations.setdefault(row.correlation_id, row)
    return tuple(_activity(row) for row in operations.values())


def rank(changes: Iterable[Change], scene: Scene) -> tuple[Suspect, ...]:
    """Rank the changes that lie before the onset; equal ones newest first."""
    suspects = [_suspect(change, scene) for change in changes if _before_onset(change, scene)]
    return tuple(sorted(suspects, key=lambda one: (-one.score, -one.at.timestamp(), one.change)))


def _activity(row: ActivityRow) -> Change:
    resource = row.resource_id.rstrip("/").rsplit("/", 1)[-1]
    return Change(
        id=f"activity {row.correlation_id}",
        kind="activity",
        at=row.at,
        what=f"{row.operation.lower()} on {resource}",
        who=row.caller,
        resource=row.resource_id.lower(),
    )


def _before_onset(change: Change, scene: Scene) -> bool:
    return scene.onset is None or change.at <= scene.onset + scene.precision


def _suspect(change: Change, scene: Scene) -> Suspect:
    weighed = [
        (_KIND_WEIGHTS.get(change.kind, 0.1), ""),
        _proximity(change, scene),
        _same_version(change, scene),
        _same_region(change, scene),
        _same_resource(change, scene),
        _fitting_kind(change, scene),
    ]
    score = 1.0
    for weight, _ in weighed:
        score *= weight
    return Suspect(
        change=change.id,
        kind=change.kind,
        what=change.what,
        who=change.who,
        at=change.at,
        score=round(score, 4),
        deployment=change.deployment,
        reasons=tuple(reason for _, reason in weighed if reason),
    )


def _proximity(change: Change, scene: Scene) -> Weighed:
    if scene.onset is None:
        return 0.5, "when it began is not known"
    before = max((scene.onset - change.at).total_seconds(), 0.0)
    return 0.5 ** (before / _HALF_LIFE.total_seconds()), f"{span(before)} before it began"


def _same_version(change: Change, scene: Scene) -> Weighed:
    if not change.deployment or not scene.version:
        return 1.0, ""
    if change.deployment == scene.version:
        return _FITS, f"concerns {scene.version}, which is hurt"
    return _MISFITS, f"concerns {change.deployment}, not {scene.version}"


def _same_region(change: Change, scene: Scene) -> Weighed:
    if not change.region:
        return 1.0, ""
    if change.region in scene.regions:
        return _FITS, f"in {change.region}, which is hit"
    if scene.regions:
        return _MISFITS, f"in {change.region}, which is fine"
    return 0.5, f"in {change.region} only, but all regions are hit"


def _same_resource(change: Change, scene: Scene) -> Weighed:
    if not change.resource:
        return 1.0, ""
    if scene.service.owns(change.resource):
        return 1.2, "on the service's own resource"
    named = scene.attribution.dependency
    if named and named.lower() in change.resource.lower():
        return _FITS, f"on {named}, which is at fault"
    return _MISFITS, "on somebody else's resource"


def _fitting_kind(change: Change, scene: Scene) -> Weighed:
    fitting = _FITTING_KINDS.get(scene.attribution.cause, ())
    if change.kind in fitting:
        return _FITS, f"{change.kind} changes fit the cause: {scene.attribution.cause}"
    return 1.0, ""
