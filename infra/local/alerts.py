"""Alerts of log rules as Azure Monitor posts them, in the common schema.

The simulated rule, the benches and the tests of a whole world tell Backstop of trouble with these.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec


class LogAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of a log rule. The same `number` and times are the same delivery again.

    `value` is what the rule measured against its `threshold`, for the slice that `dimensions` name.
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

    def body(self) -> dict[str, Any]:
        """What the webhook gets."""
        condition = {"windowSize": "PT5M", "allOf": [self._criterion()]}
        context = {"conditionType": "LogQueryCriteria", "condition": condition}
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
            "searchQuery": "AppRequests | where Success == false | summarize count() by Region",
            "metricMeasureColumn": "Burn",
            "operator": "GreaterThan",
            "threshold": str(self.threshold),
            "timeAggregation": "Maximum",
            "dimensions": [
                {"name": name, "value": value} for name, value in self.dimensions.items()
            ],
            "metricValue": self.value,
            "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
        }


def stamp(at: datetime) -> str:
    """Seven fractional digits, as Azure writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
