"""One plain line about an alert, for a person who was just woken up.

Foreign text comes here redacted and goes through `plain` first: no markup, no queries of URLs, one
line. Rows, queries and callers are never shown, because they hold personal data.
"""

import re
from collections.abc import Callable

from shared.domain.alerts.alert_context import Envelope, last_segment
from shared.domain.alerts.payload import Fields, fields, scalar, text

MAX_LINE = 240
_WHOLE = 100_000  # and above: nobody reads what comes behind the point

_TAG = re.compile(r"<[^<>]{0,500}>")
_QUERY = re.compile(r"(://[^\s?#]{1,500})[?#]\S{1,2000}")
_OPERATORS = {
    "greaterthan": "above",
    "greaterthanorequal": "at or above",
    "lessthan": "below",
    "lessthanorequal": "at or below",
    "equal": "equal to",
    "equals": "equal to",
}


def plain(foreign: str, limit: int = MAX_LINE) -> str:
    """Make one line of foreign text: no tags, no queries of URLs, at most `limit` characters."""
    line = _QUERY.sub(r"\1", " ".join(_TAG.sub(" ", foreign).split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def summarise(envelope: Envelope, kind: str, rule: str, targets: tuple[str, ...]) -> str:
    """Say in one line what the alert tells: what is seen, by which rule, on what."""
    seen = _SENTENCES.get(kind, _described)(envelope) or _described(envelope)
    where = f" on {last_segment(targets[0])}" if targets else ""
    more = f" and {len(targets) - 1} more" if len(targets) > 1 else ""
    return plain(f"{rule}: {seen}{where}{more}" if seen else f"{rule}{where}{more}")


def _described(envelope: Envelope) -> str:
    return plain(envelope.essential("description"), 120)


def _measured(envelope: Envelope) -> str:
    """Tell the first criterion; a dynamic threshold is computed and would mislead."""
    criterion = next(iter(envelope.criteria), {})
    value = _rounded(criterion.get("metricValue"))
    if not value:
        return _searched(envelope.context)
    subject = text(criterion.get("metricName")) or "the query's result"
    if "alertSensitivity" in criterion:
        return f"{subject} is {value}, outside its usual range"
    compared = _compared(criterion, "operator", "threshold")
    if envelope.essential("monitorCondition").lower() == "resolved":
        # An end may carry the value of its beginning, which would say the opposite.
        return f"{subject} is no longer {compared}"
    return f"{subject} is {value}, {compared}"


def _rounded(value: object) -> str:
    """A number as people read it: a rate of fifteen digits tells no more than one of three."""
    if not isinstance(value, float):
        return scalar(value)
    return f"{value:.5g}" if abs(value) < _WHOLE else f"{value:.0f}"


def _searched(context: Fields) -> str:
    """Tell a log alert of the first version, which counts the rows it found."""
    count = scalar(context.get("ResultCount"))
    return f"{count} results, {_compared(context, 'Operator', 'Threshold')}" if count else ""


def _compared(holder: Fields, operator: str, threshold: str) -> str:
    word = "".join(text(holder.get(operator)).lower().split())
    bound = scalar(holder.get(threshold))
    return f"{_OPERATORS.get(word, 'against')} {bound}" if bound else "where the rule objects"


def _failing_web_test(envelope: Envelope) -> str:
    criterion = next(iter(envelope.criteria), {})
    name = text(criterion.get("webTestName")) or "a web test"
    places = scalar(criterion.get("metricValue"))
    return f"{name} fails from {places} locations" if places else f"{name} fails"


def _operated(envelope: Envelope) -> str:
    operation = text(envelope.context.get("operationName"))
    return f"{operation} {text(envelope.context.get('status'))}".strip()


def _health_notice(envelope: Envelope) -> str:
    notice = envelope.properties
    told = (text(notice.get(name)) for name in ("incidentType", "stage", "region"))
    facts = ", ".join(fact for fact in told if fact)
    title = text(notice.get("title"))
    return f"{title} ({facts})" if facts else title


def _resource_health(envelope: Envelope) -> str:
    health = envelope.properties
    before = text(health.get("previousHealthStatus")) or "unknown"
    after = text(health.get("currentHealthStatus")) or "unknown"
    cause = text(health.get("cause"))
    return f"health went from {before} to {after}" + (f", {cause}" if cause else "")


def _detected(envelope: Envelope) -> str:
    found, usual = (scalar(envelope.context.get(n)) for n in ("DetectedValue", "NormalValue"))
    said = text(envelope.context.get("DetectionSummary"))
    return said or (f"{found} where {usual} is usual" if found and usual else "")


def _evaluated(envelope: Envelope) -> str:
    annotations = fields(envelope.context.get("annotations"))
    said = text(annotations.get("summary")) or text(annotations.get("description"))
    value = scalar(envelope.context.get("expressionValue"))
    return plain(said, 120) or (f"the expression is {value}" if value else "")


def _spent(envelope: Envelope) -> str:
    budget = fields(envelope.context.get("AlertData"))
    kind, spent = text(budget.get("ThresholdType")), scalar(budget.get("SpentAmount"))
    bound = scalar(budget.get("NotificationThresholdAmount"))
    return f"{kind} cost passes {bound}, {spent} spent so far".strip() if spent and bound else ""


_SENTENCES: dict[str, Callable[[Envelope], str]] = {
    "metric": _measured,
    "log": _measured,
    "availability": _failing_web_test,
    "activity-log": _operated,
    "service-health": _health_notice,
    "resource-health": _resource_health,
    "smart-detector": _detected,
    "prometheus": _evaluated,
    "budget": _spent,
}
