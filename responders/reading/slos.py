"""Slos: what every objective promises, what is left of its error budget, how fast it burns.

Beside the flow: one question to the logs for all services, whose answer is kept for a minute. The
page shows with it what the budgets' policies have done.
"""

import asyncio
from typing import Any

from shared.domain.slos.balance import Balance, Count, Status
from shared.domain.views.http import Answer, Request, json_answer
from shared.domain.views.slos_page import present_slos
from shared.errors import NotFound
from shared.protocol.budgets import balances_lately
from shared.protocol.door.show_page import page, show_page
from shared.protocol.records import read_controls
from shared.services import Services

WITHIN_S = 20.0  # as long as the logs may take
PAGE_WITHIN_S = 5.0  # a page says unknown instead, and the question goes on


async def show_slos(services: Services, request: Request) -> Answer:
    """Every objective of all services, or of one. Raises NotFound for an unknown service."""
    wanted = request.query.get("service", "")
    if wanted and wanted not in services.catalog.services:
        raise NotFound(f"no service {wanted}")
    found = await balances_lately(services, WITHIN_S)
    shown = [_shown(one) for one in found.values() if not wanted or one.service == wanted]
    return json_answer({"slos": shown})


@page
async def show_slos_page(services: Services, request: Request) -> Answer:
    """Every objective for people; what the logs do not tell in time is unknown."""
    balances, controls = await asyncio.gather(
        balances_lately(services, PAGE_WITHIN_S), read_controls(services)
    )
    view = present_slos(services.catalog, balances, controls)
    return show_page(services, request, "slos.html", view=view)


def _shown(one: Balance) -> dict[str, Any]:
    """Shares and rates are null where nobody can tell; counts are, where the logs are silent."""
    known = one.status is not Status.UNKNOWN
    slo, count = one.slo, one.count
    return {
        "service": one.service,
        "slo": slo.name,
        "sli": slo.sli,
        "objective": slo.objective,
        "window_days": slo.window_days,
        "status": one.status,
        "total": count.total if known else None,
        "good": count.total - count.bad if known else None,
        "judged_of": count.answered if known and slo.indicator.label_source else None,
        "budget_left": _rounded(one.left),
        "burn": {window: _burn(each) for window, each in one.windows.items()},
    }


def _burn(count: Count) -> dict[str, Any]:
    return {"rate": _rounded(count.burn), "total": count.total, "bad": count.bad}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
