"""Stages: how far a service has come, what is missing for the next, and what to do about it.

Pilot: triage by hand and basic alerts. MVP-Prod: one-click rollback behind a gate, to versioned
endpoints; objectives with error budgets; severities and paging. Scale: playbooks for everybody,
drills, responders that act by themselves. A requirement that nobody could check is not met.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.catalog import Mode, Service
from shared.domain.readiness.check import Area, Check, Verdict
from shared.domain.readiness.observed import MOVES, targets_of

DRILLED_WITHIN = timedelta(days=90)


class Stage(StrEnum):
    """The three, in their order."""

    PILOT = "pilot"
    MVP_PROD = "mvp-prod"
    SCALE = "scale"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one service: its file, the last checks, and what was tried on it.

    `is_judged`: it has golden cases. `rolled_back_at`: its traffic was last moved back, in a drill
    or not.
    """

    service: Service
    now: datetime
    checks: tuple[Check, ...] = ()
    is_judged: bool = False
    rolled_back_at: datetime | None = None


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement that is not met; `unknown` where nobody could check it."""

    what: str
    remedy: str
    unknown: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service stands. `missing` is for the stage `next`, which is None at the last."""

    service: str
    stage: Stage
    next: Stage | None = None
    missing: tuple[Missing, ...] = ()


type _Met = Callable[[Facts], bool | None]


def stand(facts: Facts) -> Standing:
    """The stage of one service: the last whose requirements, and those before, are all met."""
    reached = Stage.PILOT
    for stage, wanted in REQUIREMENTS.items():
        missing = tuple(_missing(facts, wanted))
        if missing:
            name = facts.service.name
            return Standing(service=name, stage=reached, next=stage, missing=missing)
        reached = stage
    return Standing(service=facts.service.name, stage=reached)


def stage_of_all(standings: Iterable[Standing]) -> Stage:
    """The whole is where its last service is; nothing at all is a pilot."""
    order = list(Stage)
    return min((one.stage for one in standings), key=order.index, default=Stage.PILOT)


def _missing(facts: Facts, wanted: Iterable[tuple[str, str, _Met]]) -> Iterable[Missing]:
    for what, remedy, met in wanted:
        is_met = met(facts)
        if not is_met:
            yield Missing(what=what, remedy=remedy, unknown=is_met is None)


def _passed(area: Area) -> _Met:
    """Whether all checks of an area that concern the service passed; None where none told."""

    def met(facts: Facts) -> bool | None:
        found = {one.verdict for one in facts.checks if one.area is area}
        if Verdict.FAILED in found:
            return False
        return True if found == {Verdict.PASSED} else None

    return met


def _is_budgeted(facts: Facts) -> bool:
    slos = facts.service.slos
    return bool(slos) and all(slo.alerts and slo.budget_policy for slo in slos)


def _is_drilled(facts: Facts) -> bool | None:
    at = facts.rolled_back_at
    return None if at is None else facts.now - at <= DRILLED_WITHIN


REQUIREMENTS: dict[Stage, tuple[tuple[str, str, _Met], ...]] = {
    Stage.MVP_PROD: (
        (
            "traffic behind a versioned endpoint",
            "serve it by a managed online endpoint, and name that under `targets`",
            lambda facts: bool(targets_of(facts.service)),
        ),
        (
            "a rollback by one click, behind a gate",
            "raise `mode` to approve",
            lambda facts: facts.service.mode in MOVES,
        ),
        (
            "the right to move its traffic",
            "run `azd provision` with the new mode",
            _passed(Area.ENDPOINTS),
        ),
        (
            "a version to go back to",
            "let a version serve well for its soak",
            _passed(Area.KNOWN_GOOD),
        ),
        (
            "objectives with alerts and an error-budget policy",
            "give it objectives: shared/catalog/README.md",
            _is_budgeted,
        ),
        (
            "alert rules that are on",
            "run `make generate`, then `azd provision`",
            _passed(Area.RULES),
        ),
        (
            "two people to page, in this order",
            "name two contacts, and set their routing keys",
            lambda facts: len(facts.service.contacts) > 1 and _passed(Area.PAGING)(facts),
        ),
    ),
    Stage.SCALE: (
        (
            "a playbook",
            "write one, and name it under `runbook`",
            lambda facts: bool(facts.service.runbook),
        ),
        (
            "a responder that acts by itself",
            "raise `mode` to automatic, once approvals only ever say yes",
            lambda facts: facts.service.mode is Mode.AUTOMATIC,
        ),
        (
            "health checks with golden cases",
            "write shared/catalog/golden/<service>.yaml",
            lambda facts: facts.is_judged,
        ),
        (
            "a drill within 90 days that ended in a rollback",
            "break it on purpose, outside of business hours, and let Backstop act",
            _is_drilled,
        ),
    ),
}
"""What each stage asks for beyond the one before: what, what to do where it is not so, whether."""
