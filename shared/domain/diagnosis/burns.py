"""Burn rates: how fast an error budget is spent, for the total and for every slice.

A burn of 1 spends the whole budget in the objective's period; the policy names the burn from which
traffic may be moved, and demands it in a short and a long window at once (the SRE workbook's multi
window rule): the long one shows that it matters, the short one that it has not ended.
"""

from collections.abc import Iterable, Sequence

import msgspec

from shared.domain.catalog import RollbackPolicy, Service
from shared.domain.diagnosis.diagnosis import Burn
from shared.domain.diagnosis.measurements import BurnRow
from shared.domain.slos.slo import WINDOWS, Slo

type Window = tuple[int, int, float | None]


class WorstBurn(msgspec.Struct, frozen=True, kw_only=True):
    """The slice that burns fastest; `rate` is the lower one of its two windows."""

    burn: Burn
    rate: float

    @property
    def where(self) -> str:
        """The slice for people: "region=swedencentral", or "" for the total."""
        return f"{self.burn.dimension}={self.burn.value}" if self.burn.dimension else ""


def parse_burns(rows: Iterable[BurnRow], slos: Sequence[Slo]) -> tuple[Burn, ...]:
    """Burn rates of every objective, total first; one without rows keeps an empty total."""
    found = tuple(rows)
    burns = [_burn(slo, row) for slo in slos for row in found if row.slo == slo.name]
    told = {burn.slo for burn in burns if not burn.dimension}
    burns += [_without_data(slo) for slo in slos if slo.name not in told]
    return tuple(sorted(burns, key=lambda burn: (burn.dimension != "", burn.slo)))


def burn_rate(total: int, bad: int, objective: float) -> float | None:
    """(bad / total) / (1 - objective); None without traffic or without a budget."""
    if total <= 0 or objective >= 1.0:
        return None
    return bad / total / round(1.0 - objective, 9)


def worst_burn(burns: Iterable[Burn], policy: RollbackPolicy) -> WorstBurn | None:
    """The slice or total with the highest burn, by the lower one of the policy's two windows.

    Only slices with the policy's minimum of requests in both windows count: one error in a quiet
    hour must not page. None where no slice has that much, or a window is not measured.
    """
    rated = [
        WorstBurn(burn=burn, rate=rate)
        for burn in burns
        if (rate := _sustained(burn, policy)) is not None
    ]
    return max(rated, key=lambda worst: worst.rate, default=None)


def breach_share(service: Service, sli: str = "availability") -> float:
    """The bad share from which the policy's burn rate is reached, kept between 1 % and 50 %.

    Without an objective of this kind 99 % is supposed.
    """
    return min(max(service.policy.burn_rate * allowed_share(service, sli), 0.01), 0.5)


def allowed_share(service: Service, sli: str = "availability") -> float:
    """The bad share that the strictest objective of this kind allows; 1 % where there is none."""
    objectives = [slo.objective for slo in service.slos if slo.sli == sli]
    return 1.0 - max(objectives, default=0.99)


def burns_too_fast(worst: WorstBurn | None, policy: RollbackPolicy) -> bool:
    """Whether the policy's burn rate is reached in both windows."""
    return worst is not None and worst.rate >= policy.burn_rate


def _sustained(burn: Burn, policy: RollbackPolicy) -> float | None:
    windows = [burn.windows.get(n, (0, 0, None)) for n in (policy.short_window, policy.long_window)]
    least = policy.minimum_requests
    rates = [rate for total, _, rate in windows if total >= least and rate is not None]
    return min(rates) if len(rates) == len(windows) else None


def _burn(slo: Slo, row: BurnRow) -> Burn:
    counts = {
        "5m": (row.t5m, row.b5m, row.a5m),
        "30m": (row.t30m, row.b30m, row.a30m),
        "1h": (row.t1h, row.b1h, row.a1h),
        "6h": (row.t6h, row.b6h, row.a6h),
        "3d": (row.t3d, row.b3d, row.a3d),
    }
    return Burn(
        slo=slo.name,
        sli=slo.sli,
        dimension=row.dimension,
        value=row.value,
        windows={name: _window(slo, *count) for name, count in counts.items()},
    )


def _window(slo: Slo, total: int, bad: int, could_be: int | None) -> Window:
    """Where too few answers were judged, there is no rate: those may be the odd ones."""
    rate = burn_rate(total, bad, slo.objective)
    return (total, bad, rate if slo.indicator.is_enough(total, could_be) else None)


def _without_data(slo: Slo) -> Burn:
    windows: dict[str, Window] = dict.fromkeys(WINDOWS, (0, 0, None))
    return Burn(slo=slo.name, sli=slo.sli, dimension="", value="", windows=windows)
