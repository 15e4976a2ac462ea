"""Rules over what a service does although its requests may succeed.

That is what its outcomes, its tools, content safety and its indexes tell. The thresholds are those
of the diagnosis, so what fires is what is then found. A comparison with the weeks before is more
than a rule may look back over: outcomes are compared with their objective instead, and the
diagnosis compares the weeks.
"""

from shared.domain.catalog import Service
from shared.domain.detection.drafting import DEPLOYMENTS, Search, dependencies, draft, name_of
from shared.domain.detection.rule import AlertRule, RuleKind
from shared.domain.diagnosis.outcomes import LEAST_NOW, LEAST_SWING, LEAST_Z
from shared.domain.diagnosis.parts import PART_SHARE
from shared.domain.slos.kql import NOT_A_PROBE, counted, quote, real
from shared.domain.slos.slo import LEAST_COUNTED, Slo

WINDOW_MIN = 15
SEVERITY = 2  # customers are answered, if not well
OUTCOME = "outcome"
"""The label source of an objective that the business's own outcomes decide."""

STILL_S = 120
"""Seconds for which nothing may have failed while others were served: longer, and it is over.

A rule that looks every five minutes would tell of it after its cure otherwise.
"""

_MANY = f"{PART_SHARE:.0%}"
_SEEN = "LastSeen = max(TimeGenerated), FailedAt = maxif(TimeGenerated, {failed})"
_SHARE_OF_FAILED = (
    '| extend Silent = datetime_diff("second", now(), LastSeen),\n'
    '    Well = datetime_diff("second", now(), FailedAt), Share = todouble(Failed) / Total\n'
    "| order by Silent asc\n"
    "| extend Place = row_number()\n"
    "| extend Lag = row_cumsum(iff(Place == 1, Silent, 0))\n"
    f"| where Total >= {LEAST_COUNTED} and Share >= {real(PART_SHARE)} and Well - Lag <= {STILL_S}"
)
_BLOCKED = 'Verdict == "blocked"'


def outcome_rules(service: Service, slo: Slo) -> tuple[AlertRule, ...]:
    """Good outcomes are surely rarer than their objective, by five points at least.

    Those count that have come in, whenever their requests were answered: what is only known days
    later is told when it is known.
    """
    if slo.indicator.label_source != OUTCOME:
        return ()
    floor = round(slo.objective - LEAST_SWING, 6)
    search = Search(
        query=_outcomes(service, slo),
        window_min=WINDOW_MIN,
        measure="Share",
        threshold=floor,
        operator="LessThanOrEqual",
        aggregation="Minimum",
    )
    rule = draft(
        service,
        RuleKind.OUTCOME,
        search,
        name=f"{name_of(service, slo)}-floor",
        title=f"fewer than {floor:.0%} of the outcomes are good",
        description=f"Good outcomes of {slo.name} are surely rarer than the objective, "
        f"{slo.objective:.1%}, over {WINDOW_MIN} minutes.",
        severity=SEVERITY,
        slo=slo.name,
    )
    return (rule,)


def tool_rules(service: Service) -> tuple[AlertRule, ...]:
    """A tool refuses many calls. None where the service's file names no tool."""
    tools = dependencies(service, "tool")
    query = (
        f"{_recent(service, 'AppDependencies')}\n"
        '| where tostring(Properties["gen_ai.operation.name"]) == "execute_tool"\n'
        '| extend Tool = tostring(Properties["gen_ai.tool.name"])\n'
        "| summarize Total = sum(ItemCount), Failed = sumif(ItemCount, Success == false),\n"
        f"    {_SEEN.format(failed='Success == false')}\n"
        "  by Tool\n"
        f"{_SHARE_OF_FAILED}\n"
        "| project Tool, Total, Failed, Share"
    )
    rule = draft(
        service,
        RuleKind.TOOL,
        _share(query, "Tool", tools),
        name=f"{service.name}-tool-failures",
        title=f"a tool refuses {_MANY} of its calls",
        description=f"A tool refuses at least {_MANY} of its calls over {WINDOW_MIN} minutes.",
        severity=SEVERITY,
    )
    return (rule,) if tools else ()


