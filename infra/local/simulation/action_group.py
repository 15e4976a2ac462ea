"""The action groups of the alert rules: post what fires to the webhook, as Azure Monitor does.

The rules' action is in two groups, so every alert is posted twice, with a token of Azure Monitor.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import aiohttp

from infra.local.alerts import LogAlert
from infra.local.issuer.identities import IDENTITIES
from infra.local.issuer.issuer import Form, Issuer
from infra.local.simulation.fired import AlertsManagement

log = logging.getLogger("simulation.action_group")

FORMS = (Form.V1, Form.V2)  # one group asks for tokens of the old kind, one for the new
MONITOR = IDENTITIES["monitor"]
RETRY_S = (5, 20, 5, 40, 5)


@dataclass(kw_only=True)
class Tally:
    """What came of a service's alerts: accepted webhooks, and those that were known already."""

    posted: int = 0
    folded: int = 0
    first_fired_at: float | None = None


class ActionGroups:
    """Posts alerts to one address. In a blackout nobody is called: only `alerts` know of them."""

    def __init__(self, url: str, issuer: Issuer, alerts: AlertsManagement) -> None:
        self._url = url
        self._issuer = issuer
        self._alerts = alerts

    async def tell(self, session: aiohttp.ClientSession, alert: LogAlert, tally: Tally) -> None:
        """Register an alert, or its end, and post it: again after 408, 429, 503, 504, a drop."""
        tally.first_fired_at = tally.first_fired_at or alert.fired_at.timestamp()
        self._alerts.register(alert)
        for form in FORMS if self._alerts.delivering else ():
            await self._post(session, alert.body(), form, tally)

    async def _post(
        self, session: aiohttp.ClientSession, body: dict[str, Any], form: Form, tally: Tally
    ) -> None:
        for wait in (*RETRY_S, 0):
            status = await self._try(session, body, form, tally)
            if status == 202:
                tally.posted += 1
                return
            if status not in (0, 408, 429, 503, 504):
                log.warning("the webhook answered %s: the alert is lost", status)
                return
            await asyncio.sleep(wait)

    async def _try(
        self, session: aiohttp.ClientSession, body: dict[str, Any], form: Form, tally: Tally
    ) -> int:
        headers = {"Authorization": f"Bearer {self._issuer.token(MONITOR, form)}"}
        try:
            async with session.post(self._url, json=body, headers=headers) as answer:
                if answer.status == 202:
                    tally.folded += (await answer.json())["status"] == "duplicate"
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
