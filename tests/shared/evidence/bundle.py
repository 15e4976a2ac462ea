"""Bundles of a small ledger in a folder, as evidence is exported."""

import base64
import hashlib
from pathlib import Path

from shared.domain.ledger.export import Lines, Scope, manifest, record_lines, seal_line
from shared.evidence import verify
from tests.fakes.signer import public_key_of, sign_as
from tests.shared.domain.ledger.sealed_ledger import Ledger

VERIFY = Path(verify.__file__)
EVERYTHING = Scope()


def lines_of(ledger: Ledger, scope: Scope = EVERYTHING) -> list[Lines]:
    """The lines of all partitions that are in scope, or tell of a purge of one that is."""
    heads = {head.partition: head for head in ledger.seals[-1].heads}
    wanted = {name for name in ledger.rows if name in heads and scope.takes_partition(name)}
    told = {row.purged.partition("/")[0] for name in wanted for row in ledger.rows[name]}
    return [
        line
        for name in sorted(wanted | told - {""})
        for line in record_lines(ledger.rows[name], heads[name], scope)
    ]


def write_bundle(
    folder: Path,
    ledger: Ledger,
    scope: Scope = EVERYTHING,
    *,
    whose: str = "backstop",
    signed_as: str = "",
) -> Path:
    """Write all parts, with the manifest signed by somebody's key."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = lines_of(ledger, scope)
    parts = {
        "ledger.jsonl": b"".join(line.ledger for line in lines),
        "events.jsonl": b"".join(line.event for line in lines),
        "seals.jsonl": b"".join(map(seal_line, ledger.seals)),
        "verify.py": VERIFY.read_bytes(),
        "report/index.html": b"<p>What happened.</p>",
    }
    for name, data in parts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    sign(folder, ledger, scope, whose=whose, signed_as=signed_as)
    return folder


def sign(
    folder: Path, ledger: Ledger, scope: Scope, *, whose: str = "backstop", signed_as: str = ""
) -> None:
    """Write and sign the manifest of what lies in a folder, as `signed_as` where that is a lie."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("manifest.")
    }
    events = (folder / "events.jsonl").read_bytes().count(b"\n")
    key = public_key_of(signed_as or whose)
    said = manifest(scope, seal=ledger.seals[-1], events=events, files=files, key=key)
    (folder / "manifest.json").write_bytes(said)
    (folder / "manifest.sig").write_bytes(base64.b64encode(sign_as(whose, said)))
