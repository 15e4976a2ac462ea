"""Rules over objectives: how fast an error budget burns, as a whole and in its parts.

Each burn-rate alert of an objective is one rule that asks for both of its windows at once: the long
one shows that it matters, the short one that it has not ended. A region that fails by half hides in
a total that looks well, so the fastest alert is asked of every region and deployment, too. Those
fire that burn much faster than the rest: else every slice of a great outage were an alert.
"""

from shared.domain.catalog import Service
from shared.domain.detection.drafting import DEPLOYMENTS, Search, draft, name_of
from shared.domain.detection.rule import AlertRule, RuleKind
from shared.domain.detection.slices import SLICE, part_query
from shared.domain.incidents.incident import Severity
from shared.domain.slos.compile import LONGEST_RULE, window_query
from shared.domain.slos.kql import span
from shared.domain.slos.slo import BurnAlert, Slo

AT_ONCE_MIN = 5
"""A short window of so many minutes is looked at every minute, longer ones every five."""


def burn_rules(service: Service, slo: Slo) -> tuple[AlertRule, ...]:
    """One rule for each alert whose windows a rule can hold; a timer watches the longer ones."""
    return tuple(_whole(service, slo, alert) for alert in watched(slo))


def part_rules(service: Service, slo: Slo) -> tuple[AlertRule, ...]:
    """The rule for regions and deployments; none where labels are counted, which come too late."""
    if slo.indicator.label_source:
        return ()
    fastest = sorted(watched(slo), key=lambda alert: -alert.burn_rate)[:1]
    return tuple(_parts(service, slo, alert) for alert in fastest)


def watched(slo: Slo) -> tuple[BurnAlert, ...]:
    """The objective's alerts that log rules can watch: those that look back two days at most."""
    return tuple(alert for alert in slo.alerts if span(alert.long_window) <= LONGEST_RULE)


def azure_severity(severity: Severity) -> int:
    """The rule's severity by the objective's; the service's tier weighs in when the alert comes."""
    return list(Severity).index(severity)


def _whole(service: Service, slo: Slo, alert: BurnAlert) -> AlertRule:
    search = Search(
        query=window_query(service.name, slo, alert),
        window_min=_minutes(alert.long_window),
        measure="Burn",
        threshold=alert.burn_rate,
    )
    return draft(
        service,
        RuleKind.BURN,
        search,
        name=f"{name_of(service, slo)}-burn-{_speed(alert)}",
        title=f"the {slo.sli} budget burns {alert.burn_rate:g} times too fast",
        description=f"{_burns(slo, alert)}.",
        severity=azure_severity(alert.severity),
        slo=slo.name,
        every=_every(alert),
    )


def _parts(service: Service, slo: Slo, alert: BurnAlert) -> AlertRule:
    search = Search(
        query=part_query(service.name, slo, alert),
        window_min=_minutes(alert.long_window),
        measure="Burn",
        threshold=alert.burn_rate,
        dimensions=SLICE,
        time_series=max(len(service.regions), 1) + DEPLOYMENTS,
    )
    return draft(
        service,
        RuleKind.PART,
        search,
        name=f"{name_of(service, slo)}-part-{_speed(alert)}",
        title=f"one region or deployment burns {alert.burn_rate:g} times too fast",
        description=f"{_burns(slo, alert)} in one region or deployment, twice as "
        "fast as in the rest.",
        severity=azure_severity(alert.severity),
        slo=slo.name,
        every=_every(alert),
    )


def _speed(alert: BurnAlert) -> str:
    return f"{alert.burn_rate:g}x-{alert.long_window}"


def _burns(slo: Slo, alert: BurnAlert) -> str:
    windows = f"{alert.short_window} and {alert.long_window}"
    rate = f"{alert.burn_rate:g} times too fast"
    return f"The error budget of {slo.name} burns at least {rate} over {windows}"


def _every(alert: BurnAlert) -> str:
    return "PT1M" if _minutes(alert.short_window) <= AT_ONCE_MIN else "PT5M"


def _minutes(window: str) -> int:
    return int(span(window).total_seconds() // 60)
