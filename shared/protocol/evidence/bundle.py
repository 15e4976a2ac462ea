"""Bundle: everything about an incident or a period in one file, which proves itself offline.

Executor only: it reads seals and signs. The parts are told in `shared.evidence.verify`, which goes
into every bundle and is run on it here first, so that nobody is handed what does not verify without
being told. The same records make the same bytes, whoever asks and when.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched
from pathlib import Path
from typing import Any

import msgspec

from shared.adapters import queries
from shared.adapters.bundle_file import BundleFile
from shared.domain.decisions.decision import Decision
from shared.domain.diagnosis.diagnosis import Diagnosis
from shared.domain.evidence.control import Ground
from shared.domain.evidence.controls import judge_all
from shared.domain.evidence.order import Order
from shared.domain.evidence.papers import (
    CARDS,
    CONTROLS,
    DIAGNOSTICS,
    PAPERS,
    PLANS,
    diagnostics_line,
    line,
    plan_line,
)
from shared.domain.evidence.scope import sentence_of
from shared.domain.keys import shard_of_incident
from shared.domain.ledger.export import Scope, manifest, seal_line
from shared.domain.ledger.record import moment
from shared.domain.ledger.seal import Seal
from shared.errors import Unavailable
from shared.evidence import verify
from shared.protocol.evidence.gathering import (
    DECISION,
    DIAGNOSIS,
    EVENTS,
    LEDGER,
    Gathered,
    Report,
    gather,
)
from shared.protocol.evidence.seals import newest_seal, read_seal
from shared.protocol.leftovers import Effect
from shared.protocol.revise import told_row
from shared.services import Services

SEALS = "seals.jsonl"
LANES = 16


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that is made. `problem` is what does not verify, "" where everything does."""

    data: bytes
    events: int
    records: int
    key: str
    problem: str


async def make_bundle(services: Services, order: Order, report: Report) -> Bundle:
    """Collect, judge, verify, sign and pack. Raises Unavailable: the order waits and goes on."""
    newest, scope = await newest_seal(services), order.scope
    if newest is None:
        raise Unavailable("seal", "nothing is sealed yet", services.settings.seal_every_s)
    if newest.statement.at < scope.until:
        wait = services.settings.seal_every_s
        raise Unavailable("seal", "the end of the period is not sealed yet", wait)
    with BundleFile() as file:
        for name in (LEDGER, EVENTS, *PAPERS):
            file.add(name, b"")
        found = await gather(services, order, newest, file, report)
        seal = await _covering(services, scope, newest, found.last)
        _cut(file, seal)
        file.add(SEALS, seal_line(seal))
        await _add_state(services, file, scope, found)
        problem = await asyncio.to_thread(_verified, file, scope, seal.statement.key)
        _judge(services, file, scope, seal, found, problem)
        await _sign(services, file, scope, seal, found.trail.events)
        data = await asyncio.to_thread(file.pack)
    return Bundle(
        data=data,
        events=found.trail.events,
        records=found.records,
        key=seal.statement.key,
        problem=problem,
    )


async def _covering(services: Services, scope: Scope, newest: Seal, last: dict[str, int]) -> Seal:
    """The first seal that covers all of it and was made behind the period: always the same one."""

    def covers(seal: Seal) -> bool:
        at = {head.partition: head.sequence for head in seal.heads}
        late_enough = seal.statement.at >= scope.until
        return late_enough and all(at.get(name, 0) >= sequence for name, sequence in last.items())

    low, high, best = 0, newest.statement.number, newest
    while high - low > 1:
        middle = (low + high) // 2
        seal = await read_seal(services, middle)
        if seal is not None and covers(seal):
            high, best = middle, seal
        else:
            low = middle
    return best


def _cut(file: BundleFile, seal: Seal) -> None:
    """Leave what the seal covers: records that came later are another bundle's."""
    heads = {head.partition: head.sequence for head in seal.heads}

    def is_covered(record: bytes) -> bool:
        said = msgspec.json.decode(record, type=_Place)
        return said.sequence <= heads.get(said.partition, 0)

    file.keep_lines(LEDGER, is_covered)


class _Place(msgspec.Struct, frozen=True):
    partition: str
    sequence: int


