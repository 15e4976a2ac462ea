"""Alerts about the services of the cast, and signals of them."""

from datetime import datetime

import msgspec

from infra.local.alerts import LogAlert
from infra.local.bench.cast import part_of, service_name

DESCRIPTION = "More than 14.4 times the error budget burns in one region of the service."


def alert(number: str, service: int, *, slice_: str, fired_at: datetime, part: int = 0) -> bytes:
    """One alert of a log rule; the same number and time are the same delivery again.

    Alerts of one service, part and slice are the same trouble, those of one part one incident.
    """
    name = service_name(service)
    fired = LogAlert(
        number=number,
        rule=f"{name}-availability-fast-burn",
        target=part_of(name, part),
        fired_at=fired_at,
        description=DESCRIPTION,
        dimensions={"region": slice_},
    )
    return msgspec.json.encode(fired.body())


def signal(number: str, service: int, *, slice_: str, ended_at: datetime) -> bytes:
    """One signal of a service's own telemetry: in one region half of the requests fail."""
    told = {
        "id": number,
        "service": service_name(service),
        "sli": "availability",
        "window": "10s",
        "good": 40,
        "total": 80,
        "source": "telemetry-helper",
        "region": slice_,
        "ended_at": ended_at,
    }
    return msgspec.json.encode(told)
