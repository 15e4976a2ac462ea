"""Evidence: what is ordered is collected once it is sealed, proves itself, and is told."""

import contextlib
import io
import subprocess
import sys
import zipfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from responders.evidence.collect import TRIES, collect
from responders.evidence.order import hand_out, order_evidence, show_orders
from responders.evidence.record import record
from responders.evidence.seal import seal
from shared.domain.authority.caller import AppRole
from shared.domain.incidents.handling import add_note
from shared.domain.incidents.incident import State
from shared.domain.incidents.steps import record_diagnosis
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.rsa import fingerprint_of
from shared.domain.message import Message
from shared.domain.row import Put
from shared.domain.views.http import Answer, Request
from shared.errors import NotFound, RejectedInput, Unavailable
from shared.protocol.leftovers import Leftovers
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices, Killed, die
from tests.fakes.callers import person
from tests.fakes.scene import (
    DIAGNOSIS,
    INCIDENT,
    incident_now,
    new_services,
    store_case,
)

AUDITOR = person(AppRole.AUDITOR)
LEFT = Leftovers(messages={}, effects=[], intents=[])


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made, state=State.DIAGNOSED)
    for text in ("the index was moved", "the index is back"):
        await note(made, text)
    return made


async def note(services: FakeServices, text: str) -> None:
    """One event of the incident, in the ledger as well."""
    now = services.now()
    take = lambda i: Revision(step=add_note(i, text, who=AUDITOR.id, role="Auditor", now=now))  # noqa: E731
    await revise(services, INCIDENT.id, take)
    await recorded(services)


async def diagnosed(services: FakeServices) -> None:
    """The incident is diagnosed, which is kept beside the event."""
    step = record_diagnosis(await incident_now(services), DIAGNOSIS, None, services.now())
    await revise(
        services, INCIDENT.id, lambda _: Revision(step=step, told={"diagnosis": DIAGNOSIS})
    )
    await recorded(services)


async def recorded(services: FakeServices) -> None:
    """All that was told is in the ledger."""
    await record(services, services.bus.published["changes"])
    services.bus.published["changes"].clear()


async def sealed(services: FakeServices) -> None:
    """Some time goes by, and a seal is made."""
    services.outside.now += timedelta(minutes=10)
    await seal(services, LEFT)


async def ordered(services: FakeServices, **asked: Any) -> str:
    """Order a bundle; answer its id."""
    body = msgspec.json.encode(asked or {"incident": INCIDENT.id})
    answer = await order_evidence(services, Request(body=body, caller=AUDITOR))
    assert answer.status == 202
    name: str = msgspec.json.decode(answer.body)["id"]
    return name


async def collected(services: FakeServices, order: str, attempt: int = 1) -> None:
    message = Message(subject="collect", body=order, message_id="m", attempt=attempt)
    await collect(services, message)


async def handed(services: FakeServices, order: str) -> Answer:
    return await hand_out(services, Request(path={"id": order}, caller=AUDITOR))


async def bundle(services: FakeServices, **asked: Any) -> bytes:
    order = await ordered(services, **asked)
    await collected(services, order)
    answer = await handed(services, order)
    assert (answer.status, answer.content_type) == (200, "application/zip")
    return answer.body


