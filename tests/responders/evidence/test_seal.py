"""Seal: what was appended is signed and copied apart from the table, and never a second time."""

import contextlib
import hashlib
import random
from datetime import timedelta

import msgspec
import pytest

from responders.evidence.record import record
from responders.evidence.seal import seal
from shared.domain.incidents.escalation import wakes
from shared.domain.incidents.incident import Incident
from shared.domain.incidents.steps import resolve
from shared.domain.ledger.chain import head_at
from shared.domain.ledger.record import LedgerRow, hash_of
from shared.domain.ledger.seal import Seal
from shared.domain.ledger.verification import ANEW, Verification
from shared.domain.row import Put, Remove
from shared.errors import Misconfigured, Unavailable
from shared.protocol.evidence.ledger import MARKS, PAGE, Mark, append_events
from shared.protocol.evidence.seals import newest_seal, read_seals, seal_name
from shared.protocol.evidence.verifying import verify_stored
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.revise import Revision, revise
from shared.services import Services
from tests.fakes import FakeServices, Killed, die, make_settings
from tests.fakes.scene import NOW, SHARD, new_services
from tests.responders.evidence.test_record import PART, batch, event
from tests.shared.domain.decisions.worked_case import alter

NOTHING = Leftovers(messages={}, effects=[], intents=[])
OTHER_DAY = timedelta(days=1)


@pytest.fixture
def services() -> FakeServices:
    return new_services(seal_every_s=300.0)


async def seals(services: FakeServices) -> list[Seal]:
    return [one async for one in read_seals(services)]


async def verified(services: FakeServices) -> Verification:
    return await verify_stored(services, {services.signer.fingerprint})


def wait(services: FakeServices) -> None:
    services.outside.wait(300)


async def test_what_was_appended_is_sealed(services: FakeServices) -> None:
    await record(services, batch(1, 2))

    await seal(services, NOTHING)

    (only,) = await seals(services)
    assert [(head.partition, head.sequence) for head in only.heads] == [(PART, 2)]
    assert only.statement.key == services.signer.fingerprint
    assert await verified(services) == Verification(ok=True, events=2)


async def test_the_next_one_follows_it(services: FakeServices) -> None:
    await record(services, batch(1))
    await seal(services, NOTHING)
    wait(services)
    await record(services, batch(2))

    await seal(services, NOTHING)

    first, second = await seals(services)
    assert second.statement.previous == first.statement.hash()
    assert (await verified(services)).ok


async def test_where_nothing_was_appended_nothing_is_signed(services: FakeServices) -> None:
    await record(services, batch(1))
    for _ in range(5):
        await seal(services, NOTHING)
        wait(services)

    assert len(services.signer.signed) == 1


async def test_it_waits_until_it_is_time(services: FakeServices) -> None:
    await record(services, batch(1))
    await seal(services, NOTHING)
    await record(services, batch(2))
    services.outside.wait(299)

    await seal(services, NOTHING)
    assert len(await seals(services)) == 1

    services.outside.wait(1)
    await seal(services, NOTHING)
    assert len(await seals(services)) == 2


async def test_chains_that_stood_still_stay_under_the_next_seal(services: FakeServices) -> None:
    await record(services, batch(1))
    await seal(services, NOTHING)
    wait(services)
    await append_events(services, f"{SHARD}-202612", [event(2, recorded_at=NOW + 30 * OTHER_DAY)])

    await seal(services, NOTHING)

    _, second = await seals(services)
    assert [head.partition for head in second.heads] == [PART, f"{SHARD}-202612"]


async def test_records_are_copied_by_class_before_they_are_sealed(services: FakeServices) -> None:
    await record(services, batch(1, 2))

    await seal(services, NOTHING)

    name = f"incidents/{PART}/{1:012d}-{2:012d}.jsonl"
    lines = services.blobs.stored["ledger", name].splitlines()
    copies = [msgspec.json.decode(line, type=LedgerRow) for line in lines]
    stored = await services.ledger.scan(PART, "seq|", LedgerRow)
    assert copies == [row.value for row in stored]


