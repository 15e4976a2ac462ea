"""The alert rules: ask the workspace as Azure Monitor would and post what fires to the webhook.

Every slice of what they read fires once, and resolves when it has been well for a while. Nothing
else in the local world knows that an incident exists.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec

from infra.local.alerts import LogAlert
from infra.local.issuer.identities import IDENTITIES
from infra.local.issuer.issuer import Form, Issuer
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.fired import AlertsManagement
from infra.local.simulation.plan import Plan
from infra.local.simulation.readings import Reading, read_rules

log = logging.getLogger("simulation.rule")

ACTION_GROUPS = (Form.V1, Form.V2)  # one asks for tokens of the old kind, one for the new
MONITOR = IDENTITIES["monitor"]
WELL_CHECKS = 3  # Azure resolves a metric alert after three clean checks
RETRY_S = (5, 20, 5, 40, 5)  # as action groups do


class Rule:
    """The scheduled log rules of one service, split by what they read, stateful.

    Their action is in two action groups, so every alert is posted twice, as Azure would, with a
    token of Azure Monitor. `posted` counts accepted webhooks, `folded` those among them that were
    known already. In a blackout it posts nothing: then only `alerts` know what was fired.
    """

    def __init__(
        self,
        store: TelemetryStore,
        plan: Plan,
        alerts: AlertsManagement,
        issuer: Issuer,
        *,
        service: str,
        target: str,
    ) -> None:
        self.posted = 0
        self.folded = 0
        self.first_fired_at: float | None = None
        self._store = store
        self._alerts = alerts
        self._service = service
        self._target = target
        self._url = plan.alert_url
        self._issuer = issuer
        self._lag = timedelta(seconds=plan.log_lag_s)
        self._bin = timedelta(seconds=plan.log_bin_s)
        self._firing: dict[str, tuple[LogAlert, int]] = {}

    async def run(self, every_s: float) -> None:
        """Evaluate for ever."""
        async with aiohttp.ClientSession() as session:
            while True:
                await asyncio.sleep(every_s)
                await self._evaluate(session)

    async def _evaluate(self, session: aiohttp.ClientSession) -> None:
        for found in await asyncio.to_thread(self._look):
            known = self._firing.get(found.value)
            if found.fires and known is None:
                alert = self._alert(found)
                self._firing[found.value] = (alert, 0)
                await self._post(session, alert)
            elif found.fires and known is not None:
                self._firing[found.value] = (known[0], 0)
            elif known is not None:
                await self._cool_down(session, found.value, *known)

    async def _cool_down(
        self, session: aiohttp.ClientSession, name: str, alert: LogAlert, well: int
    ) -> None:
        if well + 1 < WELL_CHECKS:
            self._firing[name] = (alert, well + 1)
            return
        del self._firing[name]
        ended = msgspec.structs.replace(alert, resolved_at=datetime.now(UTC))
        await self._post(session, ended)

    def _look(self) -> list[Reading]:
        return read_rules(self._store, service=self._service, lag=self._lag, width=self._bin)

    def _alert(self, found: Reading) -> LogAlert:
        return LogAlert(
            number=str(uuid4()),
            rule=f"{self._service}-{found.rule}",
            target=self._target,
            fired_at=datetime.now(UTC),
            severity=found.severity,
            description=found.description,
            dimensions={found.dimension: found.value},
            value=found.measured,
            threshold=found.threshold,
        )

    async def _post(self, session: aiohttp.ClientSession, alert: LogAlert) -> None:
        """Post as an action group does: again after 408, 429, 503, 504 and a dropped line."""
        self.first_fired_at = self.first_fired_at or datetime.now(UTC).timestamp()
        self._alerts.register(alert)
        for form in ACTION_GROUPS if self._alerts.delivering else ():
            await self._post_once(session, alert.body(), form)

    async def _post_once(
        self, session: aiohttp.ClientSession, alert: dict[str, Any], form: Form
    ) -> None:
        for wait in (*RETRY_S, 0):
            status = await self._try(session, alert, form)
            if status == 202:
                self.posted += 1
                return
            if status not in (0, 408, 429, 503, 504):
                log.warning("the webhook answered %s: the alert is lost", status)
                return
            await asyncio.sleep(wait)

    async def _try(self, session: aiohttp.ClientSession, alert: dict[str, Any], form: Form) -> int:
        headers = {"Authorization": f"Bearer {self._issuer.token(MONITOR, form)}"}
        try:
            async with session.post(self._url, json=alert, headers=headers) as answer:
                body = await answer.json(content_type=None)
                self.folded += body.get("status") == "duplicate"
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
