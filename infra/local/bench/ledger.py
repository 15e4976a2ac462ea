"""The ledger: records appended and verified a second of processor time, and the memory it takes.

A hundred thousand events of one partition, sealed every 500, as a bundle in a folder. Two processes
of their own verify it: the product's verification, and `verify.py` as an auditor runs it.
"""

import base64
import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from infra.local.bench.figure import Figure, NotMeasured, Result, Run
from infra.local.world import ROOT
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.ledger.chain import MAX_EVENTS, Head, append
from shared.domain.ledger.export import Scope, manifest, record_lines, seal_line
from shared.domain.ledger.record import LedgerRow, partition_of
from shared.domain.ledger.rsa import fingerprint_of
from shared.domain.ledger.seal import Seal, state
from shared.domain.ledger.whole import LedgerCheck
from shared.evidence import verify

EVENTS, QUICK_EVENTS = 100_000, 1_000
SEALED_EVERY = 500
MOST_MB = 200.0
# The high-water mark of its own memory: what a parent asks for begins with the parent's.
PROGRAM = """
import pathlib, runpy, sys
sys.argv = sys.argv[1:]
code = 0
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
print(pathlib.Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
sys.exit(code)
"""
PARTS = ("ledger.jsonl", "events.jsonl", "seals.jsonl")


class Verified(msgspec.Struct, frozen=True):
    """What a process that verified took."""

    took_s: float
    peak_mb: float


def measure(run: Run) -> Result:
    """Append, seal, export and verify. Raises NotMeasured where a verification fails."""
    count = run.count(EVENTS, QUICK_EVENTS)
    run.folder.mkdir(parents=True, exist_ok=True)
    run.say(f"appending {count:,} events")
    appended_s, key = _write(run.folder, count)
    run.say("verifying")
    product = _run("-c", __file__, str(run.folder), key)
    auditor = _run("-Ic", verify.__file__, "--key", key, "--folder", str(run.folder))
    return Result(
        title="The ledger",
        figures=(
            Figure(name="events appended", value=count / appended_s, unit="/s"),
            Figure(name="events verified", value=count / product.took_s, unit="/s"),
            _weight(f"peak of verifying {count:,} events", product),
            Figure(name="events verified by verify.py", value=count / auditor.took_s, unit="/s"),
            _weight("peak of verify.py", auditor),
        ),
    )


def _weight(name: str, verified: Verified) -> Figure:
    return Figure(name=name, value=verified.peak_mb, unit="MB", at_most=MOST_MB)


def _run(how: str, program: str, *arguments: str) -> Verified:
    """Run a file to its end in a process of its own."""
    began = _spent_by_children()
    command = [sys.executable, how, PROGRAM, program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise NotMeasured(f"the ledger does not verify: {done.stdout}{done.stderr}")
    took = _spent_by_children() - began
    return Verified(took_s=took, peak_mb=int(done.stdout.split()[-1]) / 1024)


def _spent_by_children() -> float:
    """Processor seconds of all children that have ended: others' work does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write(folder: Path, count: int) -> tuple[float, str]:
    """Write a bundle of so many events; the seconds that appending took, and the key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    spent, head, seal = 0.0, None, None
    with (
        (folder / PARTS[0]).open("wb") as ledger,
        (folder / PARTS[1]).open("wb") as events,
        (folder / PARTS[2]).open("wb") as seals,
    ):
        for batch in batched(range(count), MAX_EVENTS, strict=False):
            told = [_event(number) for number in batch]
            began = time.process_time()
            head, rows = append(head, told, partition_of(told[0]))
            spent += time.process_time() - began
            for line in record_lines(rows, head, Scope()):
                ledger.write(line.ledger)
                events.write(line.event)
            if head.sequence % SEALED_EVERY < MAX_EVENTS or head.sequence == count:
                seal = _seal(key, seal, head)
                seals.write(seal_line(seal))
    assert seal is not None
    _sign(folder, key, seal, count)
    return spent, seal.statement.key


def _event(number: int) -> ChangeEvent:
    at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=number)
    return ChangeEvent(
        id=f"INC-07-261123-0A1B2C3D-{number:06d}",
        kind=EventKind.DIAGNOSED,
        service="bench",
        incident="INC-07-261123-0A1B2C3D",
        sequence=number,
        actor="backstop",
        what="swedencentral fails since v2 took traffic",
        why="breached; cause: version",
        happened_at=at,
        recorded_at=datetime(2026, 11, 23, tzinfo=UTC) + timedelta(milliseconds=number),
        before={"state": "opened"},
        after={"state": "diagnosed"},
        evidence={"requests": 2700, "bad_requests": 56, "unanswered": []},
    )


def _public(key: rsa.RSAPrivateKey) -> bytes:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, spki)


def _signature(key: rsa.RSAPrivateKey, message: bytes) -> bytes:
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256()))


def _seal(key: rsa.RSAPrivateKey, last: Seal | None, head: Head) -> Seal:
    public = _public(key)
    statement = state(last, [head], fingerprint_of(public), datetime.now(UTC))
    return Seal(
        statement=statement,
        signature=_signature(key, statement.signed_bytes()).decode(),
        public_key=base64.b64encode(public).decode(),
        heads=(head,),
    )


def _sign(folder: Path, key: rsa.RSAPrivateKey, seal: Seal, count: int) -> None:
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in PARTS}
    said = manifest(Scope(), seal=seal, events=count, files=files, key=_public(key))
    (folder / "manifest.json").write_bytes(said)
    (folder / "manifest.sig").write_bytes(_signature(key, said))


def main(folder: Path, key: str) -> int:
    """Verify what lies in a folder, as the product does with what it reads from the tables."""
    check = LedgerCheck([key])
    with (folder / PARTS[2]).open("rb") as seals:
        for line in seals:
            check.take_seal(msgspec.json.decode(line, type=Seal))
    assert check.last is not None
    head = check.last.heads[0]
    begun = check.begin(head.partition, head)
    for row in _rows(folder):
        begun.take(row)
    check.conclude(head.partition, begun)
    print(json.dumps(msgspec.to_builtins(check.end())))
    return 0 if check.end().ok else 1


def _rows(folder: Path) -> Iterator[LedgerRow]:
    with (folder / PARTS[0]).open("rb") as ledger, (folder / PARTS[1]).open("rb") as events:
        for line, body in zip(ledger, events, strict=True):
            row = msgspec.json.decode(line, type=LedgerRow)
            yield msgspec.structs.replace(row, body=body[:-1].decode())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