def unpacked(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder


def verified(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own program as an auditor does."""
    command = [sys.executable, "-I", str(folder / "verify.py"), "--key", key]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


async def fingerprint(services: FakeServices) -> str:
    return fingerprint_of(await services.signer.public_key())


async def test_a_bundle_of_an_incident_proves_itself_offline(
    services: FakeServices, tmp_path: Path
) -> None:
    await sealed(services)
    folder = unpacked(await bundle(services), tmp_path)

    ran = verified(folder, await fingerprint(services))

    assert (ran.returncode, ran.stdout[:12]) == (0, "ok: 2 events"), ran.stdout + ran.stderr
    assert verified(folder, "0" * 64).returncode == 1


@pytest.mark.parametrize("name", ["events.jsonl", "controls.json", "index.html", "seals.jsonl"])
async def test_one_changed_byte_is_found(services: FakeServices, tmp_path: Path, name: str) -> None:
    await sealed(services)
    folder = unpacked(await bundle(services), tmp_path)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)

    ran = verified(folder, await fingerprint(services))

    assert ran.returncode == 1
    assert ran.stdout.startswith("BAD:")


async def test_it_has_everything_that_an_auditor_reads(services: FakeServices) -> None:
    await diagnosed(services)
    await sealed(services)
    with zipfile.ZipFile(io.BytesIO(await bundle(services))) as archive:
        names = set(archive.namelist())
        controls = msgspec.json.decode(archive.read("controls.json"))["controls"]
        timeline = archive.read("timeline.jsonl").decode()
        page = archive.read("index.html").decode()
        (found,) = archive.read("diagnostics.jsonl").splitlines()

    wanted = {"approvals", "changes", "notifications", "plans", "cards", "ledger", "seals"}
    assert {f"{name}.jsonl" for name in wanted} | {"manifest.sig", "verify.py"} <= names
    assert "queries/onset.kql" in names
    assert set(msgspec.json.decode(found)["queries"]) >= {"onset", "slices"}
    assert {control["result"] for control in controls} <= {"pass", "n/a"}
    assert "wrote a note of 19 characters" in timeline
    assert "wrote a note of 19 characters" in page
    assert INCIDENT.id in page


async def test_the_same_records_make_the_same_bytes(services: FakeServices) -> None:
    await sealed(services)
    first = await bundle(services)
    services.outside.now += timedelta(days=1)
    await record(services, services.bus.published["changes"])  # the export itself was recorded
    await sealed(services)

    assert await bundle(services) == first


async def test_what_is_not_sealed_yet_waits_for_the_next_seal(services: FakeServices) -> None:
    order = await ordered(services)
    with pytest.raises(Unavailable, match="sealed"):
        await collected(services, order)
    waiting = await handed(services, order)
    assert waiting.status == 202
    assert msgspec.json.decode(waiting.body)["state"] == "waiting"

    await sealed(services)
    await note(services, "one more, behind the seal")
    late = await ordered(services)
    await note(services, "one more, behind the order")
    with pytest.raises(Unavailable, match="not sealed yet"):
        await collected(services, late)
    await collected(services, order)

    assert (await handed(services, order)).status == 200
    assert (await handed(services, late)).status == 202


async def test_an_order_that_can_never_be_collected_fails_in_the_end(
    services: FakeServices,
) -> None:
    order = await ordered(services)
    await collected(services, order, attempt=TRIES)

    said = msgspec.json.decode((await handed(services, order)).body)
    assert (said["state"], "nothing is sealed yet" in said["detail"]) == ("failed", True)


async def test_others_events_are_in_it_as_hashes_only(services: FakeServices) -> None:
    await sealed(services)
    since, until = services.now() - timedelta(hours=3), services.now() - timedelta(hours=2)
    data = await bundle(services, since=since, until=until)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("events.jsonl") == b""
        assert len(archive.read("ledger.jsonl").splitlines()) == 2
        assert not any(b"of 19 characters" in archive.read(name) for name in archive.namelist())


async def test_records_that_were_touched_are_handed_out_and_said_to_be(
    services: FakeServices, tmp_path: Path
) -> None:
    await sealed(services)
    partition = next(name for name in services.ledger.partitions() if name[0].isdigit())
    (first, *_) = services.ledger.rows(partition, "seq|")
    row = services.ledger.peek(partition, first, LedgerRow)
    body = row.body.replace("wrote a note", "wrote a book")
    edited = msgspec.structs.replace(row, body=body)
    await services.ledger.write(partition, [Put(row=first, value=edited)])
    folder = unpacked(await bundle(services), tmp_path)

    controls = msgspec.json.decode((folder / "controls.json").read_bytes())["controls"]
    (protected,) = (one for one in controls if one["id"] == "nist-au-9")
    assert protected["result"] == "fail"
    assert verified(folder, await fingerprint(services)).returncode == 1


async def test_an_order_and_its_export_are_in_the_ledger_with_who_asked(
    services: FakeServices,
) -> None:
    await sealed(services)
    await bundle(services)

    told = {m.subject: msgspec.json.decode(m.body) for m in services.bus.published["changes"]}
    assert set(told) == {"evidence.ordered", "evidence.exported"}
    for event in told.values():
        assert (event["actor"], event["role"]) == (AUDITOR.id, "Auditor")
        assert INCIDENT.id in event["what"]
    assert told["evidence.exported"]["evidence"]["events"] == 2


async def test_a_repeated_command_changes_nothing(services: FakeServices) -> None:
    await sealed(services)
    order = await ordered(services)
    await collected(services, order)
    services.bus.published["changes"].clear()
    await collected(services, order)
    assert services.bus.published["changes"] == []


async def test_whatever_is_recorded_between_two_tries_the_ledger_names_what_is_handed_out(
    services: FakeServices,
) -> None:
    await sealed(services)
    order = await ordered(services)
    services.outside.turns.once("blobs.created", die)
    with contextlib.suppress(Killed):
        await collected(services, order)
    await note(services, "this came in between")
    await sealed(services)

    await collected(services, order)

    await names_what_is_handed_out(services, order)


async def test_of_two_that_collect_at_once_one_counts(services: FakeServices) -> None:
    await sealed(services)
    order = await ordered(services)

    async def overtakes() -> None:
        await note(services, "this came in between")
        await sealed(services)
        await collected(services.another("two"), order)

    services.outside.turns.once("blobs.create", overtakes)
    await collected(services, order)

    await names_what_is_handed_out(services, order)


async def test_who_gives_up_late_takes_nothing_back(services: FakeServices) -> None:
    await sealed(services)
    order = await ordered(services)

    async def overtakes() -> None:
        await collected(services.another("two"), order)
        raise Unavailable("blobs", "the account does not answer")

    services.outside.turns.once("blobs.create", overtakes)
    await collected(services, order, attempt=TRIES)

    await names_what_is_handed_out(services, order)


async def names_what_is_handed_out(services: FakeServices, order: str) -> None:
    """One event tells of the export, with the digest of the very bytes that are handed out."""
    answer = await handed(services, order)
    (told,) = [m for m in services.bus.published["changes"] if m.subject == "evidence.exported"]
    digest = sha256(answer.body).hexdigest()
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        events = msgspec.json.decode(archive.read("manifest.json"))["events"]
    event = msgspec.json.decode(told.body)
    assert (event["after"]["sha256"], event["evidence"]["events"]) == (digest, events)
    assert answer.headers["ETag"] == f'"{digest}"'


async def test_orders_are_listed_newest_first(services: FakeServices) -> None:
    first = await ordered(services)
    services.outside.now += timedelta(minutes=1)
    second = await ordered(services)

    answer = await show_orders(services, Request(caller=AUDITOR))

    listed = msgspec.json.decode(answer.body)["evidence"]
    assert [one["id"] for one in listed] == [second, first]
    assert listed[0]["about"] == f"incident {INCIDENT.id}"


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "2026-11-01T00:00:00Z"},
        {"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"},
        {"since": "2024-11-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"},
        {"since": "2026-11-01T00:00:00Z", "until": "2999-11-01T00:00:00Z"},
        {"since": "2026-11-01T00:00:00", "until": "2026-11-02T00:00:00"},
        {"incident": "INC-07", "since": "2026-11-01T00:00:00Z"},
        {"incident": "no such thing"},
    ],
)
async def test_a_scope_that_is_none_is_refused(services: FakeServices, asked: object) -> None:
    body = msgspec.json.encode(asked)
    with pytest.raises(RejectedInput):
        await order_evidence(services, Request(body=body, caller=AUDITOR))


async def test_nothing_is_ordered_about_an_incident_that_is_not_there(
    services: FakeServices,
) -> None:
    with pytest.raises(NotFound):
        await ordered(services, incident="INC-07-261123-FFFFFFFF")
    for name in ("EV-1", "EV-20261123T090000Z-AAAAAAAA", "EV-99999999T999999Z-AAAAAAAA"):
        with pytest.raises(NotFound):
            await handed(services, name)
