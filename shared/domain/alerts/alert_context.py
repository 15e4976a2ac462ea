"""What the common alert schema holds, kind by kind: the envelope and what is read out of it.

`parse_alert` asks these questions one after another. What an alert is gets told by what it carries
rather than by a list of names, so that a kind which nobody has seen yet is still an alert.
"""

from collections.abc import Iterable, Iterator

import msgspec

from shared.domain.alerts.payload import Fields, fields, items, scalar, text
from shared.errors import RejectedInput

MAX_ITEMS = 100  # targets or dimensions that are kept of one alert

_COMMON_SCHEMA = "azuremonitorcommonalertschema"
_ENDED = ("resolved", "complete", "canceled", "rca")  # stages in which nothing is broken any more
_ACTIVITY = ("activitylog", "servicehealth", "resourcehealth")
_IDENTITY = ("alertId", "originAlertId", "alertRule", "alertTargetIDs", "monitoringService")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The three parts of an alert in the common schema; what is missing is an empty object."""

    essentials: Fields
    context: Fields
    custom: Fields

    def essential(self, name: str) -> str:
        """One field of the essentials as text; "" where it is missing or something else."""
        return text(self.essentials.get(name))

    @property
    def properties(self) -> Fields:
        """What the source itself tells of the alert."""
        return fields(self.context.get("properties"))

    @property
    def criteria(self) -> list[Fields]:
        """The conditions that a metric or log rule checked."""
        condition = fields(self.context.get("condition"))
        return [fields(one) for one in items(condition.get("allOf"))]


def open_envelope(document: Fields) -> Envelope:
    """Take the parts out; raises RejectedInput legacy-schema, wrong-schema or no-essentials."""
    data = fields(document.get("data"))
    schema = document.get("schemaId")
    essentials = fields(data.get("essentials"))
    if isinstance(schema, str) and schema.strip().lower() != _COMMON_SCHEMA:
        _refuse_schema(schema, document)
    if not essentials and not isinstance(schema, str):
        _refuse_schema("", document)
    if not any(essentials.get(name) for name in _IDENTITY):
        raise RejectedInput("no-essentials", "data.essentials names neither alert, rule nor target")
    custom = fields(data.get("customProperties")) or fields(document.get("customProperties"))
    return Envelope(essentials=essentials, context=fields(data.get("alertContext")), custom=custom)


def kind_of(envelope: Envelope) -> str:
    """Name the kind of alert; "unknown" where nothing that it carries tells."""
    context, signal = envelope.context, _squeezed(envelope.essential("signalType"))
    service = _squeezed(envelope.essential("monitoringService"))
    if "AlertData" in context or service in ("costalerts", "costalert"):
        return "budget"
    if "prometheus" in service or {"labels", "expression"} <= context.keys():
        return "prometheus"
    if signal == "activitylog" or service.startswith(_ACTIVITY):
        return _kind_of_activity(envelope, service)
    if "smartdetector" in service or "DetectionSummary" in context:
        return "smart-detector"
    return _kind_of_rule(envelope, signal)


def rule_of(envelope: Envelope) -> str:
    """Name the rule that fired; for a budget its name, else the best that there is."""
    budget = text(fields(envelope.context.get("AlertData")).get("BudgetName"))
    ids = (envelope.essential("alertRuleId"), envelope.essential("alertId"))
    tails = (last_segment(arm_id) for arm_id in ids)
    names = (envelope.essential("alertRule"), budget, *tails, envelope.essential("originAlertId"))
    return next((name for name in names if name), "unnamed rule")


def instance_of(envelope: Envelope) -> str:
    """What names this alert and none before or after it; "" where nothing does.

    The name that Alerts Management gave it, else the one that its own source gave it: some kinds
    have their rule's id as alertId.
    """
    scope, _, name = envelope.essential("alertId").lower().rpartition("/")
    known = scope.endswith("/providers/microsoft.alertsmanagement/alerts")
    return name if known and name else envelope.essential("originAlertId")


def targets_of(envelope: Envelope) -> tuple[str, ...]:
    """The ARM ids that the alert is about, in lower case and sorted; at most MAX_ITEMS."""
    named = envelope.essentials.get("alertTargetIDs")
    listed = items(named) or [named]
    found = {_arm_id(one) for one in listed} - {""}
    if not found:
        budget = fields(envelope.context.get("AlertData"))
        authorization = fields(envelope.context.get("authorization"))
        found = {_arm_id(budget.get("Scope")), _arm_id(authorization.get("scope"))} - {""}
    return tuple(sorted(found)[:MAX_ITEMS])


def dimensions_of(envelope: Envelope) -> tuple[tuple[str, str], ...]:
    """What singles out this trouble within its rule and targets: sorted (name, value) pairs.

    They are the same when the trouble begins and when it ends.
    """
    context = envelope.context
    pairs = [
        *(pair for criterion in envelope.criteria for pair in _pairs(criterion.get("dimensions"))),
        *_pairs(context.get("dimensions") or context.get("Dimensions")),
        *_pairs(context.get("labels")),
        *_pairs({"trackingId": envelope.properties.get("trackingId")}),
    ]
    return tuple(sorted(set(pairs))[:MAX_ITEMS])


def has_ended(envelope: Envelope, kind: str) -> bool:
    """Whether the alert tells of an end. Health notices are sent as Fired even then."""
    if _squeezed(envelope.essential("monitorCondition")) == "resolved":
        return True
    if kind not in ("service-health", "resource-health"):
        return False
    said = (envelope.context.get("status"), envelope.properties.get("stage"))
    return any(_squeezed(text(word)) in _ENDED for word in said)


def severity_of(envelope: Envelope) -> int | None:
    """Azure's 0 to 4; None where the source gives none or something else."""
    said = envelope.essentials.get("severity")
    digit = _squeezed(scalar(said)).removeprefix("sev")
    return int(digit) if digit in ("0", "1", "2", "3", "4") else None


