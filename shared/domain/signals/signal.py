"""Signals: a service's own telemetry, or a health check, tells of a breach before the logs can.

First step of the fast lane. The counts are judged by the objective's budget; what comes of it is an
alert like any other, which takes the same road: intake, triage, one incident with the alert of
Azure Monitor that follows. A signal that shows no breach ends what the same signals told before its
window began, so that a replica which is well does not end another's breach. One that counted too
little does neither.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from shared.domain.alerts.alert import Alert, Condition
from shared.domain.alerts.alert_summary import plain
from shared.domain.catalog import Catalog, Service
from shared.domain.incidents.incident import Severity
from shared.domain.keys import digest
from shared.domain.redaction.redactor import BARE, Redactor
from shared.domain.signals.judging import (
    LONGEST_WINDOW_S,
    burn_of,
    judge,
    seconds_of,
    too_slow,
    yardstick,
)
from shared.domain.signals.reading import Judged, Reading, Source
from shared.domain.slos.slo import Slo
from shared.errors import RejectedInput

ROUTE = "api/signals"
KIND = "signal"
MAX_BODY = 8_192  # bytes
LONGEST_NAME = 128
MAX_COUNT = 1_000_000_000
OLDEST = timedelta(minutes=15)  # what was counted before says nothing of now
AHEAD = timedelta(minutes=1)  # clocks differ
_AZURE = {severity: number for number, severity in enumerate(Severity)}


class Signal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is posted. `slo` is the objective's name, or `sli` its kind; `window` is such as "1m".

    `id` is the sender's own: the same one again is the same signal. `region` says that only that
    region's requests were counted.
    """

    id: str
    service: str
    slo: str = ""
    sli: str = ""
    window: str
    good: int
    total: int
    source: Source
    ended_at: datetime
    region: str = ""


def read_signal(body: bytes, received_at: datetime, redactor: Redactor = BARE) -> Signal:
    """Read what was posted. Raises RejectedInput, for each field that cannot be."""
    if len(body) > MAX_BODY:
        raise RejectedInput("too-large", f"a signal has at most {MAX_BODY} bytes")
    try:
        signal = redactor.struct(msgspec.json.decode(body, type=Signal))
    except msgspec.ValidationError as error:
        raise RejectedInput("wrong-field", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectedInput("not-json", f"the body is not JSON: {error}") from None
    for reason, detail, wrong in _mistakes(signal, received_at):
        if wrong:
            raise RejectedInput(reason, detail)
    return signal


def _mistakes(signal: Signal, received_at: datetime) -> Sequence[tuple[str, str, bool]]:
    window_s = seconds_of(signal.window) or 0
    long = max(map(len, (signal.id, signal.service, signal.slo, signal.sli, signal.region)))
    aware = signal.ended_at.tzinfo is not None
    age = received_at - signal.ended_at if aware else timedelta(0)
    return (
        ("empty-field", "id and service must not be empty", not (signal.id and signal.service)),
        ("too-long", f"names have at most {LONGEST_NAME} characters", long > LONGEST_NAME),
        ("wrong-counts", "0 <= good <= total", not 0 <= signal.good <= signal.total <= MAX_COUNT),
        ("wrong-window", "window is from 1s to 1h", not 0 < window_s <= LONGEST_WINDOW_S),
        ("wrong-time", "ended_at needs an offset, such as Z", not aware),
        ("too-old", "ended_at is more than 15 minutes ago", age > OLDEST),
        ("too-early", "ended_at lies ahead", age < -AHEAD),
    )


def owner_of(signal: Signal, catalog: Catalog) -> Service:
    """The service that the signal is about. Raises RejectedInput."""
    service = catalog.services.get(signal.service)
    if service is None or not service.targets:
        raise RejectedInput("unknown-service", f"no service is called {signal.service!r}")
    return service


def may_tell(service: Service, app_id: str) -> bool:
    """Whether an app's signals are the service's own, as its file says."""
    return bool(app_id) and app_id.lower() in service.signals


def alert_of(signal: Signal, service: Service) -> Alert:
    """The signal as an alert of the service.

    Raises RejectedInput where no objective is meant, or one that has no fast lane.
    """
    slo = _objective(signal, service)
    if reason := too_slow(slo):
        raise RejectedInput("no-fast-lane", f"{slo.name}: {reason}")
    window_s = seconds_of(signal.window) or 0
    judged = judge(slo, window_s, signal.good, signal.total)
    reading = Reading(
        about=slo.name,
        source=signal.source,
        judged=judged,
        good=signal.good,
        total=signal.total,
        window_s=window_s,
        ended_at=signal.ended_at,
        region=signal.region,
    )
    burn = burn_of(slo, signal.good, signal.total)
    said = f"{signal.good:,} of {signal.total:,} good within {signal.window}"
    return make_alert(
        service,
        reading,
        unique=signal.id,
        severity=yardstick(slo, window_s).severity,
        said=f"{said}, the budget burns {burn:.1f} times too fast" if burn > 1 else said,
    )


def make_alert(
    service: Service, reading: Reading, *, unique: str, severity: Severity, said: str
) -> Alert:
    """An alert of a reading. `unique` tells it from all others of the service."""
    where = f" in {reading.region}" if reading.region else ""
    rule = f"{reading.source}: {reading.about}"
    dimensions = (("region", reading.region),) if reading.region else ()
    begins = reading.judged is Judged.BREACH
    return Alert(
        delivery_key=digest(KIND, service.name, reading.source, unique),
        correlation_key=digest(KIND, service.name, rule, reading.region),
        alert_id=unique,
        rule=rule,
        kind=KIND,
        condition=Condition.FIRED if begins else Condition.RESOLVED,
        severity=_AZURE[severity],
        targets=(service.targets[0].id,),
        fired_at=reading.ended_at,
        resolved_at=None if begins else reading.speaks_since,
        monitoring_service=reading.source.value,
        dimensions=dimensions,
        service_hint=service.name,
        summary=plain(f"{rule}{where}: {said}", 200),
        reading=reading,
    )


def _objective(signal: Signal, service: Service) -> Slo:
    """The objective by its name, else the first of its kind."""
    by_name = [slo for slo in service.slos if signal.slo and slo.name == signal.slo]
    by_kind = [slo for slo in service.slos if not signal.slo and slo.sli == signal.sli]
    found = by_name or by_kind
    if not found:
        known = ", ".join(slo.name for slo in service.slos)
        raise RejectedInput("unknown-objective", f"slo is one of {known}; or sli is its kind")
    return found[0]
