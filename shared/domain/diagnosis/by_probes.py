"""A diagnosis by probes: what a signal told of is seen again, minutes before the logs know of it.

Beside the diagnosis by logs, and only for trouble of which signals alone tell. Every version that
serves is asked by name, and so is the known good, at the same time and in the same region. Where
the known good passes what another surely fails, that version is at fault: dependencies, indexes and
regions are the same for both. Anything else is for the logs to find out.
"""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.catalog import RollbackPolicy, Service
from shared.domain.decisions.endpoint import EndpointSnapshot, ProbeReport
from shared.domain.decisions.probes import counted, fails, passes
from shared.domain.diagnosis.breach import BreachKind
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Diagnosis, Ground, Health
from shared.domain.incidents.incident import Incident
from shared.domain.signals.reading import Reading
from shared.domain.wording import share


def worth_probing(incident: Incident, policy: RollbackPolicy) -> bool:
    """Whether a signal counted as much as a rollback wants to see, and nobody else tells of it."""
    reading = incident.reading
    counts = reading is not None and reading.total >= policy.minimum_requests
    return incident.signals_only and counts


def suspects(snapshot: EndpointSnapshot, good: str) -> tuple[str, ...]:
    """The versions that serve and are not the known good, the largest share first."""
    serving = [(share, name) for name, share in snapshot.traffic.items() if share]
    ordered = sorted(serving, key=lambda one: (-one[0], one[1]))
    return tuple(name for _, name in ordered if name.lower() != good.lower())


def diagnose_by_probes(
    incident: Incident,
    service: Service,
    good: str,
    reports: Mapping[str, ProbeReport | None],
    now: datetime,
) -> Diagnosis | None:
    """The diagnosis that these pinned probes allow, None where they show no version at fault.

    `reports` are by deployment, those of `suspects` in their order; the first that fails is named.
    """
    reading, policy = incident.reading, service.policy
    if reading is None or not passes(_own(reports, good), policy):
        return None
    failing = [name for name in reports if name != good and fails(_own(reports, name), policy)]
    if not failing:
        return None
    bad = failing[0]
    reasons = (
        f"{bad}: {counted(reports[bad])} when probed by name",
        f"{good}: {counted(reports[good])} at the same time",
    )
    return Diagnosis(
        incident=incident.id,
        made_at=now,
        health=Health.BREACHED,
        sentence=_sentence(reading, bad, good),
        breach=BreachKind.AVAILABILITY.value,
        attribution=Attribution(
            cause=Cause.VERSION, version=bad, reasons=reasons, grounds=(Ground.CONTRAST,)
        ),
        onset_at=reading.began_at,
        served_version=bad,
        affected=f"region={reading.region}" if reading.region else "",
        requests=reading.total,
        bad_requests=reading.bad,
        bad_share=reading.bad_share,
        regions_hit=(reading.region,) if reading.region else (),
    )


def _own(reports: Mapping[str, ProbeReport | None], name: str) -> ProbeReport | None:
    """The report of a version, where no other one has answered in its place."""
    report = reports.get(name)
    if report is None:
        return None
    return report if {one.lower() for one in report.answered_by} <= {name.lower()} else None


def _sentence(reading: Reading, bad: str, good: str) -> str:
    where = f" in {reading.region}" if reading.region else ""
    return (
        f"{share(reading.bad_share)} of {reading.total:,} requests fail{where}, a signal says;"
        f" probes of {bad} fail, too, and those of {good} pass."
    )