@pytest.mark.parametrize("part", ["blobs", "signer"])
async def test_a_part_that_is_out_stops_no_record_and_is_asked_again_by_the_next_tick(
    services: FakeServices, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    getattr(services, part).out = True
    await record(services, batch(1))
    await seal(services, NOTHING)
    await record(services, batch(2))
    assert "not sealed now" in caplog.text
    getattr(services, part).out = False

    await seal(services, NOTHING)

    assert await verified(services) == Verification(ok=True, events=2)
    assert len(await seals(services)) == 1


@pytest.mark.parametrize("number", range(1, 12))
async def test_killed_anywhere_the_next_process_seals_what_is_left(
    services: FakeServices, number: int
) -> None:
    await record(services, batch(1, 2))
    services.outside.turns.at(number, die)
    with contextlib.suppress(Killed):
        await seal(services, NOTHING)
    services.outside.turns.forget()
    later = services.another("later")
    await record(later, batch(3))

    await seal(later, NOTHING)

    assert await verified(later) == Verification(ok=True, events=3)
    assert (await seals(later))[-1].heads[0].sequence == 3


async def test_of_two_that_seal_at_once_one_counts_and_nothing_is_overwritten(
    services: FakeServices,
) -> None:
    await record(services, batch(1))
    other = services.another("two")
    services.outside.turns.once("signer.sign", lambda: seal(other, NOTHING))

    await seal(services, NOTHING)
    first = dict(services.blobs.stored)
    await record(services, batch(2))
    await seal(services, NOTHING)

    assert first.items() <= services.blobs.stored.items()
    assert [one.statement.number for one in await seals(services)] == [1, 2]
    assert (await verified(services)).ok


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 20])
async def test_a_new_process_finds_the_newest_in_a_few_reads(
    services: FakeServices, count: int
) -> None:
    for number in range(count):
        await record(services, batch(number))
        await seal(services, NOTHING)
        wait(services)
    reads = services.outside.turns.passed.count("blobs.read")

    newest = await newest_seal(services.another("later"))

    assert newest is not None
    assert newest.statement.number == count
    assert services.outside.turns.passed.count("blobs.read") - reads <= 2 + 2 * count.bit_length()


