"""The bundle: the same for the same scope, what its events vouch for, and in little memory."""

import base64
import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from itertools import batched
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from responders.alert.enforce import enforce
from shared.domain.evidence.order import new_order
from shared.domain.incidents.incident import tell_opening
from shared.domain.incidents.steps import resolve
from shared.domain.ledger.chain import MAX_EVENTS
from shared.domain.ledger.export import Scope
from shared.domain.ledger.record import moment, partition_of
from shared.errors import Unavailable
from shared.evidence import verify
from shared.protocol.evidence.bundle import make_bundle
from shared.protocol.evidence.ledger import PAGE, append_events
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices
from tests.fakes.scene import (
    INCIDENT,
    incident_now,
    intent_now,
    message,
    new_services,
    store_case,
)
from tests.responders.evidence.test_order import (
    AUDITOR,
    bundle,
    collected,
    fingerprint,
    handed,
    note,
    ordered,
    recorded,
    sealed,
    unpacked,
    verified,
)


@pytest.fixture
async def services() -> FakeServices:
    """An incident that is diagnosed, with one event of it in the ledger."""
    made = new_services()
    await store_case(made)
    await note(made, "the index was moved")
    return made


async def signed_again(services: FakeServices, folder: Path) -> None:
    """Whoever may sign signs the bundle anew, as it lies there now."""
    said = msgspec.json.decode((folder / "manifest.json").read_bytes())
    said["files"] = {
        name: sha256((folder / name).read_bytes()).hexdigest() for name in said["files"]
    }
    data = msgspec.json.encode(said)
    (folder / "manifest.json").write_bytes(data)
    signature = base64.b64encode(await services.signer.sign(data))
    (folder / "manifest.sig").write_bytes(signature + b"\n")


FALSE_PAPERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "another deed": ("timeline.jsonl", lambda data: data.replace(b"roll back", b"stand still")),
    "a line too few": ("timeline.jsonl", lambda data: data.partition(b"\n")[2]),
    "a line too many": ("approvals.jsonl", lambda data: data + data.splitlines(keepends=True)[0]),
    "other traffic": ("changes.jsonl", lambda data: data.replace(b'"v1":100', b'"v1":99')),
    "another plan": ("plans.jsonl", lambda data: data.replace(b'"good":"v1"', b'"good":"v9"')),
    "another hash": (
        "plans.jsonl",
        lambda data: re.sub(rb'"plan_hash":"..', b'"plan_hash":"00', data),
    ),
}


@pytest.mark.parametrize("name", FALSE_PAPERS)
async def test_papers_that_say_something_else_than_the_events_are_found_whoever_signs_them(
    services: FakeServices, tmp_path: Path, name: str
) -> None:
    await enforce(services, message("enforce"))
    await recorded(services)
    await sealed(services)
    folder, key = unpacked(await bundle(services), tmp_path), await fingerprint(services)
    await signed_again(services, folder)
    assert verified(folder, key).returncode == 0
    paper, change = FALSE_PAPERS[name]
    before = (folder / paper).read_bytes()
    assert change(before) != before
    (folder / paper).write_bytes(change(before))
    await signed_again(services, folder)

    ran = verified(folder, key)

    assert (ran.returncode, ran.stdout.split(":")[:2]) == (1, ["BAD", f" {paper}"]), ran.stdout


async def test_a_period_makes_the_same_bytes_whatever_happens_after_it(
    services: FakeServices,
) -> None:
    await enforce(services, message("enforce"))
    await recorded(services)
    services.outside.now += timedelta(seconds=30)
    period = {"since": services.now() - timedelta(hours=1), "until": services.now()}
    order = await ordered(services, **period)
    await recorded(services)
    await sealed(services)
    await collected(services, order)
    first = (await handed(services, order)).body

    await store_case(services, sequence=9, automatic_rollbacks=1)
    await enforce(services, message("enforce"))
    await recorded(services)
    await sealed(services)

    assert await bundle(services, **period) == first


async def test_a_period_waits_for_a_seal_that_is_younger_than_its_end(
    services: FakeServices,
) -> None:
    await sealed(services)
    services.outside.now += timedelta(seconds=30)
    period = {"since": services.now() - timedelta(hours=1), "until": services.now()}
    order = await ordered(services, **period)
    with pytest.raises(Unavailable, match="the end of the period is not sealed yet"):
        await collected(services, order)

    await recorded(services)  # what was ordered is told, so there is something to seal
    await sealed(services)
    await collected(services, order)

    assert (await handed(services, order)).status == 200


async def test_the_plan_that_was_carried_out_is_in_it_whatever_was_decided_later(
    services: FakeServices,
) -> None:
    await enforce(services, message("enforce"))
    plan = (await incident_now(services)).plan
    intended = (await intent_now(services, plan)).plan
    await store_case(services, sequence=9, automatic_rollbacks=1)
    await enforce(services, message("enforce"))
    await recorded(services)
    await sealed(services)

    with zipfile.ZipFile(io.BytesIO(await bundle(services))) as archive:
        plans = [msgspec.json.decode(line) for line in archive.read("plans.jsonl").splitlines()]

    assert [one["plan_hash"] for one in plans] == [intended.hash, ""]
    assert plans[0]["decision"]["plan"]["id"] == plan
    assert plans[0]["event"].startswith(f"{INCIDENT.id}-")


async def test_what_an_earlier_key_sealed_is_proven_under_both_keys(
    services: FakeServices, tmp_path: Path
) -> None:
    await sealed(services)
    before = await fingerprint(services)
    services.signer.whose = "the key of this year"
    folder = unpacked(await bundle(services), tmp_path)

    after = await fingerprint(services)
    assert verify.check(folder, {before, after}).startswith("1 events")
    for one in (before, after):
        with pytest.raises(verify.Bad, match="signed with another key"):
            verify.check(folder, {one})


async def test_what_an_alert_or_a_person_wrote_stays_text_on_the_page(
    services: FakeServices,
) -> None:
    said = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"
    take = lambda i: Revision(  # noqa: E731
        step=resolve(i, who=AUDITOR.id, role="Commander", why=said, now=services.now())
    )
    await revise(services, INCIDENT.id, take)
    await recorded(services)
    await sealed(services)

    with zipfile.ZipFile(io.BytesIO(await bundle(services))) as archive:
        page, names = archive.read("index.html").decode(), archive.namelist()

    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page
    assert all(not name.startswith("/") and ".." not in name for name in names)


async def peak_of_a_bundle(events: int) -> int:
    """The most bytes that a bundle of so many events of as many incidents had in memory."""
    services = new_services(seal_every_s=0.0)
    step = tell_opening(INCIDENT, "customers wait", happened_at=INCIDENT.opened_at)
    for some in batched(range(events), MAX_EVENTS, strict=False):
        told = [
            replace(
                step.events[0], id=f"INC-35-261123-{n:08X}-0001", incident=f"INC-35-261123-{n:08X}"
            )
            for n in some
        ]
        await append_events(services, partition_of(told[0]), told)
    for _ in range(events // PAGE + 1):
        await sealed(services)
    since = INCIDENT.opened_at - timedelta(days=1)
    order = new_order(Scope(since=moment(since)), AUDITOR.id, "Auditor", services.now())

    async def unheard(_: int, __: int) -> None:
        return None

    tracemalloc.start()
    made = await make_bundle(services, order, unheard)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (made.events, made.problem) == (events, "")
    return peak


async def test_a_hundred_thousand_events_stay_under_200_mb() -> None:
    few, many = await peak_of_a_bundle(500), await peak_of_a_bundle(2_500)
    assert (many - few) / 2_000 * 100_000 < 200e6
