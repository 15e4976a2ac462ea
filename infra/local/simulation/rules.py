"""The alert rules that ship, evaluated on a clock: what Azure Monitor does, over the local logs.

Nothing else in the local world knows that an incident exists. The rules come from the services'
files as for a deployment, and their queries are evaluated word for word. Only time runs faster: a
rule that looks every minute looks every `rule_every_s`, and its windows pass `rule_pace` times as
quickly.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import msgspec

from infra.local.alerts import LogAlert
from infra.local.logs.engine import QueryRefused, QueryTimedOut
from infra.local.logs.store import TelemetryStore
from infra.local.simulation.action_group import ActionGroups, Tally
from infra.local.simulation.evaluation import Reading, Series, read
from infra.local.simulation.firing import Firing
from shared.domain.catalog import Service
from shared.domain.detection.rule import AlertRule, minutes
from shared.domain.detection.rules import rules_of

log = logging.getLogger("simulation.rules")

type _Change = tuple[AlertRule, Reading, bool]


class Rules:
    """All rules of the services that are played; `firing` is how each of them stands."""

    def __init__(
        self,
        store: TelemetryStore,
        services: Iterable[Service],
        *,
        pace: float,
        groups: ActionGroups,
    ) -> None:
        played = list(services)
        self.services = tuple(played)
        self.tallies = {service.name: Tally() for service in played}
        self._store = store
        self._pace = pace
        self._groups = groups
        self.firing = [Firing(rule=rule) for service in played for rule in rules_of(service)]
        self._alerts: dict[tuple[str, Series], LogAlert] = {}
        self._looks = 0

    async def run(self, every_s: float) -> None:
        """Evaluate for ever; whoever does not take an alert holds nothing else up."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as telling:
            while True:
                await asyncio.sleep(every_s)
                for alert, service in await asyncio.to_thread(self.look):
                    tally = self.tallies[service]
                    telling.create_task(self._groups.tell(session, alert, tally))

    def look(self) -> list[tuple[LogAlert, str]]:
        """Evaluate what is due: alerts that begin or end now, and the services that they concern.

        Rules that look seldom take turns, so that no look is much longer than another.
        """
        self._looks += 1
        due = [
            firing
            for turn, firing in enumerate(self.firing)
            if (self._looks + turn) % firing.rule.frequency_min == 0
        ]
        changes = [(firing.rule, *change) for firing in due for change in self._evaluate(firing)]
        return [(self._alert(change), change[0].service) for change in changes]

    def _evaluate(self, firing: Firing) -> list[tuple[Reading, bool]]:
        rule = firing.rule
        window = timedelta(minutes=minutes(rule.window))
        try:
            answer = self._store.query_hurried(rule.query, window=window, pace=self._pace)
        except (QueryRefused, QueryTimedOut) as trouble:
            log.warning("%s could not be evaluated: %s", rule.name, trouble)
            return []
        return list(firing.take(read(rule, answer)))

    def _alert(self, change: _Change) -> LogAlert:
        rule, reading, begins = change
        key, now = (rule.name, reading.series), datetime.now(UTC)
        if begins:
            self._alerts[key] = fire(rule, reading, now)
            return self._alerts[key]
        return msgspec.structs.replace(self._alerts.pop(key), resolved_at=now)


def fire(rule: AlertRule, reading: Reading, now: datetime) -> LogAlert:
    """The alert of one time series of a rule."""
    return LogAlert(
        number=str(uuid4()),
        rule=rule.name,
        target=reading.target,
        fired_at=now,
        severity=f"Sev{rule.severity}",
        description=rule.description,
        dimensions=dict(reading.series),
        value=reading.measured,
        threshold=rule.threshold,
        query=rule.query,
        window=rule.window,
        measure=rule.measure_column,
        operator=rule.operator,
        aggregation=rule.aggregation,
        custom=rule.custom_properties,
    )
