"""The scenes of signals and health checks: what is told is one delivery, however it was struck."""

from datetime import timedelta

import msgspec

from responders.alert.corroborate import corroborate
from responders.alert.signal import take_signal
from responders.watching.check_health import check_health
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Dependency
from shared.domain.health.chain import Watermark
from shared.domain.health.report import HealthReport
from shared.domain.incidents.incident import State
from shared.domain.keys import digest
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.protocol.health import health_row
from shared.protocol.intake import Delivery
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import app
from tests.fakes.scene import (
    NOW,
    RECORD,
    SERVICE,
    SHARD,
    TARGET,
    incident_now,
    message,
    store_incident,
)
from tests.shared.domain.diagnosis.test_by_probes import READING
from tests.shared.domain.signals.told import APP, body
from tests.simulation.crossing.jobs import Job
from tests.simulation.crossing.scenes import NOTHING

INDEX = Dependency(name="wordings", kind="index", endpoint="https://s.example", watermark="at")
CHECKED = msgspec.structs.replace(SERVICE, dependencies=(INDEX,), signals=(APP,))
STALE = Watermark(documents=48_000, newest=NOW - timedelta(hours=2))
MILD = body(window="1h", good=0)  # nobody is woken directly for it


async def _told(services: FakeServices) -> None:
    services.outside.catalog = catalog_of(CHECKED)


async def _tell(services: FakeServices) -> None:
    await take_signal(services, Request(body=MILD, caller=app(AppRole.SIGNAL, app_id=APP)))


async def _tell_badly(services: FakeServices) -> None:
    caller = app(AppRole.SIGNAL, app_id=APP)
    await take_signal(services, Request(body=body(good=81), caller=caller))


async def _one_delivery(services: FakeServices) -> None:
    """There is one, and triage hears of it."""
    table = services.outside.deliveries
    rows = [(part, row) for part in table.partitions() for row in table.rows(part)]
    ((part, row),) = rows
    assert table.peek(part, row, Delivery).alert.reading is not None
    assert {m.body for m in services.bus.published["work"] if m.subject == "triage"} == {row}


async def _opened_by_a_signal(services: FakeServices) -> None:
    record = Put(row=f"endpoint|{digest(TARGET)}", value=RECORD)
    await services.state.write(SHARD, [record])
    services.scoring.failing.add("v2")
    await store_incident(services, state=State.OPENED, signals_only=True, reading=READING)


async def _corroborate(services: FakeServices) -> None:
    await corroborate(services, message("corroborate"))


async def _diagnosed_once(services: FakeServices) -> None:
    assert (await incident_now(services)).state is State.DIAGNOSED
    asked = {m.message_id for m in services.bus.published["work"] if m.subject == "enforce"}
    assert len(asked) == 1


async def _stopped(services: FakeServices) -> None:
    services.outside.catalog = catalog_of(CHECKED)
    services.search.indexes[INDEX.name] = STALE


async def _check(services: FakeServices) -> None:
    await check_health(services, NOTHING)


async def _found_once(services: FakeServices) -> None:
    report = services.state.peek(SHARD, health_row(SERVICE.name), HealthReport)
    finding = report.finding("dependency wordings")
    assert finding is not None
    assert finding.told_at is not None
    await _one_delivery(services)


JOBS = (
    Job(name="take_signal", prepare=_told, run=_tell, holds=_one_delivery),
    Job(name="take_signal", prepare=_told, run=_tell_badly),
    Job(name="corroborate", prepare=_opened_by_a_signal, run=_corroborate, holds=_diagnosed_once),
    Job(name="check_health", prepare=_stopped, run=_check, holds=_found_once),
)
