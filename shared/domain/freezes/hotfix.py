"""Hotfix: a release that a commander lets by in a freeze is reviewed, as every override is.

Stored with the release, in one transaction. A review hangs on an incident; this one is over when it
begins: customers are served, nobody is woken, and another person looks at it afterwards.
"""

from shared.domain.catalog import Service
from shared.domain.decisions.release import Release, registered_event
from shared.domain.freezes.promotion import is_let_by
from shared.domain.incidents.incident import Incident, Severity, Step, tell_opening
from shared.domain.incidents.steps import resolve
from shared.domain.keys import digest
from shared.domain.reviews.review import Opening, ReviewKind, Revised, open_review
from shared.domain.wording import plain

WHY = "a commander let a hotfix by in a change freeze"
_OVER = "customers are served: it is there for its mandatory review"


def review_hotfix(service: Service, release: Release, shard: str) -> Revised:
    """The ended incident of a hotfix, with its review; no incident where the release is none."""
    if not is_let_by(release):
        return Revised(step=Step(incident=None, reason="no freeze was set aside"))
    now = release.registered_at
    opened = tell_opening(_incident(service, release, shard), WHY, happened_at=now)
    assert opened.incident is not None
    ended = resolve(opened.incident, who=release.who, role=release.role, why=_OVER, now=now)
    assert ended.incident is not None, "it was opened just now"
    reviewed = open_review(ended.incident, _opening(service, release), now)
    return Revised(step=opened.then(ended).then(reviewed.step), writes=reviewed.writes)


def _opening(service: Service, release: Release) -> Opening:
    return Opening(
        kind=ReviewKind.FREEZE_HOTFIX,
        about=registered_event(release),
        why=f"{_said(release)}: {release.why}",
        by=release.who,
        role=release.role,
        asked_by=release.started_by,
        days=service.policy.review_days,
        zone=service.time_zone,
    )


def _incident(service: Service, release: Release, shard: str) -> Incident:
    """One a release: the same release has the same id."""
    at, unique = release.registered_at, digest(release.service, release.version)[:8].upper()
    return Incident(
        id=f"INC-{shard}-{at:%y%m%d}-{unique}",
        service=service.name,
        target=next((one.id for one in service.targets), ""),
        title=plain(f"{service.title}: {WHY}"),
        severity=Severity.SEV3,
        severity_reasons=(WHY,),
        opened_at=at,
        changed_at=at,
        sentence=plain(f"{_said(release)}. It has a mandatory review, by another person."),
    )


def _said(release: Release) -> str:
    named = f"Release {release.version} on {release.deployment}"
    return f"{named} was let by in the {release.freeze}"
