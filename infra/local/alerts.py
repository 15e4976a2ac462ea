"""Alerts of log rules as Azure Monitor posts them, in the common schema.

The simulated rule, the benches and the tests of a whole world tell Backstop of trouble with these.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from shared.domain.detection.rule import minutes


class LogAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of a log rule. The same `number` and times are the same delivery again.

    `value` is what the rule's `query` measured against its `threshold`, for the time series that
    `dimensions` name. `custom` are the rule's own properties.
    """

    number: str
    rule: str
    target: str
    fired_at: datetime
    resolved_at: datetime | None = None
    severity: str = "Sev1"
    description: str = "more failures than usual"
    dimensions: Mapping[str, str] = {}
    value: float = 31.4
    threshold: float = 14.4
    query: str = "AppRequests | where Success == false | summarize count() by Region"
    window: str = "PT5M"
    measure: str = "Burn"
    operator: str = "GreaterThan"
    aggregation: str = "Maximum"
    custom: Mapping[str, str] = {}

    def body(self) -> dict[str, Any]:
        """What the webhook gets."""
        now = self.resolved_at or self.fired_at
        condition = {
            "windowSize": self.window,
            "allOf": [self._criterion()],
            "windowStartTime": stamp(now - _lasts(self.window)),
            "windowEndTime": stamp(now),
        }
        context = {
            "properties": dict(self.custom),
            "conditionType": "LogQueryCriteria",
            "condition": condition,
        }
        return {
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": self._essentials(),
                "alertContext": context,
                "customProperties": None,
            },
        }

    def _essentials(self) -> dict[str, Any]:
        scope = "/".join(self.target.split("/")[:3])
        ended = {"resolvedDateTime": stamp(self.resolved_at)} if self.resolved_at else {}
        return {
            "alertId": f"{scope}/providers/Microsoft.AlertsManagement/alerts/{self.number}",
            "originAlertId": self.number,
            "alertRule": self.rule,
            "severity": self.severity,
            "signalType": "Log",
            "monitorCondition": "Resolved" if self.resolved_at else "Fired",
            "monitoringService": "Log Alerts V2",
            "alertTargetIDs": [self.target],
            "configurationItems": [self.target.rsplit("/", 1)[-1]],
            "firedDateTime": stamp(self.fired_at),
            **ended,
            "description": self.description,
            "essentialsVersion": "1.0",
            "alertContextVersion": "1.0",
        }

    def _criterion(self) -> dict[str, Any]:
        return {
            "searchQuery": self.query,
            "metricMeasureColumn": self.measure,
            "targetResourceTypes": str(_TYPES),
            "operator": self.operator,
            "threshold": str(self.threshold),
            "timeAggregation": self.aggregation,
            "dimensions": [
                {"name": name, "value": value} for name, value in self.dimensions.items()
            ],
            "metricValue": self.value,
            "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
            "linkToSearchResultsUI": f"{_PORTAL}?query={quote(self.query)}",
        }


_PORTAL = "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring_Logs/LogsBlade"
_TYPES = ["Microsoft.OperationalInsights/workspaces"]


def _lasts(window: str) -> timedelta:
    return timedelta(minutes=minutes(window))


def stamp(at: datetime) -> str:
    """Seven fractional digits, as Azure writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
