"""One objective in OpenSLO v1: a ratio of good requests over a rolling window.

We read the subset that our queries can measure and refuse the rest, so that no file promises what
nobody watches.
"""

from shared.adapters.catalog_fields import Section
from shared.adapters.catalog_indicator import read_indicator, slowest_good
from shared.domain.slos.slo import Indicator, Sli, Slo

_NAME = "[a-z0-9][a-z0-9-]{1,62}"
_WORDS = "(?s).{0,1000}"


def read_slo(slo: Section, service: str) -> Slo:
    """Read one document of kind SLO that belongs to the service."""
    slo.one_of("apiVersion", ("openslo/v1",))
    slo.one_of("kind", ("SLO",))
    metadata, spec = slo.section("metadata"), slo.section("spec")
    spec.one_of("service", (service,))
    spec.one_of("budgetingMethod", ("Occurrences",))
    sli, indicator = _read_sli(metadata, spec)
    read = Slo(
        name=metadata.text("name", pattern=_NAME),
        sli=sli,
        objective=_read_objective(spec),
        window_days=_read_window(spec),
        latency_ms=_read_latency(spec, sli, indicator),
        indicator=indicator,
    )
    metadata.text("displayName", "", pattern=_WORDS)
    spec.text("description", "", pattern=_WORDS)
    for section in (metadata, spec, slo):
        section.close()
    return read


def _read_sli(metadata: Section, spec: Section) -> tuple[Sli, Indicator]:
    """The label `sli` names the kind of the indicator, else the indicator's own name does."""
    kinds = tuple(Sli)
    indicator = spec.section("indicator")
    inner = indicator.section("metadata")
    if metadata.has("labels"):
        labels = metadata.section("labels")
        sli = Sli(labels.one_of("sli", kinds))
        inner.text("name", "", pattern=_NAME)
        labels.close()
    else:
        sli = Sli(inner.one_of("name", kinds))
    annotations = metadata.section("annotations", required=sli is Sli.QUALITY)
    read = read_indicator(indicator.section("spec"), annotations, sli)
    for section in (annotations, inner, indicator):
        section.close()
    return sli, read


def _read_objective(spec: Section) -> float:
    """Read the only objective, as `target` (0.99) or `targetPercent` (99)."""
    objectives = spec.sections("objectives")
    if len(objectives) != 1:
        spec.mistake("objectives", f"{len(objectives)} objectives", "exactly one")
        return 0.99
    (objective,) = objectives
    objective.text("displayName", "", pattern=_WORDS)
    if objective.has("targetPercent"):
        share = objective.number("targetPercent", 50, 99.999) / 100
    else:
        share = objective.number("target", 0.5, 0.99999)
    objective.close()
    return share


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
