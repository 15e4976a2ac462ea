"""A worked signal: half of a region's requests fail, as the service itself counts them."""

import msgspec

from shared.domain.catalog import Service
from shared.domain.signals.reading import Source
from shared.domain.signals.signal import Signal
from tests.shared.domain.decisions.worked_case import NOW, SERVICE, ago

APP = "0a1b2c3d-0000-4000-8000-00000000aaaa"
TELLING: Service = msgspec.structs.replace(SERVICE, signals=(APP,))
SIGNAL = Signal(
    id="fnol-1-261123T140459",
    service=SERVICE.name,
    slo="fnol-availability",
    window="1m",
    good=40,
    total=80,
    source=Source.TELEMETRY_HELPER,
    ended_at=ago(1),
    region="swedencentral",
)
RECEIVED = NOW


def body(**changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(SIGNAL), **changes})
