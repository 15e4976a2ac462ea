"""Controls of the records themselves: protected, signed, kept, and complete."""

from datetime import timedelta

from shared.domain.evidence.control import Ground, Judged, Result, by_pointers
from shared.domain.evidence.trail import Trail

LEAST_RETENTION = timedelta(days=184)  # six months, whichever they are


def protected(_: Trail, ground: Ground) -> Judged:
    """The records verify, and a seal covers them."""
    if not ground.ledger_ok:
        return Judged(
            result=Result.FAIL, why=f"the ledger does not verify: {ground.ledger_problem}"
        )
    if not ground.seals:
        return Judged(result=Result.FAIL, why="no seal covers these records yet")
    why = f"the ledger verifies under {ground.seals} seals of the key {ground.key[:16]}"
    return Judged(result=Result.PASS, why=why)


def not_repudiable(trail: Trail, ground: Ground) -> Judged:
    """Every record names who did it, and is under a seal."""
    if trail.nameless:
        return by_pointers(
            trail.nameless, (), fails="{count} records name nobody", passes="", none=""
        )
    said = protected(trail, ground)
    why = f"every record names a person or program by tenant and object; {said.why}"
    return Judged(result=said.result, why=why if said.result is Result.PASS else said.why)


def retained(_: Trail, ground: Ground) -> Judged:
    """Records are kept for six months at least."""
    days = ground.retention.days
    if ground.retention < LEAST_RETENTION:
        return Judged(result=Result.FAIL, why=f"records are kept for {days} days only")
    said = f"records are kept for {days} days at least, and what is purged is told"
    return Judged(result=Result.PASS, why=said)


def logged(trail: Trail, ground: Ground) -> Judged:
    """What happened was recorded as it happened, and is kept for six months."""
    kept = retained(trail, ground)
    if kept.result is Result.FAIL or not trail.events:
        none = Judged(result=Result.NOT_APPLICABLE, why="nothing was recorded")
        return kept if kept.result is Result.FAIL else none
    why = f"{trail.events} events were recorded as they happened; {kept.why}"
    return Judged(result=Result.PASS, why=why)