async def _add_state(services: Services, file: BundleFile, scope: Scope, found: Gathered) -> None:
    """What the events in scope tell of: decisions with plans, diagnoses with queries, and cards."""
    shipped = {name: queries.load(name).text for name in queries.names()}
    for name, text in shipped.items():
        file.add(f"queries/{name}.kql", text.encode())
    hashes = {name: sha256(text.encode()).hexdigest() for name, text in shipped.items()}
    async for event, decision in _told(services, found, DECISION, Decision):
        file.add(PLANS, plan_line(event, decision))
    async for event, diagnosis in _told(services, found, DIAGNOSIS, Diagnosis):
        file.add(DIAGNOSTICS, diagnostics_line(event, diagnosis, hashes))
    for some in batched(sorted(found.incidents), LANES, strict=False):
        for cards in await asyncio.gather(*(_cards(services, scope, one) for one in some)):
            for card in cards:
                file.add(CARDS, line(card))


async def _told[T: msgspec.Struct](
    services: Services, found: Gathered, name: str, kind: type[T]
) -> AsyncIterator[tuple[str, T]]:
    """What was kept beside those events, in their order."""
    for some in batched(found.told[name], LANES, strict=False):
        reads = (
            services.state.read(shard_of_incident(event.rpartition("-")[0]), row, kind)
            for event, row in ((event, told_row(name, event)) for event in some)
        )
        for event, stored in zip(some, await asyncio.gather(*reads), strict=True):
            if stored is not None:
                yield event, stored.value


async def _cards(services: Services, scope: Scope, incident: str) -> list[Effect]:
    """The cards and pages of an incident that were begun in the scope, and are done."""
    shard = shard_of_incident(incident)
    rows = await services.state.scan(shard, f"effect|{incident}|", Effect)
    every = (row.value for row in rows if row.value.done_at is not None)
    return [one for one in every if scope.takes_moment(moment(one.claimed_at))]


def _verified(file: BundleFile, scope: Scope, key: str) -> str:
    """What `verify.py` finds wrong with records and seals; "" for nothing."""
    file.flush()
    try:
        last, vouched = verify.read_seals(file.folder / SEALS, {key})
        verify.check_records(file.folder, msgspec.to_builtins(scope), last, vouched)
        verify.check_papers(file.folder)
    except verify.Bad as bad:
        return str(bad)
    return ""


def _judge(
    services: Services,
    file: BundleFile,
    scope: Scope,
    seal: Seal,
    found: Gathered,
    problem: str,
) -> None:
    """The controls, the page that people read, and the program that checks it all."""
    statement, days = seal.statement, services.settings.retention_days
    ground = Ground(
        as_of=datetime.fromisoformat(scope.until or statement.at),
        ledger_ok=not problem,
        ledger_problem=problem,
        seals=statement.number,
        key=statement.key,
        retention=timedelta(days=min(days.values())),
    )
    judged = [_answer(control, answer) for control, answer in judge_all(found.trail, ground)]
    pretty = msgspec.json.format(msgspec.json.encode({"controls": judged}), indent=2)
    file.add(CONTROLS, pretty + b"\n")
    page = services.pages.answer(
        "index.html",
        about=sentence_of(scope),
        seal=statement,
        trail=found.trail,
        controls=judged,
        timeline=found.shown,
    )
    file.add("index.html", page.body)
    file.add("verify.py", Path(verify.__file__).read_bytes())


def _answer(control: Any, answer: Any) -> dict[str, Any]:  # noqa: ANN401 - two structs as one
    said = {"id": control.id, "clause": control.clause, "asks": control.asks}
    return {**said, **msgspec.to_builtins(answer)}


async def _sign(
    services: Services, file: BundleFile, scope: Scope, seal: Seal, events: int
) -> None:
    """The manifest over all parts, signed by the key of today: the seal's may be an earlier one."""
    key = await services.signer.public_key()
    data = manifest(scope, seal=seal, events=events, files=file.digests(), key=key)
    signature = await services.signer.sign(data)
    file.add("manifest.json", data)
    file.add("manifest.sig", base64.b64encode(signature) + b"\n")
