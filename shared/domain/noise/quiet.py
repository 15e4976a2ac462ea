"""Quiet: what holds an incident's pages or its automation back, in plain words.

`shared.domain.noise.noise` finds it, the incident keeps it, cards and the delivery's answer show
it.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


class QuietRule(StrEnum):
    """Why Backstop keeps quiet. The order is that in which the rules are asked."""

    MAINTENANCE = "maintenance"
    INHIBITION = "inhibition"
    STORM = "storm"
    FLAPPING = "flapping"


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that holds back now. `until` is the earliest end, None where others decide it.

    The sentence says what the rule sees and what it holds; numbers in it may be out of date.
    """

    rule: QuietRule
    sentence: str
    until: datetime | None = None
    pages: bool = True
    automation: bool = True


def holding_pages(quiets: Iterable[Quiet]) -> Quiet | None:
    """The first rule that lets nobody be paged now."""
    return next((quiet for quiet in quiets if quiet.pages), None)


def holding_automation(quiets: Iterable[Quiet]) -> Quiet | None:
    """The first rule that lets nothing be moved without a person now."""
    return next((quiet for quiet in quiets if quiet.automation), None)


def sentences(quiets: Iterable[Quiet]) -> str:
    """All that is held back and why, each rule by its name; "" where nothing is."""
    return " ".join(f"{quiet.rule}: {quiet.sentence}" for quiet in quiets)
