"""One objective in OpenSLO v1: a ratio of good requests over a rolling window.

We read the subset that our queries can measure and refuse the rest, so that no file promises what
nobody watches.
"""

from shared.adapters.catalog_alerts import read_alerts
from shared.adapters.catalog_fields import NAME, Section
from shared.adapters.catalog_indicator import read_indicator, slowest_good
from shared.adapters.catalog_openslo import WORDS, Library, head_of
from shared.adapters.catalog_report import Mentioned
from shared.domain.slos.slo import ANSWERED, BudgetStep, Indicator, Sli, Slo

_LEAST = 0.5  # no objective promises less
_SOME = 0.99  # stands in for one that cannot be read


def read_slos(
    library: Library, service: str, budget_policy: tuple[BudgetStep, ...]
) -> tuple[Slo, ...]:
    """Read every objective of a file, with all that they refer to."""
    read = tuple(
        _read_slo(document, library, service, budget_policy) for document in library.objectives
    )
    for slo, document in zip(read, library.objectives, strict=True):
        if [one.name for one in read].count(slo.name) > 1:
            document.mistake("metadata", f"SLO {slo.name} occurs twice", "one of each name")
    library.close()
    return read


def _read_slo(
    slo: Section, library: Library, service: str, budget_policy: tuple[BudgetStep, ...]
) -> Slo:
    metadata, spec = head_of(slo, "SLO")
    spec.one_of("service", (service,))
    spec.one_of("budgetingMethod", ("Occurrences",))
    sli, indicator = _read_sli(metadata, spec, library)
    name, counts = metadata.text("name", pattern=NAME), "indicatorRef"
    spec.mention(Mentioned.OBJECTIVE, counts if spec.has(counts) else "indicator", name)
    objective, days = _read_objective(spec), _read_window(spec)
    read = Slo(
        name=name,
        sli=sli,
        objective=objective,
        window_days=days,
        latency_ms=_read_latency(spec, sli, indicator),
        indicator=indicator,
        alerts=read_alerts(spec, library, objective, days),
        budget_policy=budget_policy,
    )
    for section in (metadata, spec, slo):
        section.close()
    return read


def _read_sli(metadata: Section, spec: Section, library: Library) -> tuple[Sli, Indicator]:
    """Read the indicator: a document of its own, with label and annotations, or one right here."""
    if not spec.has("indicatorRef"):
        return _read_here(metadata, spec.section("indicator"))
    document = library.meant(spec, "SLI")
    if document is None:
        return Sli.AVAILABILITY, ANSWERED
    own, ratio = head_of(document, "SLI")
    found = _read_ratio(own, own, ratio)
    for section in (own, document):
        section.close()
    return found


def _read_here(metadata: Section, indicator: Section) -> tuple[Sli, Indicator]:
    inner = indicator.section("metadata")
    inner.text("name", "", pattern=NAME)
    found = _read_ratio(metadata, inner, indicator.section("spec"))
    for section in (inner, indicator):
        section.close()
    return found


def _read_ratio(labelled: Section, named: Section, ratio: Section) -> tuple[Sli, Indicator]:
    """The label `sli` names the kind of the indicator, else the indicator's own name does."""
    kinds = tuple(Sli)
    if labelled.has("labels"):
        labels = labelled.section("labels")
        sli = Sli(labels.one_of("sli", kinds))
        labels.close()
    else:
        sli = Sli(named.one_of("name", kinds))
    annotations = labelled.section("annotations", required=sli is Sli.QUALITY)
    indicator = read_indicator(ratio, annotations, sli)
    annotations.close()
    return sli, indicator


def _read_objective(spec: Section) -> float:
    """Read the only objective, as `target` (0.99) or `targetPercent` (99)."""
    objectives = spec.sections("objectives")
    if len(objectives) != 1:
        spec.mistake("objectives", f"{len(objectives)} objectives", "exactly one")
        return _SOME
    (objective,) = objectives
    objective.text("displayName", "", pattern=WORDS)
    if objective.has("targetPercent"):
        share = objective.number("targetPercent", 100 * _LEAST, 99.999) / 100
    else:
        share = objective.number("target", _LEAST, 0.99999)
    objective.close()
    return share if share > _LEAST else _SOME


def _read_window(spec: Section) -> int:
    windows = spec.sections("timeWindow")
    if len(windows) != 1:
        spec.mistake("timeWindow", f"{len(windows)} windows", "exactly one")
        return 30
    (window,) = windows
    days = window.seconds("duration", 86_400, 90 * 86_400) // 86_400
    if not window.flag("isRolling", default=False):
        window.mistake("isRolling", "only rolling windows are watched", "true")
    window.close()
    return days


def _read_latency(spec: Section, sli: Sli, indicator: Indicator) -> float | None:
    """The slowest answer that still counts as good, in milliseconds, as the query has it."""
    if sli is not Sli.LATENCY or not indicator.good:
        return None
    found = slowest_good(indicator)
    if found is None:
        spec.mistake("indicator", "names no slowest good answer", "DurationMs <= 2000, say")
    return found
