"""Which fields of an alert may be kept at all, and how they look when they are.

Between `open_envelope` and `Alert`: what is not named here is read for an alert's keys and then
forgotten: queries, links, rows that were found, callers, claims. What is named goes through the
redactor before it is shortened, because half a secret is not recognised any more.
"""

from collections.abc import Mapping

from shared.domain.alerts.alert_context import Envelope
from shared.domain.alerts.payload import Fields

type Named = Mapping[str, "Named | None"]  # None: whatever the sender names lies in it

_LARGEST = 10**11  # what is larger may be a card's number: as text the detectors look at it


def _all(*names: str) -> dict[str, Named | None]:
    return dict.fromkeys(names)


ESSENTIALS: Named = _all(
    *("alertId", "originAlertId", "alertRule", "alertRuleId", "alertTargetIDs", "severity"),
    *("signalType", "monitorCondition", "monitoringService", "firedDateTime", "resolvedDateTime"),
    "description",
)
CONTEXT: Named = {
    **_all("conditionType", "operationName", "status", "expression", "expressionValue", "labels"),
    **_all("DetectionSummary", "DetectedValue", "NormalValue"),
    **_all("ResultCount", "Operator", "Threshold", "dimensions", "Dimensions"),
    "condition": {
        "allOf": {
            **_all("metricName", "metricValue", "operator", "threshold", "alertSensitivity"),
            **_all("webTestName", "dimensions"),
        }
    },
    "properties": _all(
        *("service", "trackingId", "title", "stage", "region", "incidentType", "cause"),
        *("currentHealthStatus", "previousHealthStatus"),
    ),
    "annotations": _all("summary", "description"),
    "AlertData": _all(
        *("BudgetName", "Scope", "ThresholdType", "SpentAmount", "NotificationThresholdAmount")
    ),
    "authorization": _all("scope"),
}
CUSTOM: Named = _all("service", "title")


def keep_fields(envelope: Envelope) -> Envelope:
    """The envelope with the fields that may be kept, as they came."""
    return Envelope(
        essentials=_members(envelope.essentials, ESSENTIALS),
        context=_members(envelope.context, CONTEXT),
        custom=_members(envelope.custom, CUSTOM),
    )


def numbers_as_text(document: Fields) -> Fields:
    """The document whole, with numbers as large as a card's as text."""
    return _members(document, None)


def _pick(value: object, named: Named | None) -> object:
    match value:
        case dict():
            return _members(value, named)
        case list():
            return [_pick(one, named) for one in value]
        case bool() | None | str() | float():
            return value
        case int():
            return value if abs(value) < _LARGEST else str(value)
        case _:
            return None


def _members(value: Fields, named: Named | None) -> Fields:
    if named is None:
        return {name: _pick(one, None) for name, one in value.items()}
    return {name: _pick(one, named[name]) for name, one in value.items() if name in named}