async def test_what_was_touched_before_it_was_sealed_is_said_and_not_sealed(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    await record(services, batch(1, 2, 3))
    row = services.ledger.peek(PART, f"seq|{2:012d}", LedgerRow)
    await services.ledger.write(PART, [_put(alter(row, body=row.body.replace("did", "undid")))])

    await seal(services, NOTHING)

    (only,) = await seals(services)
    assert only.heads[0].sequence == 1
    assert f"the ledger was touched: {PART}/2 event-2" in caplog.text
    assert (await verified(services)).first_bad == f"{PART}/2 event-2"


async def tampered(services: FakeServices) -> None:
    """Somebody writes another body into the second record."""
    row = services.ledger.peek(PART, f"seq|{2:012d}", LedgerRow)
    await services.ledger.write(PART, [_put(alter(row, body=row.body.replace("did", "undid")))])


async def test_a_touched_record_wakes_a_person_once(services: FakeServices) -> None:
    await record(services, batch(1, 2, 3))
    await tampered(services)
    for _ in range(3):
        await seal(services, NOTHING)
        wait(services)

    (incident,) = await open_incidents(services)
    assert (incident.service, incident.severity, incident.state) == (
        "backstop",
        "SEV1",
        "escalated",
    )
    assert incident.title == f"The ledger was touched: {PART}/2 event-2"
    assert wakes(incident)


@pytest.mark.parametrize("appended", [0, 1, 2])
async def test_a_tail_that_was_cut_behind_a_seal_wakes_a_person(
    services: FakeServices, appended: int
) -> None:
    await record(services, batch(1, 2, 3))
    await seal(services, NOTHING)
    rows = await services.ledger.scan(PART, "seq|", LedgerRow)
    gone = [Remove(row=row.row) for row in rows[1:]]
    names = [Remove(row=f"id|event-{number}") for number in (2, 3)]
    head = Put(row="head", value=head_at(rows[0].value))
    await services.ledger.write(PART, [*gone, *names, head])
    await record(services, batch(*range(7, 7 + appended)))
    wait(services)

    await seal(services, NOTHING)

    (incident,) = await open_incidents(services)
    assert incident.title == f"The ledger was touched: {PART}/3 is not there as it was sealed"
    assert len(await seals(services)) == 1


async def test_a_record_whose_body_was_purged_is_still_the_one_that_was_sealed(
    services: FakeServices,
) -> None:
    await record(services, batch(1))
    await seal(services, NOTHING)
    row = services.ledger.peek(PART, f"seq|{1:012d}", LedgerRow)
    await services.ledger.write(PART, [_put(alter(row, body="", purged="35-202611/9"))])
    await record(services, batch(2))
    wait(services)

    await seal(services, NOTHING)

    assert (await seals(services))[-1].heads[0].sequence == 2
    assert await open_incidents(services) == []


async def test_who_resolves_it_without_mending_it_is_woken_again(services: FakeServices) -> None:
    await record(services, batch(1, 2, 3))
    await tampered(services)
    await seal(services, NOTHING)
    (incident,) = await open_incidents(services)
    wait(services)

    def end(current: Incident) -> Revision:
        return Revision(step=resolve(current, who="t/ada", why="fine", now=services.now()))

    await revise(services, incident.id, end)
    await seal(services, NOTHING)

    (again,) = await open_incidents(services)
    assert again.id != incident.id


async def test_while_it_cannot_be_told_the_sealer_comes_back(services: FakeServices) -> None:
    await record(services, batch(1, 2, 3))
    await tampered(services)
    services.outside.state.out = True
    await seal(services, NOTHING)
    services.outside.state.out = False
    await seal(services, NOTHING)

    assert len(await open_incidents(services)) == 1


async def test_a_history_made_anew_behind_a_seal_is_never_sealed(services: FakeServices) -> None:
    await record(services, batch(1, 2))
    await seal(services, NOTHING)
    wait(services)
    row = services.ledger.peek(PART, f"seq|{2:012d}", LedgerRow)
    anew = alter(row, recorded_at="2026-11-23T14:04:00.000000Z")
    anew = alter(anew, body=row.body.replace("14:05:00", "14:04:00"))
    anew = alter(anew, body_hash=hashlib.sha256(anew.body.encode()).hexdigest())
    anew = alter(anew, hash=hash_of(anew))
    await services.ledger.write(PART, [_put(anew), Put(row="head", value=head_at(anew))])
    await record(services, batch(3))

    await seal(services, NOTHING)

    assert len(await seals(services)) == 1
    found = await verified(services)
    assert (found.ok, found.problem) == (False, ANEW)


async def test_marks_that_are_old_are_taken_away(services: FakeServices) -> None:
    await record(services, batch(1))
    await seal(services, NOTHING)
    assert services.ledger.rows(MARKS) == [PART]
    services.outside.wait(3_601)

    await seal(services, NOTHING)
    assert services.ledger.rows(MARKS) == []

    await record(services, batch(2))
    wait(services)
    await seal(services, NOTHING)
    assert await verified(services) == Verification(ok=True, events=2)


async def test_what_is_not_sealed_yet_stays_marked_however_old_its_mark_is(
    services: FakeServices,
) -> None:
    async def out() -> None:
        raise Unavailable("blobs", "the account does not answer")

    await record(services, batch(*range(PAGE + 1)))
    services.outside.wait(3_601)
    services.outside.turns.once("blobs.create", out)
    for _ in range(3):  # the copies fail, then there is a page, then the rest
        assert services.ledger.rows(MARKS) == [PART]
        await seal(services, NOTHING)

    assert services.ledger.rows(MARKS) == []
    assert (await seals(services))[-1].heads[0].sequence == PAGE + 1


async def test_what_is_marked_anew_while_its_old_mark_is_taken_away_stays_marked(
    services: FakeServices,
) -> None:
    await record(services, batch(1))
    await seal(services, NOTHING)
    services.outside.wait(3_601)
    services.outside.turns.once("ledger.write", lambda: record(services.another("two"), batch(2)))

    for _ in range(2):
        await seal(services, NOTHING)
        wait(services)

    assert (await seals(services))[-1].heads[0].sequence == 2


async def test_what_was_touched_before_any_seal_is_found_however_long_it_is_ago(
    services: FakeServices,
) -> None:
    await record(services, batch(1))
    row = services.ledger.peek(PART, f"seq|{1:012d}", LedgerRow)
    await services.ledger.write(PART, [_put(alter(row, body=row.body.replace("did", "undid")))])
    for _ in range(2):
        services.outside.wait(3_601)
        await seal(services, NOTHING)

    assert (await verified(services)).first_bad == f"{PART}/1 event-1"


async def test_a_seal_that_cannot_be_read_is_no_reason_to_begin_anew(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.blobs.stored["seals", seal_name(1)] = b"spoiled"
    await record(services, batch(1))

    await seal(services, NOTHING)

    assert "seal 1 cannot be read" in caplog.text
    assert services.signer.signed == []


async def test_a_record_that_cannot_be_read_is_named_and_holds_up_no_other_chain(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    other = f"{SHARD}-202612"
    await record(services, batch(1, 2))
    await append_events(services, other, [event(3, recorded_at=NOW + 30 * OTHER_DAY)])
    await services.ledger.write(PART, [Put(row=f"seq|{2:012d}", value=Mark(at=NOW))])

    await seal(services, NOTHING)

    (only,) = await seals(services)
    assert [head.partition for head in only.heads] == [other]
    assert f"row seq|{2:012d} cannot be read" in caplog.text
    with pytest.raises(Unavailable, match=f"row seq.{2:012d} cannot be read"):
        await verified(services)


async def test_without_an_account_or_a_key_it_says_so() -> None:
    services = Services(make_settings(blobs=""))
    with pytest.raises(Misconfigured, match="BACKSTOP_BLOBS"):
        _ = services.blobs
    with pytest.raises(Misconfigured, match="BACKSTOP_SIGNING_KEY"):
        _ = services.signer


async def test_random_histories_are_sealed_whole() -> None:
    for seed in range(15):
        rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
        services, written = new_services(seal_every_s=0.0), 0
        for _ in range(rng.randrange(1, 6)):
            more = rng.randrange(1, 60)
            await record(services, batch(*range(written, written + more)))
            written += more
            if rng.random() < 0.6:
                await seal(services, NOTHING)
        assert await verified(services) == Verification(ok=True, events=written)


def _put(row: LedgerRow) -> Put:
    return Put(row=f"seq|{row.sequence:012d}", value=row)
