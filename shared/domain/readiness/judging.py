"""What was learnt, judged: every check of one app, in a fixed order. Pure.

Each app judges its own rights; what both need and both could see is the responder's to tell.
"""

from collections.abc import Iterator

from shared.domain.catalog import Service
from shared.domain.readiness.age import is_late
from shared.domain.readiness.check import Area, Check, failed, passed, unknown
from shared.domain.readiness.configured import judge_configured
from shared.domain.readiness.observed import MOVES, Observed, Sealing, targets_of
from shared.domain.readiness.rights import READ_ACTIONS, WRITE_ACTION, Rights
from shared.domain.readiness.sight import judge_sight


def judge_responder(seen: Observed) -> tuple[Check, ...]:
    """The checks of the app that people and alerts reach."""
    return (*_sights(seen), _door(seen), _way(seen), *_other(seen), *judge_configured(seen))


def judge_executor(seen: Observed) -> tuple[Check, ...]:
    """The checks of the app that moves traffic and keeps the ledger."""
    return (*_sights(seen), *_rights(seen), _sealing(seen), *_other(seen))


def _sights(seen: Observed) -> Iterator[Check]:
    for sight in seen.sights:
        yield judge_sight(sight, by_the_app=seen.by_the_app)


def _door(seen: Observed) -> Check:
    area, name = Area.WEBHOOK, "the responder's door"
    if seen.door is None:
        mend = "look whether BACKSTOP_PUBLIC_URL can be reached from here"
        return unknown(area, name, "the responder's address does not answer from here", mend)
    if seen.door in (401, 403):
        return passed(area, name, f"it refuses who has no token ({seen.door})")
    said = f"it answers {seen.door} to a call without a token, not 401"
    return failed(area, name, said, "deploy the responder again: nobody may enter without a token")


def _way(seen: Observed) -> Check:
    """Whether an action group brings alerts to the door: without one nobody ever knocks."""
    area, name, rules = Area.WEBHOOK, "the action group", seen.rules
    if rules is None:
        return unknown(area, name, "the action groups could not be listed", "see the area rules")
    if rules.posted_to & seen.doors:
        return passed(area, name, "one posts alerts to the responder; none was sent to try it")
    said = "no action group posts alerts to the responder, with Entra's token and common schema"
    if rules.everywhere and seen.by_the_app:
        return failed(area, name, said, "run `azd provision`, which makes it")
    mend = "read the responder's own report, or set BACKSTOP_SUBSCRIPTION"
    return unknown(area, name, f"{said}, as far as can be seen from here", mend)


def _other(seen: Observed) -> Iterator[Check]:
    """An app whose tables are closed to it can tell nobody: the other one sees that it is still."""
    if seen.other is None:
        return
    area, name, at = Area.OTHER_APP, seen.other.app, seen.other.looked_at
    mend = f"look at the log of the {name}: is it deployed, does its timer run, may it write?"
    if at is None:
        yield unknown(area, name, f"the {name} has not looked at itself yet", mend)
        return
    said = f"the {name} looked at itself last at {at:%Y-%m-%d %H:%M} UTC"
    if not is_late(at, seen.other.every_s, seen.now):
        yield passed(area, name, said)
    elif is_late(seen.since or at, seen.other.every_s, seen.now):
        yield failed(area, name, said, mend)
    else:
        away = f"{said}; the app that asks was away, too, and it may still come back"
        yield unknown(area, name, away, mend)


def _rights(seen: Observed) -> Iterator[Check]:
    for service in seen.catalog.services.values():
        for target in targets_of(service):
            if target in seen.rights:
                yield _rights_at(service, target, seen.rights[target], by_app=seen.by_the_app)


def _rights_at(service: Service, target: str, rights: Rights, *, by_app: bool) -> Check:
    area, name = Area.ENDPOINTS, target.rpartition("/")[2]
    moves = service.mode in MOVES
    lacking = rights.missing((*READ_ACTIONS, *((WRITE_ACTION,) if moves else ())))
    if lacking:
        said, mend = f"not allowed: {', '.join(lacking)}", "grant it: run `azd provision`"
        if by_app:
            return failed(area, name, said, mend, service.name)
        mend = "read the executor's own report"
        return unknown(area, name, f"you are {said}, which says nothing of it", mend, service.name)
    if moves or rights.missing((WRITE_ACTION,)):
        said = (
            "it may be read, probed and its traffic moved" if moves else "it may be read, no more"
        )
        return passed(area, name, said, service.name)
    said = f"mode {service.mode} moves nothing, and the right to move traffic is given"
    return passed(area, name, f"{said}: take it away", service.name)


def _sealing(seen: Observed) -> Check:
    area, name, known = Area.SEALS, "the newest seal", seen.sealing
    if known is None:
        return unknown(area, name, "the seals could not be read", "see the area containers")
    if _is_late(known, seen):
        said = f"records wait since {known.waiting_since:%Y-%m-%d %H:%M} UTC to be sealed"
        mend = "read the log of backstop.seal: blobs, key, or a touched record"
        return failed(area, name, f"{said}, more than two periods", mend)
    when = f"{known.sealed_at:%Y-%m-%d %H:%M} UTC" if known.sealed_at else "never yet"
    return passed(area, name, f"sealed {when}; nothing waits too long")


def _is_late(known: Sealing, seen: Observed) -> bool:
    """A seal is only made where something was recorded: its age alone says nothing."""
    if known.waiting_since is None:
        return False
    waits_since = max(known.waiting_since, seen.since or known.waiting_since)
    return is_late(waits_since, known.every_s, seen.now)
