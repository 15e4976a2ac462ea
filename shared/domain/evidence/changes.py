"""Controls of changes: known, authorised, as approved, checked, reviewed, and by whom."""

from collections.abc import Callable

from shared.domain.evidence.control import Ground, Judged, Result, by_pointers, divide
from shared.domain.evidence.trail import Duty, Move, Trail


def _moves(trail: Trail) -> list[Move]:
    """The changes of traffic that were begun."""
    return [move for move in trail.moves.values() if move.is_told]


def _by_moves(holds: Callable[[Move], bool], fails: str, passes: str, trail: Trail) -> Judged:
    bad, good = divide(_moves(trail), holds)
    return by_pointers(
        (p for move in bad for p in move.pointers),
        (p for move in good for p in move.pointers),
        fails=f"{len(bad)} of {len(bad) + len(good)} changes: {fails}",
        passes=f"{passes}, in all {len(good)} changes",
        none="no traffic was changed",
    )


def _is_authorised(move: Move) -> bool:
    """Decided by a policy before it began; where people were asked, approved by them before."""
    begun = move.intended
    if begun is None or move.decided is None or not move.policy_hash:
        return False
    if move.requested is None:
        return move.decided.at <= begun.at
    return move.settled_at is not None and move.settled_at <= begun.at


def _parts_duties(move: Move) -> bool:
    """Nobody approved what they asked for, but for a lone approval, which is reviewed."""
    asked = move.requested.by if move.requested else ""
    return all(one.by != asked for one in move.approvals)


def population(trail: Trail, _: Ground) -> Judged:
    """No change went past the process: what nobody declared is a finding."""
    known = [pointer for move in _moves(trail) for pointer in move.pointers]
    return by_pointers(
        trail.unattributed,
        known,
        fails="{count} changes were found that nobody had declared",
        passes="every change that was seen is declared or was decided here",
        none="no change was seen",
    )


def authorised(trail: Trail, _: Ground) -> Judged:
    """Every change was decided by policy before it began, and approved where that is asked."""
    return _by_moves(
        _is_authorised,
        "not authorised before it began",
        "decided by policy, and approved where it asks for that, before it began",
        trail,
    )


def same_plan(trail: Trail, _: Ground) -> Judged:
    """The hash of what was carried out is that of what was decided."""
    return _by_moves(
        lambda move: bool(move.plan_hash) and move.decided is not None,
        "what was carried out is not the plan that was decided",
        "the plan that was carried out has the hash of the one that was decided",
        trail,
    )


def verified(trail: Trail, _: Ground) -> Judged:
    """Every change that was made was checked afterwards."""

    def checked(move: Move) -> bool:
        course = trail.courses.get(move.incident)
        return not move.confirmed or course is None or bool(course.verified or course.ended)

    return _by_moves(checked, "never checked", "checked after it was made", trail)


def reviewed(trail: Trail, ground: Ground) -> Judged:
    """Every emergency has a review that is closed, or is not due yet."""

    def on_time(duty: Duty) -> bool:
        return (duty.closed.at if duty.closed is not None else ground.as_of) <= duty.due_at

    bad, good = divide(trail.duties.values(), on_time)
    return by_pointers(
        (duty.opened for duty in bad),
        (duty.opened for duty in good),
        fails="{count} mandatory reviews were not closed when they were due",
        passes="each of {count} emergencies is reviewed, or not due yet",
        none="there was no emergency",
    )


def parted(trail: Trail, _: Ground) -> Judged:
    """Nobody approved what they asked for, unless it is under a mandatory review."""
    bad, good = divide((m for m in _moves(trail) if m.approvals), _parts_duties)
    reviewed = {duty.opened.by for duty in trail.duties.values()}
    bad, waived = divide(bad, lambda move: {one.by for one in move.approvals} <= reviewed)
    return by_pointers(
        (p for move in bad for p in move.approvals),
        (p for move in (*good, *waived) for p in move.approvals),
        fails="{count} approvals were given by whoever asked, without a review",
        passes="whoever approved had not asked, or it is under a mandatory review",
        none="no approval was needed",
    )


def reviewed_by_others(trail: Trail, ground: Ground) -> Judged:
    """Duties are parted in reviews, too: nobody closes their own."""
    closed = [duty for duty in trail.duties.values() if duty.closed is not None]
    bad, good = divide(closed, lambda d: d.closed is not None and d.closed.by != d.opened.by)
    approvals = parted(trail, ground)
    if approvals.result is Result.FAIL:
        return approvals
    return by_pointers(
        (duty.opened for duty in bad),
        (duty.closed for duty in good if duty.closed is not None),
        fails="{count} reviews were closed by whoever made them necessary",
        passes="whoever closed a review is not whom it is about",
        none=approvals.why,
    )


def accountable(trail: Trail, _: Ground) -> Judged:
    """Every record says who, what, when and why."""
    return by_pointers(
        trail.incomplete,
        [pointer for move in _moves(trail) for pointer in move.pointers],
        fails="{count} records lack who, what, when or why",
        passes="every record says who, what, when, why, before and after",
        none="no traffic was changed; every record says who, what, when and why",
    )


def restricted(trail: Trail, _: Ground) -> Judged:
    """Nobody changed anything without authority; who tried is recorded."""
    bad, good = divide(_moves(trail), _is_authorised)
    return by_pointers(
        (p for move in bad for p in move.pointers),
        (*trail.refused, *trail.controls_turned, *(p for m in good for p in m.pointers)),
        fails="{count} records tell of changes that nobody had the authority for",
        passes="changes were made by authority only, and refused calls are recorded",
        none="nobody changed or tried to change anything",
    )
