"""The balance of every error budget: what was counted, what is left, and how fast it burns.

Read from the one answer to `shared.domain.slos.burn_query.budget_query`. What the logs did not
answer is unknown, never well; too few labels are insufficient, never a share.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from shared.domain.catalog import Service
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import WINDOWS, BurnAlert, Slo


class Status(StrEnum):
    """What can be said of an objective, in one word."""

    OK = "ok"
    BURNING = "burning"  # one of its alerts would fire now
    SPENT = "spent"
    INSUFFICIENT = "insufficient"  # too few of the answers were judged
    NO_DATA = "no-data"  # nothing was counted in its whole window
    UNKNOWN = "unknown"  # the logs did not answer


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What a window holds. `answered` are the requests that could have been counted.

    `burn` is how many times too fast the budget is spent; None where that cannot be told.
    """

    total: int = 0
    bad: int = 0
    answered: int = 0
    burn: float | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One objective of one service. `count` is that of its own window.

    `left` is the share of the budget that is left, negative where it is overspent, None where
    nobody can tell.
    """

    service: str
    slo: Slo
    status: Status
    count: Count = Count()
    left: float | None = None
    windows: dict[str, Count] = {}

    @property
    def spent(self) -> float | None:
        """The share of the budget that is spent; None where nobody can tell."""
        return None if self.left is None else 1.0 - self.left

    def burn(self, alert: BurnAlert) -> float | None:
        """The lower rate of an alert's two windows; None where one of them cannot be told."""
        short, long = (self.windows.get(w) for w in (alert.short_window, alert.long_window))
        if short is None or long is None or short.total < alert.minimum_requests:
            return None
        if short.burn is None or long.burn is None:
            return None
        return min(short.burn, long.burn)


type Balances = Mapping[tuple[str, str], Balance]
"""By service and objective."""


def further_windows(services: Iterable[Service]) -> tuple[str, ...]:
    """The windows of alerts that are not among the usual."""
    alerts = (alert for service in services for slo in service.slos for alert in slo.alerts)
    found = (window for one in alerts for window in (one.short_window, one.long_window))
    return tuple(dict.fromkeys(window for window in found if window not in WINDOWS))


def read_balances(services: Sequence[Service], answer: QueryAnswer | None) -> Balances:
    """Every objective of the services; all unknown where the logs did not answer in full."""
    usable = answer is not None and answer.status is AnswerStatus.COMPLETE
    rows = answer.rows if answer is not None and usable else ()
    by_slo = {(str(row.get("Service")), str(row.get("Slo"))): row for row in rows}
    return {
        (service.name, slo.name): _balance(service, slo, by_slo.get((service.name, slo.name)))
        for service in services
        for slo in service.slos
    }


def _balance(service: Service, slo: Slo, row: Mapping[str, object] | None) -> Balance:
    if row is None:
        return Balance(service=service.name, slo=slo, status=Status.UNKNOWN)
    named = (column.removeprefix("T") for column in row if column.startswith("T"))
    windows = {window: _count(slo, row, window) for window in named if window != BUDGET}
    count = _count(slo, row, BUDGET)
    left = None if count.burn is None else 1.0 - count.burn
    found = Balance(
        service=service.name, slo=slo, status=Status.OK, count=count, left=left, windows=windows
    )
    return msgspec.structs.replace(found, status=_status(found))


def _count(slo: Slo, row: Mapping[str, object], window: str) -> Count:
    total, bad = _number(row, f"T{window}"), _number(row, f"B{window}")
    answered = _number(row, f"A{window}") if f"A{window}" in row else total
    enough = total > 0 and slo.indicator.is_enough(total, answered)
    burn = bad / total / slo.budget if enough and slo.budget else None
    return Count(total=total, bad=bad, answered=answered, burn=burn)


def _number(row: Mapping[str, object], column: str) -> int:
    value = row.get(column)
    return int(value) if isinstance(value, int | float) else 0


def _status(found: Balance) -> Status:
    """The first that applies."""
    if found.left is None:
        return Status.INSUFFICIENT if found.count.answered else Status.NO_DATA
    if found.left <= 0:
        return Status.SPENT
    burns = ((alert, found.burn(alert)) for alert in found.slo.alerts)
    if any(rate is not None and rate >= alert.burn_rate for alert, rate in burns):
        return Status.BURNING
    return Status.OK
