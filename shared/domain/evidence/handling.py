"""Controls of incidents: handled, classified, and reported in time."""

from datetime import timedelta

from shared.domain.evidence.control import Ground, Judged, Result, by_pointers, divide
from shared.domain.evidence.story import Course
from shared.domain.evidence.trail import Trail
from shared.domain.incidents.report_duty import MAJOR


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
    """Every major incident was reported by when policy says, or there is still time."""
    owed = [course for course in trail.courses.values() if course.report_due is not None]
    if not owed and any(course.severity in MAJOR for course in trail.courses.values()):
        why = "policy sets no deadline for reports of these services' major incidents"
        return Judged(result=Result.NOT_APPLICABLE, why=why)

    def in_time(course: Course) -> bool:
        at = course.reported.at if course.reported is not None else ground.as_of
        return course.report_due is not None and at <= course.report_due

    bad, good = divide(owed, in_time)
    return by_pointers(
        (course.reported or course.opened for course in bad),
        (course.reported or course.opened for course in good),
        fails="{count} major incidents were not reported by when policy says",
        passes="each of {count} major incidents was reported in time, or there is still time",
        none="there was no major incident",
    )
