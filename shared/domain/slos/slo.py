"""One objective: what is counted, the share that must be good, who hears how fast its budget burns.

`shared.adapters.catalog_slo` reads it from an OpenSLO document. An indicator is KQL in parts: the
alert rules, diagnosis and the budget compile the same parts into their own queries, so what pages
at night and what is explained afterwards cannot differ.
"""

import math
from enum import StrEnum

import msgspec

from shared.domain.incidents.incident import Severity

LEAST_COUNTED = 50  # requests in a window; fewer say nothing
WINDOWS = ("5m", "30m", "1h", "6h", "3d")
"""The windows over which burn rates are measured, shortest first."""


class Sli(StrEnum):
    """The kinds of indicator."""

    AVAILABILITY = "availability"
    LATENCY = "latency"
    QUALITY = "quality"


class Indicator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is counted, in KQL: rows of `table` that pass `where`; good are those that pass `good`.

    `where` and `good` are boolean expressions over one row; an empty `where` counts all. Which
    service, which window, and not our own probes, is for the compiler to add. A quality indicator
    counts labels, one for an answered request: `label_source` says who judged ("judge" or
    "outcome"), `least_labelled` the share of answered requests that must have been judged; fewer
    are `insufficient`.
    """

    table: str
    where: str = ""
    good: str
    label_source: str = ""
    least_labelled: float = 0.0

    @property
    def moment(self) -> str:
        """The KQL for the time at which a row counts.

        A label may come days after the answer, and counts in the window of the request that it
        judges. It is written later than that, so a scan by TimeGenerated from a window's start
        still finds every label of the window.
        """
        if not self.label_source:
            return "TimeGenerated"
        return f'coalesce(todatetime(Properties["{ANSWERED_AT}"]), TimeGenerated)'

    @property
    def asks_share(self) -> bool:
        """Whether one table tells the labels and the answers that could have been labelled."""
        return bool(self.label_source) and self.least_labelled > 0 and self.table == LABELS

    def is_enough(self, labelled: int, answered: int | None) -> bool:
        """Whether enough of the answers were judged; requests need no judge."""
        return not self.label_source or labelled >= self.least_labelled * (answered or 0)


ANSWERED_AT = "backstop.answered_at"
"""The property of a label that says when the request was answered which it judges."""

LABELS = "AppEvents"
"""The table of the helper's labels, and of the event that says how many answers there were."""

COUNTED_ANSWERS = "backstop.answered"
"""That event, and its property: how many requests its process has answered since the last one."""

ANSWERED = Indicator(table="AppRequests", good="Success == true")
"""The usual indicator of availability."""


class AlertAction(StrEnum):
    """What a burn-rate alert does."""

    PAGE = "page"
    TICKET = "ticket"


class BurnAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fires where the budget burns at least so fast in both windows ("5m", "1h", "3d").

    `minimum_requests` is asked of the short window: one error in a quiet hour must not page.
    """

    burn_rate: float
    short_window: str
    long_window: str
    severity: Severity = Severity.SEV2
    action: AlertAction = AlertAction.PAGE
    minimum_requests: int = LEAST_COUNTED


BURN_ALERTS = (
    BurnAlert(burn_rate=14.4, short_window="5m", long_window="1h", severity=Severity.SEV1),
    BurnAlert(burn_rate=6.0, short_window="30m", long_window="6h"),
    BurnAlert(
        burn_rate=1.0,
        short_window="6h",
        long_window="3d",
        severity=Severity.SEV3,
        action=AlertAction.TICKET,
    ),
)
"""The usual alerts of an objective over 30 days (SRE workbook, chapter 5)."""


def reachable(burn_rate: float, objective: float) -> bool:
    """Whether a budget can burn so fast at all: if every request fails, it burns 1 / budget."""
    return burn_rate * (1.0 - objective) <= 1.0 + 1e-9


def least_requests(burn_rate: float, objective: float) -> int:
    """Of how many requests one bad one burns slower than that."""
    return math.floor(1.0 / (burn_rate * (1.0 - objective)) + 1e-9) + 1


def usual_alerts(objective: float, window_days: int = 30) -> tuple[BurnAlert, ...]:
    """The usual alerts for an objective over so many days, without those it can never reach.

    Each fires at the same share of the budget in its long window: 2 % in an hour, 5 % in six, 10 %
    in three days. None fires while the budget would last, nor for one bad request.
    """
    scaled = [max(1.0, round(one.burn_rate * window_days / 30, 4)) for one in BURN_ALERTS]
    return tuple(
        msgspec.structs.replace(
            one,
            burn_rate=rate,
            minimum_requests=max(LEAST_COUNTED, least_requests(rate, objective)),
        )
        for one, rate in zip(BURN_ALERTS, scaled, strict=True)
        if reachable(rate, objective)
    )


class BudgetAction(StrEnum):
    """What follows where so much of an error budget is spent."""

    PAGE = "page"
    TICKET = "ticket"
    APPROVE = "approve"  # traffic moves only with a person's approval
    ROLL_BACK = "roll_back"  # ask for the way of an alert, as if one had fired
    FREEZE = "freeze"  # promotions rest


class BudgetStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of an error-budget policy: from `spent` (1.0 is all of it) on, do `action`."""

    spent: float
    action: BudgetAction


USUAL_BUDGET_POLICY = (BudgetStep(spent=1.0, action=BudgetAction.FREEZE),)
"""What follows where a service's file does not say: a spent budget freezes promotions."""


class Slo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One objective. `sli` is its kind (`Sli`); `objective` is a share, 0.99 for 99 %."""

    name: str
    sli: str
    objective: float
    window_days: int = 30
    latency_ms: float | None = None
    indicator: Indicator = ANSWERED
    alerts: tuple[BurnAlert, ...] = BURN_ALERTS
    budget_policy: tuple[BudgetStep, ...] = ()

    @property
    def budget(self) -> float:
        """The share of requests that may be bad, as people write it: 0.01 of 0.99."""
        return round(1.0 - self.objective, 9)
