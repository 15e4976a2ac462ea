"""Controls of incidents: handled, classified, and told of in time."""

from datetime import datetime, timedelta

from shared.domain.evidence.control import Ground, Judged, Result, by_pointers, divide
from shared.domain.evidence.story import Course
from shared.domain.evidence.trail import Trail


def handled(trail: Trail, ground: Ground) -> Judged:
    """Every incident was diagnosed, or somebody has seen it, or it ended."""

    def cared_for(course: Course) -> bool:
        seen = course.acknowledged or course.ended or course.diagnosed
        return seen is not None or ground.as_of - course.opened.at < timedelta(minutes=15)

    bad, good = divide(trail.courses.values(), cared_for)
    return by_pointers(
        (course.opened for course in bad),
        (course.opened for course in good),
        fails="{count} incidents were neither diagnosed nor seen by anybody",
        passes="each of {count} incidents was diagnosed, or seen by a person",
        none="there was no incident",
    )


def classified(trail: Trail, _: Ground) -> Judged:
    """Every incident has a severity, with the reasons for it."""
    bad, good = divide(trail.courses.values(), lambda c: bool(c.severity and c.reasons))
    return by_pointers(
        (course.opened for course in bad),
        (course.opened for course in good),
        fails="{count} incidents have no severity with its reasons",
        passes="each of {count} incidents was classified when it was opened, with the reasons",
        none="there was no incident",
    )


def reported(trail: Trail, ground: Ground) -> Judged:
    """Every major incident reached a person within the deadline of policy, if it sets one."""
    major = [c for c in trail.courses.values() if c.severity in ("SEV0", "SEV1")]
    if ground.report_within is None:
        why = "policy sets no deadline for reports, and reporting is not Backstop's"
        return Judged(result=Result.NOT_APPLICABLE, why=why)
    limit = ground.report_within
    bad, good = divide(major, lambda c: _first_word(c) - c.opened.at <= limit)
    return by_pointers(
        (course.opened for course in bad),
        (course.opened for course in good),
        fails="{count} major incidents reached nobody within the deadline of policy",
        passes="each of {count} major incidents reached a person within the deadline of policy",
        none="there was no major incident",
    )


def _first_word(course: Course) -> datetime:
    told = [page.at for page in course.pages]
    return min(told, default=datetime.max.replace(tzinfo=course.opened.at.tzinfo))