def safety_rules(service: Service) -> tuple[AlertRule, ...]:
    """Content safety withholds many answers of one deployment."""
    query = (
        f"{_recent(service, 'AppTraces')}\n"
        '| where Message == "content safety"\n'
        '| extend Deployment = tostring(Properties["backstop.deployment"]),\n'
        '    Verdict = tostring(Properties["backstop.content_safety"])\n'
        '| summarize Total = sum(ItemCount), Failed = sumif(ItemCount, Verdict == "blocked"),\n'
        f"    {_SEEN.format(failed=_BLOCKED)}\n"
        "  by Deployment\n"
        f"{_SHARE_OF_FAILED}\n"
        "| project Deployment, Total, Blocked = Failed, Share"
    )
    rule = draft(
        service,
        RuleKind.CONTENT_SAFETY,
        _share(query, "Deployment", DEPLOYMENTS),
        name=f"{service.name}-content-safety",
        title=f"content safety blocks {_MANY} of the answers",
        description=f"Content safety blocks at least {_MANY} of a deployment's answers over "
        f"{WINDOW_MIN} minutes.",
        severity=SEVERITY,
    )
    return (rule,)


def index_rules(service: Service) -> tuple[AlertRule, ...]:
    """The newest document of an index is too old. None where the service's file names no index."""
    indexes, allowed_min = dependencies(service, "index"), service.index_max_age_s / 60
    search = Search(
        query=_ages(service, allowed_min),
        window_min=WINDOW_MIN,
        measure="AgeMinutes",
        threshold=allowed_min,
        operator="GreaterThan",
        dimensions=("Index",),
        time_series=indexes,
    )
    rule = draft(
        service,
        RuleKind.INDEX,
        search,
        name=f"{service.name}-index-old",
        title=f"an index is older than {allowed_min:g} minutes",
        description=f"The newest document of an index is older than {allowed_min:g} minutes.",
        severity=SEVERITY,
    )
    return (rule,) if indexes else ()


def _ages(service: Service, allowed_min: float) -> str:
    return (
        f"{_recent(service, 'AppEvents')}\n"
        '| where Name == "backstop.index_watermark"\n'
        '| extend Index = tostring(Properties["backstop.index"]),\n'
        '    Newest = todatetime(Properties["backstop.watermark"])\n'
        "| summarize arg_max(TimeGenerated, Newest) by Index\n"
        '| extend AgeMinutes = datetime_diff("second", now(), Newest) / 60.0\n'
        f"| where AgeMinutes > {real(allowed_min)}\n"
        "| project Index, Newest, AgeMinutes"
    )


def _since(service: Service, table: str) -> str:
    start = f"TimeGenerated >= ago({WINDOW_MIN}m)"
    return f"{table}\n| where {start} and AppRoleName == {quote(service.name)}"


def _recent(service: Service, table: str) -> str:
    return f"{_since(service, table)}\n| where {NOT_A_PROBE}"


def _share(query: str, dimension: str, time_series: int) -> Search:
    return Search(
        query=query,
        window_min=WINDOW_MIN,
        measure="Share",
        threshold=PART_SHARE,
        dimensions=(dimension,),
        time_series=time_series,
    )


def _outcomes(service: Service, slo: Slo) -> str:
    indicator, objective = slo.indicator, real(slo.objective)
    spread = f"sqrt({objective} * {real(slo.budget)} / Total)"
    return (
        f"{_since(service, indicator.table)}\n"
        f"| where {counted(indicator)}\n"
        f"| summarize Total = sum(ItemCount), Good = sumif(ItemCount, ({indicator.good}))\n"
        f"| where Total >= {LEAST_NOW}\n"
        "| extend Share = todouble(Good) / Total\n"
        f"| where {objective} - Share >= {real(LEAST_SWING)} and "
        f"({objective} - Share) / {spread} >= {real(LEAST_Z)}\n"
        "| project Total, Good, Share"
    )
