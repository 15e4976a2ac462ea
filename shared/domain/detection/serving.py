"""The rule that sees, in telemetry alone, that what is declared is not what is served.

A release declares one configuration for a deployment. So where one deployment serves two at the
same time, for longer than a roll-out takes, one of them is nobody's, whatever was declared. What
the releases say is no telemetry, and a rule cannot ask for it: whether the only configuration that
is served is the declared one is compared by the executor's own job, against Azure Resource Manager.
"""

from shared.domain.catalog import Service
from shared.domain.detection.drafting import DEPLOYMENTS, Search, draft
from shared.domain.detection.rule import AlertRule, RuleKind
from shared.domain.slos.kql import NOT_A_PROBE, quote

WINDOW_MIN = 30
ROLL_OUT_MIN = 15
"""As long as the comparison itself waits: a pipeline that is at work explains itself."""

LEAST_SERVED = 10
"""Requests in each half of the window: fewer may be stragglers."""


def served_rules(service: Service) -> tuple[AlertRule, ...]:
    """One deployment serves with two configurations for longer than a roll-out takes."""
    search = Search(
        query=_query(service),
        window_min=WINDOW_MIN,
        measure="Configurations",
        threshold=1,
        operator="GreaterThan",
        dimensions=("Deployment",),
        time_series=DEPLOYMENTS,
    )
    rule = draft(
        service,
        RuleKind.SERVED,
        search,
        name=f"{service.name}-declared-is-not-served",
        title="one deployment serves two configurations",
        description="One deployment has served with two configurations for more than "
        f"{ROLL_OUT_MIN} minutes: at least one of them is not the one that its release declares.",
        severity=2,
    )
    return (rule,)


def _query(service: Service) -> str:
    return (
        "AppRequests\n"
        f"| where TimeGenerated >= ago({WINDOW_MIN}m) and AppRoleName == {quote(service.name)}\n"
        f"| where {NOT_A_PROBE}\n"
        '| extend Deployment = tostring(Properties["backstop.deployment"]),\n'
        '    Configuration = tostring(Properties["backstop.configuration_digest"])\n'
        '| where Deployment != "" and Configuration != ""\n'
        f"| summarize Before = sumif(ItemCount, TimeGenerated < ago({ROLL_OUT_MIN}m)),\n"
        f"    After = sumif(ItemCount, TimeGenerated >= ago({ROLL_OUT_MIN}m))\n"
        "  by Deployment, Configuration\n"
        f"| where Before >= {LEAST_SERVED} and After >= {LEAST_SERVED}\n"
        "| summarize Configurations = count() by Deployment\n"
        "| where Configurations > 1"
    )
