"""One objective in OpenSLO v1: a ratio of good requests over a rolling window.

We read the subset that our queries can measure and refuse the rest, so that no file promises what
nobody watches. What counts as good is in `shared/queries`; the document names the indicator.
"""

import re

from shared.adapters.catalog_fields import Section
from shared.domain.slos.slo import Slo

LATENCY = "backstop/latency-ms"

_INDICATORS = ("availability", "latency")
_NAME = "[a-z0-9][a-z0-9-]{1,62}"
_WORDS = "(?s).{0,1000}"
_MILLISECONDS = re.compile("[1-9][0-9]{0,5}")


def read_slo(slo: Section, service: str) -> Slo:
    """Read one document of kind SLO that belongs to the service."""
    slo.one_of("apiVersion", ("openslo/v1",))
    slo.one_of("kind", ("SLO",))
    metadata, spec = slo.section("metadata"), slo.section("spec")
    spec.one_of("service", (service,))
    spec.one_of("budgetingMethod", ("Occurrences",))
    sli = _read_sli(metadata, spec)
    read = Slo(
        name=metadata.text("name", pattern=_NAME),
        sli=sli,
        objective=_read_objective(spec),
        window_days=_read_window(spec),
        latency_ms=_read_latency(metadata, sli),
    )
    metadata.text("displayName", "", pattern=_WORDS)
    spec.text("description", "", pattern=_WORDS)
    for section in (metadata, spec, slo):
        section.close()
    return read


def _read_sli(metadata: Section, spec: Section) -> str:
    """The label `sli` names the indicator, else the indicator's own name does."""
    indicator = spec.section("indicator")
    inner = indicator.section("metadata")
    if metadata.has("labels"):
        labels = metadata.section("labels")
        sli = labels.one_of("sli", _INDICATORS)
        inner.text("name", "", pattern=_NAME)
        labels.close()
    else:
        sli = inner.one_of("name", _INDICATORS)
    inner.close()
    _check_ratio(indicator.section("spec"))
    indicator.close()
    return sli


def _check_ratio(spec: Section) -> None:
    ratio = spec.section("ratioMetric")
    ratio.flag("counter", default=True)
    sides = [side for side in ("good", "bad") if ratio.has(side)]
    if len(sides) != 1:
        ratio.mistake("good", "neither or both of good and bad", "one of good and bad, and total")
    for side in (*sides, "total"):
        _check_source(ratio.section(side))
    ratio.close()
    spec.close()


def _check_source(side: Section) -> None:
    source = side.section("metricSource")
    source.one_of("type", ("LogAnalytics",))
    query = source.section("spec")
    query.one_of("query", ("burn_rates",))
    query.close()
    source.close()
    side.close()


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


def _read_latency(metadata: Section, sli: str) -> float | None:
    """Read the slowest answer that still counts as good, in milliseconds."""
    if sli != "latency":
        return None
    annotations = metadata.section("annotations")
    said = annotations.text(LATENCY, pattern=_MILLISECONDS.pattern)
    annotations.close()
    return float(said) if _MILLISECONDS.fullmatch(said) else None
