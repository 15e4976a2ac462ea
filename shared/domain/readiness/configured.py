"""What each service needs to be looked after: rules, people to page, a version to go back to.

Judged by the responder: its file, what Azure lists, and what is stored. Pure.
"""

from collections.abc import Iterator

from shared.domain.catalog import UNOWNED, Service
from shared.domain.decisions.awaited import UNSEEN
from shared.domain.detection.rules import rules_of
from shared.domain.readiness.check import Area, Check, failed, passed, unknown
from shared.domain.readiness.observed import MOVES, Observed, Rules, targets_of


def judge_configured(seen: Observed) -> Iterator[Check]:
    """Rules, paging, files and known good, in that order."""
    yield from _rules(seen)
    yield from _paging(seen)
    yield from _catalog(seen)
    yield from _known_good(seen)


def _services(seen: Observed) -> list[Service]:
    return list(seen.catalog.services.values())


def _rules(seen: Observed) -> Iterator[Check]:
    for service in _services(seen):
        wanted = {rule.name.lower() for rule in rules_of(service)}
        yield _rules_of(service.name, wanted, seen.rules)


def _rules_of(service: str, wanted: set[str], rules: Rules | None) -> Check:
    area, name = Area.RULES, "alert rules"
    if rules is None:
        return unknown(area, name, "the rules could not be listed", "see the area rules", service)
    missing = sorted(wanted - rules.found)
    if not wanted:
        said = "no rule is generated: an objective without alerts wakes nobody"
        return failed(area, name, said, "give its objectives alerts in the service's file", service)
    if not missing:
        return passed(area, name, f"all {len(wanted)} are on", service)
    some = ", ".join(missing[:3]) + (" and more" if len(missing) > 3 else "")
    said = f"{len(missing)} of {len(wanted)} are not there or off: {some}"
    mend = "run `make generate`, then `azd provision`"
    if rules.everywhere:
        return failed(area, name, said, mend, service)
    said = f"{said}; Backstop's own subscription was not looked through"
    return unknown(area, name, said, "set BACKSTOP_SUBSCRIPTION to where the rules are", service)


def _paging(seen: Observed) -> Iterator[Check]:
    if seen.pagers is None:
        said, mend = "only the responder knows the routing keys", "read the responder's own report"
        yield unknown(Area.PAGING, "routing keys", said, mend)
        return
    for service in (UNOWNED, *_services(seen)):
        yield _keys(service, seen.pagers)
    area, name = Area.PAGING, "fallback"
    if seen.has_fallback:
        yield passed(area, name, "there is a webhook for when the pager does not answer")
    else:
        said = "while the pager does not answer nobody is woken"
        mend = "set BACKSTOP_PAGER_FALLBACK_URL, in Azure by pager-fallback-url: docs/deploy.md"
        yield failed(area, name, said, mend)


def _keys(service: Service, pagers: frozenset[str]) -> Check:
    area, name = Area.PAGING, "routing keys"
    lacking = sorted({one.pager for one in service.contacts} - pagers)
    if not lacking:
        count = len(service.contacts)
        said = f"{count} contact{'s' if count > 1 else ''} can be paged; no page was sent"
        return passed(area, name, said, service.name)
    wanted = ", ".join(f"BACKSTOP_PAGER_KEY_{one.upper().replace('-', '_')}" for one in lacking)
    secrets = ", ".join(f"pager-key-{one}" for one in lacking)
    said = f"no routing key for {', '.join(lacking)}"
    return failed(area, name, said, f"set {wanted}, in Azure by {secrets}", service.name)


def _catalog(seen: Observed) -> Iterator[Check]:
    area = Area.CATALOG
    if not seen.catalog.mistakes:
        yield passed(area, "files", f"{len(seen.catalog.services)} services, no mistake")
    for one in seen.catalog.mistakes:
        said = f"{one.file}:{one.line}: {one.field}: {one.problem}"
        yield failed(area, f"{one.file}:{one.line}", said, "`make lint-catalog`", one.service)


def _known_good(seen: Observed) -> Iterator[Check]:
    area = Area.KNOWN_GOOD
    for service in _services(seen):
        for target in targets_of(service):
            name = target.rpartition("/")[2]
            if seen.awaited is None:
                mend = "see the area tables"
                yield unknown(area, name, "the records could not be read", mend, service.name)
            elif seen.awaited.get(target, UNSEEN) == "":
                yield passed(area, name, "there is a version to go back to", service.name)
            else:
                said = f"mode {service.mode}, and no version to go back to is known"
                said += "" if service.mode in MOVES else ": what would be done cannot be told"
                mend = f"let a version serve well for its soak. {seen.awaited.get(target, UNSEEN)}"
                yield failed(area, name, said, mend, service.name)
