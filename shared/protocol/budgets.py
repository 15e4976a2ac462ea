"""Budgets: the balance of every objective of the catalog, by one question to the logs.

The API and the pages share what was answered a moment ago; the timer asks anew.
"""

from shared.domain.slos.balance import Balances, read_balances
from shared.services import Services

KEPT_S = 60.0


async def balances_lately(services: Services, within_s: float) -> Balances:
    """What the logs said within the last minute; unknown where that takes longer than `within_s`.

    The question goes on then, and a later call finds its answer.
    """
    every = list(services.catalog.services.values())
    if not every:
        return {}
    answer = await services.lately.query(services.budget_query, keep_s=KEPT_S, within_s=within_s)
    return read_balances(every, answer)


async def balances_now(services: Services) -> Balances:
    """What the logs say now; unknown where they do not answer."""
    every = list(services.catalog.services.values())
    if not every:
        return {}
    return read_balances(every, await services.logs.query(services.budget_query))
