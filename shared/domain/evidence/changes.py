"""Controls of changes: known, authorised, as approved, checked, reviewed, and by whom."""

from collections.abc import Callable

from shared.domain.decisions.decision import Authority
from shared.domain.evidence.control import Ground, Judged, Result, by_pointers, divide
from shared.domain.evidence.story import Duty, Move
from shared.domain.evidence.trail import Trail


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
    """Policy let it begin before it began; where it began by people's word, they had given it."""
    begun = move.intended
    if begun is None or move.decided is None or not move.policy_hash:
        return False
    is_given = move.authority != Authority.APPROVAL or move.settled is not None
    return is_given and move.decided.at <= begun.at


def _parts_duties(move: Move) -> bool:
    """Nobody approved what they asked for themselves."""
    settled = move.settled
    asked = settled.requested.by if settled is not None and settled.requested is not None else ""
    return all(one.by != asked for one in move.approvals)


def _is_checked(move: Move, trail: Trail) -> bool:
    """Whether somebody looked after the change, or ended the incident then."""
    course = trail.courses.get(move.incident)
    if not move.confirmed or move.ended is None or course is None:
        return True
    looks = [*course.verified, *([course.ended] if course.ended is not None else [])]
    return any(look.at >= move.ended.at for look in looks)


def population(trail: Trail, _: Ground) -> Judged:
    """No change went past the process: what nobody declared is a finding."""
    known = [pointer for move in _moves(trail) for pointer in move.pointers]
    return by_pointers(
        trail.unattributed,
        [*trail.declared, *known],
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
    fails, passes = "never checked", "checked after it was made"
    return _by_moves(lambda move: _is_checked(move, trail), fails, passes, trail)


def reviewed(trail: Trail, ground: Ground) -> Judged:
    """Every emergency has a review that is closed, or is not due yet."""
    about = {duty.about for duty in trail.duties.values()}
    missing = [move for move in _moves(trail) if (move.incident, move.plan) not in about]
    forgotten = [pointer for move in missing for pointer in move.unseconded]
    reviewed_deeds = {deed for _, deed in about}
    forgotten += [one for one in trail.hotfixes if one.event not in reviewed_deeds]
    if forgotten:
        said = "{count} emergencies have no mandatory review"
        return by_pointers(forgotten, (), fails=said, passes="", none="")

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
    """Nobody approved what they asked for, unless that very plan is under a mandatory review."""
    bad, good = divide((m for m in _moves(trail) if m.approvals), _parts_duties)
    about = {duty.about for duty in trail.duties.values()}
    bad, waived = divide(bad, lambda move: (move.incident, move.plan) in about)
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
    if approvals.result is Result.FAIL or not closed:
        return approvals
    return by_pointers(
        (duty.opened for duty in bad),
        (duty.closed for duty in good if duty.closed is not None),
        fails="{count} reviews were closed by whoever made them necessary",
        passes="whoever closed a review is not whom it is about",
        none="no review was closed",
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
