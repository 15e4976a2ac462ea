"""Alerts as Azure Monitor posts them, about the services of the cast."""

from datetime import UTC, datetime

import msgspec

from infra.local.bench.cast import SCOPE, service_name, target_of

DESCRIPTION = "More than 14.4 times the error budget burns in one region of the service."


def alert(number: str, service: int, *, slice_: str, fired_at: datetime) -> bytes:
    """One alert of a log rule; the same number and time are the same delivery again.

    Alerts of one service and slice are the same trouble.
    """
    name = service_name(service)
    essentials = {
        "alertId": f"{SCOPE}/Microsoft.AlertsManagement/alerts/{number}",
        "originAlertId": number,
        "alertRule": f"{name}-availability-fast-burn",
        "severity": "Sev1",
        "signalType": "Log",
        "monitorCondition": "Fired",
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": [target_of(name)],
        "configurationItems": [name],
        "firedDateTime": stamp(fired_at),
        "description": DESCRIPTION,
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    criterion = {
        "searchQuery": "AppRequests | where Success == false | summarize count() by Region",
        "metricMeasureColumn": "Burn",
        "operator": "GreaterThan",
        "threshold": "14.4",
        "timeAggregation": "Maximum",
        "dimensions": [{"name": "region", "value": slice_}],
        "metricValue": 31.4,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    condition = {"windowSize": "PT5M", "allOf": [criterion]}
    context = {"conditionType": "LogQueryCriteria", "condition": condition}
    data = {"essentials": essentials, "alertContext": context, "customProperties": None}
    return msgspec.json.encode({"schemaId": "azureMonitorCommonAlertSchema", "data": data})


def stamp(at: datetime) -> str:
    """Seven fractional digits, as Azure writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
