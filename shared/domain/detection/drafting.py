"""What the rules of one service have in common: their names, whom they are about, what they cost.

The rooms beside it say what is looked for; `draft` makes a rule of it.
"""

from collections.abc import Sequence

import msgspec

from shared.domain.catalog import Service
from shared.domain.detection.rule import AlertRule, RuleKind, Split, window_over
from shared.domain.slos.kql import quote
from shared.domain.slos.slo import Slo

TARGET = "Target"
"""The column of every rule's query that holds the ARM id on which the alert is fired."""

DEPLOYMENTS = 2
"""How many versions of an endpoint take traffic while one follows the other."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule looks for: rows of a query where `measure` compares with `threshold`.

    `operator` and `aggregation` are Azure's words. `dimensions` are columns by which the rows are
    told apart, `time_series` how many combinations of their values are expected.
    """

    query: str
    window_min: int
    measure: str
    threshold: float
    operator: str = "GreaterThanOrEqual"
    aggregation: str = "Maximum"
    dimensions: Sequence[str] = ()
    time_series: int = 1


def draft(  # noqa: PLR0913 - what tells one rule from another, by name
    service: Service,
    kind: RuleKind,
    search: Search,
    *,
    name: str,
    title: str,
    description: str,
    severity: int,
    slo: str = "",
    every: str = "PT5M",
) -> AlertRule:
    """Make a rule about a service; its alerts are fired on the service's first target.

    An alert does not carry the display name of its rule, so the title is one of its properties.
    """
    told = {
        "service": service.name,
        "kind": kind.value,
        "slo": slo,
        "runbook": service.runbook,
        "title": title,
    }
    return AlertRule(
        name=name,
        kind=kind,
        display_name=f"{service.title}: {title}",
        description=description,
        severity=severity,
        service=service.name,
        slo=slo,
        query=f"{search.query}\n| extend {TARGET} = {quote(service.targets[0].id)}",
        evaluation_frequency=every,
        window=window_over(search.window_min),
        measure_column=search.measure,
        aggregation=search.aggregation,
        operator=search.operator,
        threshold=search.threshold,
        dimensions=tuple(Split(name=column) for column in search.dimensions),
        resource_id_column=TARGET,
        custom_properties={key: value for key, value in told.items() if value},
        time_series=search.time_series,
    )


def name_of(service: Service, slo: Slo) -> str:
    """The objective's name with that of its service, which many rules of a firm lie beside."""
    own = slo.name.startswith(f"{service.name}-")
    return slo.name if own else f"{service.name}-{slo.name}"


def dependencies(service: Service, kind: str) -> int:
    """How many dependencies of a kind the service's file names."""
    return sum(one.kind == kind for one in service.dependencies)
