"""How bad an incident is for customers: one table for alerts, one for diagnoses.

Azure's Sev0-Sev4 is what a rule's author thought of the rule; our severity is about customers, so
the service's tier and its dependents have a say. A diagnosis may raise it once, by how many
requests really fail, in how many regions, and for how many tenants. Only people lower it.
"""

from shared.domain.alerts import own
from shared.domain.alerts.alert import Alert
from shared.domain.catalog import Service
from shared.domain.diagnosis.diagnosis import Diagnosis, Health
from shared.domain.diagnosis.tenants import tell_tenants
from shared.domain.incidents.incident import Incident, Severity, SeverityChoice

SEV0, SEV1, SEV2, SEV3 = Severity

# By the source's severity (None: it gives none), for services of tier 1, 2 and 3.
_BY_SOURCE_AND_TIER: dict[int | None, tuple[Severity, Severity, Severity]] = {
    0: (SEV0, SEV1, SEV2),
    1: (SEV1, SEV2, SEV2),
    2: (SEV2, SEV2, SEV3),
    3: (SEV2, SEV3, SEV3),
    4: (SEV3, SEV3, SEV3),
    None: (SEV2, SEV3, SEV3),
}
_ALWAYS_SEV4 = (
    "activity-log",
    "service-health",
    "resource-health",
)  # Azure sets it; it says nothing
_NOTICES = ("activity-log", "budget")  # they tell of a change or a cost, not of an outage
_MANY_DEPENDENTS = 3
_LOWEST_TIER = 3

# A share of bad requests and a number of regions, and what both together are at least.
_BY_SHARE_AND_REGIONS = (
    (0.50, 2, SEV0),
    (0.25, 1, SEV1),
    (0.05, 2, SEV1),
    (0.02, 1, SEV2),
)
_MINIMUM_REQUESTS = 20

# Several tenants that are hit, from a share of bad requests on; and one that is out.
_SEVERAL_TENANTS = 2
_SHARE_FOR_TENANTS = 0.05
_FOR_TENANTS = SEV1


def classify(alert: Alert, service: Service | None) -> SeverityChoice:
    """Choose the severity of an alert, with a sentence for every rule that had a say."""
    if alert.kind in _NOTICES:
        return SeverityChoice(severity=SEV3, reasons=(f"{alert.kind} alerts are notices",))
    if alert.kind == own.KIND:
        return SeverityChoice(severity=SEV1, reasons=("no service is looked after meanwhile",))
    source = None if alert.kind in _ALWAYS_SEV4 else alert.severity
    tier = service.tier if service else _LOWEST_TIER
    base = _BY_SOURCE_AND_TIER[source][tier - 1]
    owner = f"a tier {tier} service" if service else "targets that no service owns"
    told = _source_words(source) if alert.reading is None else f"a signal of Sev{source}"
    reasons = (f"{told} on {owner}: {base}",)
    return _weigh_dependents(SeverityChoice(severity=base, reasons=reasons), service)


def measures(alert: Alert) -> bool:
    """Whether the alert's own source has seen that something is wrong with what is served."""
    return alert.reading is None and alert.kind not in (*_ALWAYS_SEV4, *_NOTICES)


def raise_severity(incident: Incident, diagnosis: Diagnosis) -> SeverityChoice | None:
    """Choose a worse severity by what really fails; None where nothing speaks for it.

    Once an incident, only for a breach, and only on enough requests to mean something.
    """
    if incident.raised or diagnosis.health is not Health.BREACHED:
        return None
    if diagnosis.requests < _MINIMUM_REQUESTS:
        return None
    choices = (_by_regions(diagnosis), _by_tenants(diagnosis))
    worse = [choice for choice in choices if choice and choice.severity < incident.severity]
    if not worse:
        return None
    worst = min(choice.severity for choice in worse)
    reasons = [text for choice in worse if choice.severity == worst for text in choice.reasons]
    return SeverityChoice(severity=worst, reasons=(*reasons, *_unknown_tenants(diagnosis)))


def _by_regions(diagnosis: Diagnosis) -> SeverityChoice | None:
    regions = len(diagnosis.regions_hit)
    for share, count, severity in _BY_SHARE_AND_REGIONS:
        if diagnosis.bad_share >= share and regions >= count:
            reason = (
                f"{diagnosis.bad_share:.0%} of requests fail, {regions} region(s) hit: {severity}"
            )
            return SeverityChoice(severity=severity, reasons=(reason,))
    return None


def _by_tenants(diagnosis: Diagnosis) -> SeverityChoice | None:
    found = diagnosis.tenants
    if found is None or not found.hits:
        return None
    several = found.hits >= _SEVERAL_TENANTS and diagnosis.bad_share >= _SHARE_FOR_TENANTS
    if not several and not found.outs:
        return None
    return SeverityChoice(
        severity=_FOR_TENANTS, reasons=(f"{tell_tenants(found)}: {_FOR_TENANTS}",)
    )


def _unknown_tenants(diagnosis: Diagnosis) -> tuple[str, ...]:
    unknown = diagnosis.tenants is not None and not diagnosis.tenants.known
    return ("which tenants are hurt could not be found out",) if unknown else ()


def _source_words(source: int | None) -> str:
    return "no severity from the source" if source is None else f"Azure Sev{source}"


def _weigh_dependents(choice: SeverityChoice, service: Service | None) -> SeverityChoice:
    count = len(service.dependents) if service else 0
    if count < _MANY_DEPENDENTS or choice.severity is SEV0:
        return choice
    worse = list(Severity)[list(Severity).index(choice.severity) - 1]
    reason = f"{count} services depend on it: {worse}"
    return SeverityChoice(severity=worse, reasons=(*choice.reasons, reason))
