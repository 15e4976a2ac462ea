"""Alerts as Azure Monitor posts them, in the common schema, about what the catalog owns."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SCOPE = "/subscriptions/00000000-0000-0000-0000-00000000f001/resourcegroups/rg-claims/providers"
FNOL = (
    f"{SCOPE}/microsoft.machinelearningservices/workspaces/mlw-claims/onlineendpoints/fnol-summary"
)
SEARCH = (
    f"{SCOPE}/microsoft.cognitiveservices/accounts/ai-claims/projects/claims/agents/policy-search"
)
NOBODYS = f"{SCOPE}/microsoft.web/sites/brochure"


def alert(
    number: str,
    *,
    rule: str,
    target: str = SEARCH,
    fired_at: datetime,
    resolved_at: datetime | None = None,
    dimensions: Mapping[str, str] | None = None,
    severity: str = "Sev2",
) -> dict[str, Any]:
    """One alert of a log rule. The same `number` and times are the same delivery again."""
    essentials = {
        "alertId": f"{SCOPE}/Microsoft.AlertsManagement/alerts/{number}",
        "originAlertId": number,
        "alertRule": rule,
        "severity": severity,
        "signalType": "Log",
        "monitorCondition": "Resolved" if resolved_at else "Fired",
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": [target],
        "firedDateTime": stamp(fired_at),
        "description": "more failures than usual",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    if resolved_at:
        essentials["resolvedDateTime"] = stamp(resolved_at)
    named = [{"name": name, "value": value} for name, value in (dimensions or {}).items()]
    condition = {"windowSize": "PT5M", "allOf": [{"searchQuery": "T", "dimensions": named}]}
    context = {"conditionType": "LogQueryCriteria", "condition": condition}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": essentials, "alertContext": context, "customProperties": None},
    }


def stamp(at: datetime) -> str:
    """Seven fractional digits, as Azure writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
