"""Who hears how fast an objective's budget burns: OpenSLO's alert policies as `BurnAlert`s.

Part of reading one objective (`shared.adapters.catalog_slo`). A policy has one condition, as
OpenSLO has it: a burn rate over one window. We ask for it in two windows, so the short one is an
annotation. An alert that no traffic could ever fire is refused: it would look like a watch.
"""

import re

from shared.adapters.catalog_fields import Section
from shared.adapters.catalog_openslo import Library, head_of
from shared.domain.incidents.incident import Severity
from shared.domain.slos.slo import (
    WINDOWS,
    AlertAction,
    BurnAlert,
    least_requests,
    reachable,
    usual_alerts,
)

SHORT_WINDOW = "backstop/short-window"
MINIMUM_REQUESTS = "backstop/minimum-requests"

_USUAL_SHORT = {"30m": "5m", "1h": "5m", "6h": "30m", "3d": "6h"}
_COUNT = "[1-9][0-9]{0,6}"
_TICKETS = (Severity.SEV3,)  # nobody is woken for these unless the policy names a target


def read_alerts(
    spec: Section, library: Library, objective: float, window_days: int
) -> tuple[BurnAlert, ...]:
    """Read an objective's alert policies; where it names none, the usual ones it can reach."""
    if not spec.has("alertPolicies"):
        return usual_alerts(objective, window_days)
    listed = spec.sections("alertPolicies")
    if not listed:
        spec.mistake("alertPolicies", "names none", "leave it out for the usual ones")
    policies = [library.meant(item, "AlertPolicy") for item in listed]
    read = [_read_policy(policy, library, objective) for policy in policies if policy]
    return tuple(alert for alert in read if alert)


def _read_policy(policy: Section, library: Library, objective: float) -> BurnAlert | None:
    metadata, spec = head_of(policy, "AlertPolicy")
    for field, watched in (
        ("alertWhenBreaching", True),
        ("alertWhenResolved", True),
        ("alertWhenNoData", False),
    ):
        if spec.flag(field, default=watched) is not watched:
            spec.mistake(field, "cannot be chosen", str(watched).lower())
    action = _read_action(spec, library)
    conditions = spec.sections("conditions")
    if len(conditions) != 1:
        spec.mistake("conditions", f"{len(conditions)} conditions", "exactly one")
    meant = library.meant(conditions[0], "AlertCondition") if conditions else None
    alert = _read_condition(meant, action, objective) if meant else None
    for section in (metadata, spec, policy):
        section.close()
    return alert


def _read_action(spec: Section, library: Library) -> AlertAction | None:
    """Read who hears of it; None where the policy leaves that to the severity."""
    listed = spec.sections("notificationTargets", required=False)
    if len(listed) > 1:
        spec.mistake("notificationTargets", "names several", "one; a page makes a ticket, too")
    found = library.meant(listed[0], "AlertNotificationTarget") if listed else None
    if not found:
        return None
    metadata, inner = head_of(found, "AlertNotificationTarget")
    action = inner.choice("target", AlertAction)
    for section in (metadata, inner, found, *listed):
        section.close()
    return action


def _read_condition(
    document: Section, action: AlertAction | None, objective: float
) -> BurnAlert | None:
    metadata, spec = head_of(document, "AlertCondition")
    condition = spec.section("condition")
    condition.one_of("kind", ("burnrate",))
    condition.one_of("op", ("gte",))
    condition.one_of("alertAfter", ("0m",), "0m")
    rate = condition.number("threshold", 0, 1_000)
    long = condition.one_of("lookbackWindow", tuple(_USUAL_SHORT))
    severity = Severity(spec.one_of("severity", tuple(Severity)))
    annotations = metadata.section("annotations")
    short = annotations.one_of(SHORT_WINDOW, WINDOWS, _USUAL_SHORT[long])
    alert = BurnAlert(
        burn_rate=rate,
        short_window=short,
        long_window=long,
        severity=severity,
        action=action or (AlertAction.TICKET if severity in _TICKETS else AlertAction.PAGE),
        minimum_requests=_read_minimum(annotations),
    )
    _check(alert, condition, annotations, objective)
    for section in (condition, annotations, metadata, spec, document):
        section.close()
    return alert


def _read_minimum(annotations: Section) -> int:
    said = annotations.text(MINIMUM_REQUESTS, pattern=_COUNT)
    return int(said) if re.fullmatch(_COUNT, said) else 1


def _check(alert: BurnAlert, condition: Section, annotations: Section, objective: float) -> None:
    """Find an alert that never fires, one that fires forever, and one that a single error fires."""
    if alert.burn_rate <= 0:
        return  # told already
    if not reachable(alert.burn_rate, objective):
        most = f"at most {1 / (1 - objective):.4g}: a burn of all requests at {objective:.3%}"
        condition.mistake("threshold", f"{alert.burn_rate:g} can never be reached", most)
        return
    if WINDOWS.index(alert.short_window) >= WINDOWS.index(alert.long_window):
        longer = f"a window shorter than {alert.long_window}"
        annotations.mistake(SHORT_WINDOW, f"{alert.short_window} is not the shorter one", longer)
    least = least_requests(alert.burn_rate, objective)
    if alert.minimum_requests < least and annotations.has(MINIMUM_REQUESTS):
        problem = f"one bad request of {alert.minimum_requests} would fire it"
        annotations.advise(MINIMUM_REQUESTS, problem, f'"{least}" or more')
