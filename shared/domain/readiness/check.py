"""Checks: one thing that Backstop needs, whether it is so, and what to do where it is not.

`judging` makes them of what was gathered; the API and `make doctor` show them. What could not be
checked is `unknown`, which is never taken for passed.
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Area(StrEnum):
    """What a check is about."""

    IDENTITY = "identity"
    TABLES = "tables"
    CONTAINERS = "containers"
    BUS = "bus"
    LOGS = "logs"
    ENDPOINTS = "endpoints"
    SEARCH = "search"
    VAULT = "vault"
    TELEMETRY = "telemetry"
    SIGNING = "signing"
    SEALS = "seals"
    RULES = "rules"
    WEBHOOK = "webhook"
    PAGING = "paging"
    CATALOG = "catalog"
    KNOWN_GOOD = "known-good"
    OTHER_APP = "other-app"


TOLD_ELSEWHERE = frozenset({Area.KNOWN_GOOD, Area.CATALOG})
"""The soak watch pages for a lost known good, and a deployment's own checks refuse a bad file."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check. `service` is "" for what all need; `remedy` says what to do, unless it passed.

    `held` is the last verdict that was no `unknown`, of this run or of those before.
    """

    area: Area
    name: str
    verdict: Verdict
    sentence: str
    remedy: str = ""
    service: str = ""
    held: Verdict | None = None

    @property
    def key(self) -> tuple[Area, str, str]:
        """What is the same check in the next run."""
        return self.area, self.name, self.service


def passed(area: Area, name: str, sentence: str, service: str = "") -> Check:
    """It is as it should be."""
    return Check(area=area, name=name, verdict=Verdict.PASSED, sentence=sentence, service=service)


def failed(area: Area, name: str, sentence: str, remedy: str, service: str = "") -> Check:
    """It is not."""
    return Check(
        area=area,
        name=name,
        verdict=Verdict.FAILED,
        sentence=sentence,
        remedy=remedy,
        service=service,
    )


def unknown(area: Area, name: str, sentence: str, remedy: str, service: str = "") -> Check:
    """Nobody could find out."""
    return Check(
        area=area,
        name=name,
        verdict=Verdict.UNKNOWN,
        sentence=sentence,
        remedy=remedy,
        service=service,
    )


def worst(checks: tuple[Check, ...]) -> Verdict:
    """Failed before unknown before passed; of no check, unknown."""
    verdicts = {check.verdict for check in checks} or {Verdict.UNKNOWN}
    order = (Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED)
    return next(verdict for verdict in order if verdict in verdicts)