def service_hint_of(envelope: Envelope, kind: str) -> str:
    """The service that the rule's author names; a hint, never proof.

    In a Service Health notice that property names one of Azure's own services.
    """
    own = {} if kind == "service-health" else envelope.properties
    return text(envelope.custom.get("service")) or text(own.get("service"))


def title_of(envelope: Envelope, kind: str) -> str:
    """What the rule's author calls the trouble for people, in the custom property `title`.

    Azure sends a rule's name and never its display name. A health notice has a title of its own.
    """
    own = {} if kind in ("service-health", "resource-health") else envelope.properties
    return text(envelope.custom.get("title")) or text(own.get("title"))


def last_segment(arm_id: str) -> str:
    """The name at the end of an ARM id."""
    return arm_id.rstrip("/").rpartition("/")[2]


def _refuse_schema(schema: str, document: Fields) -> None:
    if _is_legacy(schema.lower(), document):
        raise RejectedInput(
            "legacy-schema",
            "enable the common alert schema for this receiver in its action group",
        )
    raise RejectedInput("wrong-schema", "schemaId must be azureMonitorCommonAlertSchema")


def _is_legacy(schema: str, document: Fields) -> bool:
    """Whether it is one of the shapes that were sent before there was a common schema."""
    known = ("azuremonitormetricalert", "microsoft.insights/", "aip budget", "smartalert")
    members = document.keys() | fields(document.get("data")).keys()
    return (
        schema.startswith(known)
        or {"status", "context"} <= members
        or {"SearchQuery", "AlertRuleName"} <= members
    )


def _kind_of_activity(envelope: Envelope, service: str) -> str:
    operation = text(envelope.context.get("operationName")).lower()
    if service == "servicehealth" or operation.startswith("microsoft.servicehealth/"):
        return "service-health"
    if service == "resourcehealth" or "currentHealthStatus" in envelope.properties:
        return "resource-health"
    return "activity-log"


def _kind_of_rule(envelope: Envelope, signal: str) -> str:
    condition = text(envelope.context.get("conditionType")).lower()
    criteria = {name for criterion in envelope.criteria for name in criterion}
    if condition.startswith("webtest"):
        return "availability"
    if signal == "log" or condition.startswith("logquery") or "searchQuery" in criteria:
        return "log"
    if signal == "metric" or "metricName" in criteria:
        return "metric"
    return "log" if "SearchQuery" in envelope.context else "unknown"


def _squeezed(name: str) -> str:
    """The same name in all its spellings: "Activity Log", "ActivityLog", "activity-log"."""
    return "".join(character for character in name.lower() if character.isalnum())


def _arm_id(value: object) -> str:
    return text(value).lower().rstrip("/")


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    """Read dimensions in either shape: a list of names and values, or an object."""
    for name, content in _named(value):
        name_read, content_read = text(name), scalar(content)
        if name_read and content_read:
            yield name_read, content_read


def _named(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return value.items()
    listed = [fields(one) for one in items(value)]
    return [
        (one.get("name", one.get("Name")), one.get("value", one.get("Value"))) for one in listed
    ]
