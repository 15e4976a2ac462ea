"""Fired alerts: entries of Azure's Alerts Management, read as the notices that they stand for.

The sweep asks for them, because an action group that gave up calls nobody for a while and sends
nothing again. An entry is one alert with both its times, where an action group posts the beginning
and the end apart. Each is put into the common schema and read by `parse_alert`, so that kind, keys
and words are those of the webhook.
"""

from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert, parse_alert
from shared.domain.alerts.alert_context import last_segment
from shared.domain.alerts.payload import Fields, fields, items, moment, text
from shared.domain.catalog import Service
from shared.domain.event import ChangeEvent, EventKind, happened
from shared.domain.incidents.steps import AUTOMATION
from shared.domain.redaction.redactor import BARE, Redactor

LOOKBACK = timedelta(hours=24)  # to the last look that succeeded, and no further
FIRST = timedelta(minutes=60)  # where no look was ever ended
OVERLAP = timedelta(minutes=20)  # with the look before, for what was too young or listed late
SETTLED = timedelta(minutes=2)  # an action group tries for 75 s
MOST_FAILURES = 3

_SCHEMA = "azureMonitorCommonAlertSchema"
_RULES_OWN_ID = "/microsoft.insights/activitylogalerts/"  # what their webhook calls the alert's id


class FiredAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. `notices` are what an action group would have posted, the end first.

    An end first opens nothing for a trouble that is over. A `suppressed` alert is one of which
    nobody was to be told: a processing rule took its action groups away.
    """

    notices: tuple[Alert, ...]
    changed_at: datetime
    suppressed: bool = False


class BrokenEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that no alert can be read from, and why."""

    body: bytes
    why: str


class FiredPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some alerts, those that changed last first; `after` is the next page, "" behind the last."""

    fired: tuple[FiredAlert, ...] = ()
    broken: tuple[BrokenEntry, ...] = ()
    after: str = ""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """Where one look through a subscription's alerts stands.

    It looks back to `since`; `after` is where it goes on.
    """

    began_at: datetime
    since: datetime
    after: str = ""
    done: bool = False
    found: int = 0
    failures: int = 0

    def failed(self) -> "Sweep":
        """Try again from the same place, but not for ever: a place is forgotten some time."""
        failures = self.failures + 1
        over = failures >= MOST_FAILURES
        return msgspec.structs.replace(self, failures=failures, done=over)


def next_sweep(last: Sweep | None, now: datetime) -> Sweep:
    """Begin a look that overlaps with the last one, where that came to its end."""
    if last is None:
        return Sweep(began_at=now, since=now - FIRST)
    seen = last.since if last.failures else last.began_at - OVERLAP
    return Sweep(began_at=now, since=max(seen, now - LOOKBACK))


def read_fired(entry: object, received_at: datetime, redactor: Redactor = BARE) -> FiredAlert:
    """Read one entry, fetched with its context. Raises RejectedInput and nothing else."""
    properties = fields(fields(entry).get("properties"))
    told = fields(properties.get("essentials"))
    ended = text(told.get("monitorCondition")).lower() == "resolved"
    conditions = ("Resolved", "Fired") if ended else (text(told.get("monitorCondition")),)
    documents = [_document(fields(entry), properties, condition) for condition in conditions]
    notices = tuple(
        parse_alert(msgspec.json.encode(one), received_at, redactor) for one in documents
    )
    return FiredAlert(
        notices=notices,
        changed_at=moment(told.get("lastModifiedDateTime")) or notices[0].at,
        suppressed=fields(told.get("actionStatus")).get("isSuppressed") is True,
    )


def subscription_of(arm_id: str) -> str:
    """The subscription that an ARM id lies in, in lower case; "" where it names none."""
    parts = arm_id.lower().split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else ""


def tell_swept(alert: Alert, delivery: str, service: Service | None, now: datetime) -> ChangeEvent:
    """The event of an alert that never arrived; its id is the same however often it is found."""
    late = int((now - alert.at).total_seconds())
    return happened(
        EventKind.ALERT_SWEPT,
        f"swept-{delivery}",
        service.name if service else "",
        now,
        actor=AUTOMATION,
        what=alert.summary,
        why=f"it had not arrived {late} s after it was due, and was found by the sweep",
        happened_at=alert.at,
        evidence={
            "delivery": delivery,
            "alert": alert.alert_id,
            "condition": alert.condition.value,
            "targets": list(alert.targets),
        },
    )


def _document(entry: Fields, properties: Fields, condition: str) -> Fields:
    """The entry as the webhook would have posted it."""
    told = fields(properties.get("essentials"))
    ended = {"resolvedDateTime": told.get("monitorConditionResolvedDateTime")}
    target = text(told.get("targetResource"))
    essentials = {
        "alertId": _alert_id(text(entry.get("id")), text(told.get("alertRule"))),
        "originAlertId": told.get("sourceCreatedId"),
        "alertRule": _rule(text(entry.get("name")), text(told.get("alertRule"))),
        "severity": told.get("severity"),
        "signalType": told.get("signalType"),
        "monitorCondition": condition,
        "monitoringService": told.get("monitorService"),
        "alertTargetIDs": [target] if target else items(told.get("alertTargetIDs")),
        "firedDateTime": told.get("startDateTime"),
        **(ended if condition == "Resolved" else {}),
        "description": told.get("description"),
    }
    data = {
        "essentials": essentials,
        "alertContext": properties.get("context"),
        "customProperties": properties.get("customProperties"),
    }
    return {"schemaId": _SCHEMA, "data": data}


def _alert_id(entry_id: str, rule: str) -> str:
    """The id as the webhook has it: of the subscription, wherever the entry says that it lies."""
    if not entry_id or _RULES_OWN_ID in rule.lower():
        return rule
    scope = f"/subscriptions/{subscription_of(entry_id)}/providers"
    return f"{scope}/Microsoft.AlertsManagement/alerts/{last_segment(entry_id)}"


def _rule(name: str, rule: str) -> str:
    """The rule's name: the webhook has the name where the entry has the rule's ARM id."""
    return last_segment(rule) if rule.startswith("/") else name or rule
