"""The scenes of evidence: what is sealed, purged and handed out proves itself afterwards, too."""

from datetime import timedelta
from hashlib import sha256

import msgspec

from responders.evidence.collect import collect
from responders.evidence.order import hand_out, order_by_form, order_evidence
from responders.evidence.purge import purge
from responders.evidence.record import record
from responders.evidence.seal import seal
from responders.watching.configure import configure
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Mode
from shared.domain.event import ITSELF, EventKind, happened
from shared.domain.evidence.order import OrderState
from shared.domain.incidents.escalation import wakes
from shared.domain.incidents.handling import add_note
from shared.domain.ledger.record import LedgerRow, partition_of
from shared.domain.ledger.verification import Verification
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.protocol.commit import telling
from shared.protocol.evidence.ledger import MARK_LASTS, MARKS
from shared.protocol.evidence.orders import newest_orders
from shared.protocol.evidence.seals import SEALS, seal_name
from shared.protocol.evidence.verifying import verify_stored
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.scene import INCIDENT, NOW, SERVICE, store_case
from tests.simulation.crossing.jobs import Job, recorded

NOTHING = Leftovers(messages={}, effects=[], intents=[])
AUDITOR = person(AppRole.AUDITOR)
EVENT = happened(
    EventKind.NOTED, "a-note", SERVICE.name, NOW, actor="backstop", what="noted", why="a test"
)


async def _recorded(services: FakeServices) -> None:
    await record(services, [telling(EVENT)])


async def _recorded_long_ago(services: FakeServices) -> None:
    await _recorded(services)
    services.outside.wait(2 * MARK_LASTS.total_seconds())


async def _seal(services: FakeServices) -> None:
    await seal(services, NOTHING)


async def _sealed_once(services: FakeServices) -> None:
    """One seal, over all that there is."""
    assert await services.blobs.names(SEALS) == [seal_name(1)]
    assert await _verified(services) == Verification(ok=True, events=1)


async def _sealed_and_unmarked(services: FakeServices) -> None:
    await _sealed_once(services)
    assert services.ledger.rows(MARKS) == []


async def _verified(services: FakeServices) -> Verification:
    return await verify_stored(services, {services.signer.fingerprint})


async def _touched(services: FakeServices) -> None:
    await _recorded(services)
    await _touch(services)


async def _touch(services: FakeServices) -> None:
    """Somebody writes another body into the newest record."""
    part = next(one for one in services.ledger.partitions() if one[0].isdigit())
    *_, row = services.ledger.rows(part, "seq|")
    was = services.ledger.peek(part, row, LedgerRow)
    edited = msgspec.structs.replace(was, body=was.body.replace("noted", "noticed"))
    await services.ledger.write(part, [Put(row=row, value=edited)])


async def _woken_once(services: FakeServices) -> None:
    """One incident that pages, which is listed, and no seal."""
    (incident,) = await open_incidents(services)
    assert wakes(incident)
    assert await services.blobs.names(SEALS) == []


async def _ordered_and_touched(services: FakeServices) -> None:
    await _ordered(services)
    await _touch(services)


async def _collected_and_woken_once(services: FakeServices) -> None:
    """The bundle is handed out all the same, and says itself that it does not verify."""
    (order,) = await newest_orders(services)
    assert (order.state, order.verified) == (OrderState.DONE, False)
    (woken,) = [one for one in await open_incidents(services) if one.service == ITSELF]
    assert wakes(woken)


async def _long_sealed(services: FakeServices) -> None:
    old = NOW - timedelta(days=4_000)
    long_ago = msgspec.structs.replace(EVENT, happened_at=old, recorded_at=old)
    await record(services, [telling(long_ago)])
    await seal(services, NOTHING)


async def _purge(services: FakeServices) -> None:
    """As the executor's tick: another process learns of the newest seal by its own job."""
    await seal(services, NOTHING)
    await purge(services, NOTHING)


async def _purged_once(services: FakeServices) -> None:
    """The body is gone, one record tells of it, and the ledger verifies."""
    old = msgspec.structs.replace(EVENT, recorded_at=NOW - timedelta(days=4_000))
    part = partition_of(old)
    (row,) = services.ledger.rows(part, "seq|")
    assert not services.ledger.peek(part, row, LedgerRow).body
    assert (await recorded(services))[EventKind.LEDGER_PURGED] == 1
    assert (await _verified(services)).ok


async def _noted(services: FakeServices) -> None:
    """An incident with a note that is sealed."""
    await store_case(services)
    now = services.now()
    note = lambda i: Revision(  # noqa: E731
        step=add_note(i, "the index is back", who=AUDITOR.id, role=AUDITOR.role, now=now)
    )
    await revise(services, INCIDENT.id, note)
    await record(services, services.bus.published[CHANGES])
    await seal(services, NOTHING)


async def _order(services: FakeServices) -> None:
    body = msgspec.json.encode({"incident": INCIDENT.id})
    await order_evidence(services, Request(method="POST", body=body, caller=AUDITOR))


async def _order_by_form(services: FakeServices) -> None:
    body = msgspec.json.encode({"incident": INCIDENT.id})
    await order_by_form(services, Request(method="POST", body=body, caller=AUDITOR))


async def _ordered(services: FakeServices) -> None:
    await _noted(services)
    await _order(services)


async def _collect(services: FakeServices) -> None:
    (order,) = await newest_orders(services)
    await collect(services, Message(subject="collect", body=order.id, message_id="collect"))


async def _each_is_sent(services: FakeServices) -> None:
    """No order is taken that nobody collects."""
    orders = {order.id for order in await newest_orders(services)}
    sent = {m.body for m in services.bus.published[WORK] if m.subject == "collect"}
    assert orders == sent
    assert orders


async def _collected_once(services: FakeServices) -> str:
    """What is handed out is what the ledger has the digest of; answers that digest."""
    (order,) = await newest_orders(services)
    assert (order.state, order.verified) == (OrderState.DONE, True)
    handed = await hand_out(services, Request(path={"id": order.id}, caller=AUDITOR))
    assert sha256(handed.body).hexdigest() == order.sha256
    assert (await recorded(services))[EventKind.EVIDENCE_EXPORTED] == 1
    return order.sha256


async def _configure(services: FakeServices) -> None:
    await configure(services, NOTHING)


async def _configured_before(services: FakeServices) -> None:
    """The deployment before this one had another mode."""
    service = services.catalog.services[SERVICE.name]
    other = msgspec.structs.replace(service, mode=Mode.RECOMMEND)
    services.outside.catalog = catalog_of(other)
    await configure(services.another("before"), NOTHING)
    services.outside.catalog = catalog_of(service)
    services.outside.wait(60)


JOBS = (
    Job(name="configure", prepare=_configured_before, run=_configure),
    Job(name="seal", prepare=_recorded, run=_seal, holds=_sealed_once),
    Job(name="seal", prepare=_recorded_long_ago, run=_seal, holds=_sealed_and_unmarked),
    Job(name="seal", prepare=_touched, run=_seal, holds=_woken_once),
    Job(name="purge", prepare=_long_sealed, run=_purge, holds=_purged_once),
    Job(name="order_evidence", prepare=_noted, run=_order, holds=_each_is_sent, by_a_person=True),
    Job(
        name="order_by_form",
        prepare=_noted,
        run=_order_by_form,
        holds=_each_is_sent,
        by_a_person=True,
    ),
    Job(name="collect", prepare=_ordered, run=_collect, holds=_collected_once),
    Job(
        name="collect",
        prepare=_ordered_and_touched,
        run=_collect,
        holds=_collected_and_woken_once,
    ),
)
