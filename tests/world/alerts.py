"""Alerts of log rules about what the catalog owns, and about what nobody owns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.local.alerts import LogAlert

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
    """One alert's body. The same `number` and times are the same delivery again."""
    return LogAlert(
        number=number,
        rule=rule,
        target=target,
        fired_at=fired_at,
        resolved_at=resolved_at,
        dimensions=dimensions or {},
        severity=severity,
    ).body()
