"""Purge: bodies whose time is over go, told of first; every chain verifies, and holds hold."""

import contextlib
from datetime import timedelta

import msgspec
import pytest

from responders.evidence.hold import lift_hold, place_hold
from responders.evidence.purge import MOST, purge
from responders.evidence.record import record
from responders.evidence.seal import seal
from shared.domain.authority.caller import AppRole
from shared.domain.event import EventKind
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import Verification
from shared.domain.views.http import Request
from shared.protocol.commit import telling
from shared.protocol.evidence.verifying import verify_stored
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices, Killed, die
from tests.fakes.callers import person
from tests.fakes.scene import SERVICE, new_services
from tests.fakes.services import catalog_of
from tests.responders.evidence.test_record import PART, event
from tests.shared.domain.decisions.worked_case import alter

AUDITOR = person(AppRole.AUDITOR)
NOTHING = Leftovers(messages={}, effects=[], intents=[])
YEAR = timedelta(days=366)
INTAKE, CHANGE = EventKind.ALERT_SWEPT, EventKind.DECIDED


async def sealed(services: FakeServices, *kinds: EventKind) -> None:
    """One record of each kind, under a seal."""
    await record(services, [telling(event(n, kind=kind)) for n, kind in enumerate(kinds, 1)])
    await seal(services, NOTHING)


async def tick(services: FakeServices, count: int = 4) -> None:
    for _ in range(count):
        await seal(services, NOTHING)
        await purge(services, NOTHING)


async def bodies(services: FakeServices) -> list[bool]:
    rows = await services.ledger.scan(PART, "seq|", LedgerRow)
    return [bool(row.value.body) for row in rows]


async def verified(services: FakeServices) -> Verification:
    return await verify_stored(services, {services.signer.fingerprint})


def purges(services: FakeServices) -> list[LedgerRow]:
    return [
        services.ledger.peek(part, row, LedgerRow)
        for part in services.ledger.partitions()
        for row in services.ledger.rows(part, "seq|")
        if services.ledger.peek(part, row, LedgerRow).kind == EventKind.LEDGER_PURGED
    ]


@pytest.fixture
def services() -> FakeServices:
    return new_services(seal_every_s=0.0)


async def test_bodies_whose_time_is_over_go_and_the_ledger_verifies(services: FakeServices) -> None:
    await sealed(services, INTAKE, CHANGE, INTAKE)
    before = await services.ledger.scan(PART, "seq|", LedgerRow)
    services.outside.wait(YEAR.total_seconds())

    await tick(services)

    assert await bodies(services) == [False, True, False]
    after = await services.ledger.scan(PART, "seq|", LedgerRow)
    assert [row.value.hash for row in after] == [row.value.hash for row in before]
    assert [row.value.body_hash for row in after] == [row.value.body_hash for row in before]
    assert await verified(services) == Verification(ok=True, events=4)


async def test_the_purge_is_a_record_of_its_own(services: FakeServices) -> None:
    await sealed(services, INTAKE, CHANGE, INTAKE)
    services.outside.wait(YEAR.total_seconds())

    await tick(services)

    (told,) = purges(services)
    assert f"removed the bodies of 2 records of {PART}" in told.body
    assert '"sequences":[1,3]' in told.body


async def test_what_is_young_stays(services: FakeServices) -> None:
    await sealed(services, INTAKE)
    services.outside.wait(timedelta(days=183).total_seconds())

    await tick(services)

    assert await bodies(services) == [True]


async def test_what_no_seal_vouches_for_stays(services: FakeServices) -> None:
    await sealed(services, CHANGE)
    await record(services, [telling(event(2, kind=INTAKE))])
    services.outside.wait(YEAR.total_seconds())

    await purge(services, NOTHING)

    assert await bodies(services) == [True, True]


async def hold(services: FakeServices, scope: str) -> str:
    """Hold a scope as an auditor does; answer the hold's id."""
    body = msgspec.json.encode({"scope": scope, "reason": "a claim"})
    answer = await place_hold(services, Request(body=body, caller=AUDITOR))
    key: str = msgspec.json.decode(answer.body)["id"]
    return key


async def lift(services: FakeServices, key: str) -> None:
    body = msgspec.json.encode({"reason": "settled"})
    await lift_hold(services, Request(path={"id": key}, body=body, caller=AUDITOR))


@pytest.mark.parametrize("scope", ["*", SERVICE.name])
async def test_a_legal_hold_keeps_it_until_somebody_lifts_it(
    services: FakeServices, scope: str
) -> None:
    await sealed(services, INTAKE)
    services.outside.wait(YEAR.total_seconds())
    key = await hold(services, scope)

    await tick(services)
    assert await bodies(services) == [True]

    await lift(services, key)
    services.outside.wait(YEAR.total_seconds())
    await tick(services)
    assert await bodies(services) == [False]


async def test_a_hold_of_another_service_keeps_nothing(services: FakeServices) -> None:
    await sealed(services, INTAKE)
    services.outside.wait(YEAR.total_seconds())
    services.outside.catalog = catalog_of(SERVICE, alter(SERVICE, name="policy-search"))
    await hold(services, "policy-search")

    await tick(services)

    assert await bodies(services) == [False]


async def test_where_holds_cannot_be_read_nothing_goes(services: FakeServices) -> None:
    await sealed(services, INTAKE)
    services.outside.wait(YEAR.total_seconds())
    services.outside.state.out = True

    await tick(services)

    assert await bodies(services) == [True]
    assert purges(services) == []


async def test_more_than_a_transaction_holds_goes_in_several(services: FakeServices) -> None:
    await sealed(services, *[INTAKE] * (MOST + 10))
    services.outside.wait(YEAR.total_seconds())

    await purge(services, NOTHING)
    assert (await bodies(services)).count(False) == MOST

    await tick(services)
    assert (await bodies(services)).count(False) == MOST + 10
    assert len(purges(services)) == 2
    assert (await verified(services)).ok


async def test_a_partition_is_looked_through_once_a_day(services: FakeServices) -> None:
    await sealed(services, CHANGE)
    services.outside.wait(YEAR.total_seconds())
    await tick(services)
    looks = services.outside.turns.passed.count("ledger.scan")

    await purge(services, NOTHING)
    assert services.outside.turns.passed.count("ledger.scan") == looks

    services.outside.wait(24 * 3_600)
    await purge(services, NOTHING)
    assert services.outside.turns.passed.count("ledger.scan") == looks + 1


@pytest.mark.parametrize("number", range(1, 14))
async def test_killed_anywhere_no_body_is_gone_that_nothing_tells_of(
    services: FakeServices, number: int
) -> None:
    await sealed(services, INTAKE, CHANGE, INTAKE)
    services.outside.wait(YEAR.total_seconds())
    services.outside.turns.at(number, die)
    with contextlib.suppress(Killed):
        await purge(services, NOTHING)
    services.outside.turns.forget()
    assert (await verified(services)).ok

    later = services.another("later")
    await tick(later)

    assert await bodies(later) == [False, True, False]
    assert (await verified(later)).ok
