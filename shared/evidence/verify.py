"""Checks an evidence bundle offline, with Python 3.9 or later and nothing else.

    python3 -I verify.py --key FINGERPRINT [--key ANOTHER]

It trusts nothing in the bundle: the fingerprint of the signing key comes from outside. Prints what
was found and exits 0, or names the first bad record and exits 1. The files beside it are UTF-8,
with one JSON document a line in those that end in .jsonl:

seals.jsonl    seals with consecutive numbers. `statement` is what is signed, as JSON with sorted
               members and no blanks: at, format ("backstop-seal/1"), key (SHA-256 of the public
               key's DER), number, previous (SHA-256 of the statement before; of the very first, 64
               zeros), root, size. `heads` are partition, sequence and hash of every chain, sorted
               by partition; `root` is the RFC 6962 tree over "PARTITION SEQUENCE HASH" of each.
               `signature` is RS256, `public_key` the DER; both in base64.
ledger.jsonl   records without bodies, by partition and sequence: of every partition in it all
               records from 1 to the head of the last seal. `hash` is SHA-256 over version,
               previous_hash, partition, sequence, event_id, kind, recorded_at and body_hash, each
               as UTF-8 behind its length in 8 bytes; `body_hash` is the SHA-256 of the event.
               `purged` names the record that tells that the body was removed, else it is "".
events.jsonl   the events, byte for byte as they were recorded (RFC 8785), in the order of their
               records: all that are in scope and not purged, and all purges of ledger.jsonl.
timeline.jsonl, approvals.jsonl, changes.jsonl, notifications.jsonl  what people read of the events:
               each line names its `event` and says nothing else than that; the timeline has all.
plans.jsonl    decisions: `plan_hash` is the SHA-256 of the plan, its first 32 digits, and that of
               the `event` which the line names.
manifest.json  `format` ("backstop-evidence/1"); `scope`: {"incident": ID}, or {"since": T,
               "until": T} (recorded then; until is not in it), or {} for everything; `events` and
               `seal`: how many events there are, and the number of the last seal; `public_key`: the
               DER of who signed it, in base64; `files`: the SHA-256 by name of every other file.
manifest.sig   the RS256 signature of manifest.json's bytes by that key, in base64.
"""

# ruff: noqa: T201, PLR2004, UP017, FURB162 - a program of its own, for old versions of Python

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

GENESIS = "0" * 64
NAMES = ("partition", "sequence", "event_id", "kind", "recorded_at", "body_hash")
COLUMNS = ("version", "previous_hash", *NAMES)
PURGED = "ledger.purged"
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
RSA = bytes.fromhex("300d06092a864886f70d0101010500")
ORDER, LINK = "the record is out of order", "the record does not follow the one before it"
ANEW = "the chain was made anew from this record on, or later"

Json = dict[str, Any]


UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class Bad(Exception):
    """Something is not as it was recorded; the message names it."""


def sha256(data: bytes) -> str:
    """The digest in hex."""
    return hashlib.sha256(data).hexdigest()


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, one at a time, without their ends."""
    with path.open("rb") as file:
        for line in file:
            yield line[:-1] if line.endswith(b"\n") else line


def documents(path: Path) -> Iterator[Json]:
    """The lines of a file as JSON objects."""
    for number, line in enumerate(lines(path), 1):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Bad(f"{path.name} line {number} is no JSON object")
        yield found


# --- signatures -------------------------------------------------------------------------------


def element(tag: int, data: bytes) -> tuple[bytes, bytes]:
    """The content of a DER element, and what follows it."""
    size, start = data[1], 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(data[2:start], "big")
    if data[0] != tag or start + size > len(data):
        raise ValueError("not the DER of an RSA key")
    return data[start : start + size], data[start + size :]


def rsa_numbers(der: bytes) -> tuple[int, int]:
    """Modulus and exponent of a SubjectPublicKeyInfo."""
    whole, rest = element(0x30, der)
    if rest or not whole.startswith(RSA):
        raise ValueError("not the DER of an RSA key")
    numbers, _ = element(0x30, element(0x03, whole[len(RSA) :])[0][1:])
    modulus, rest = element(0x02, numbers)
    exponent, _ = element(0x02, rest)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def exact(text: str) -> bytes:
    """The bytes of base64 that is written in the one right way. Raises ValueError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("there are bits left over")
    return data


def is_signed(public_key: str, message: bytes, signature: str) -> bool:
    """Whether the key (DER, base64) signed the message with RS256."""
    try:
        modulus, exponent = rsa_numbers(exact(public_key))
        signed = exact(signature)
    except (ValueError, IndexError):
        return False
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signed, "big")
    if modulus.bit_length() < 2048 or len(signed) != size or number >= modulus:
        return False
    tail = DIGEST_INFO + hashlib.sha256(message).digest()
    padded = b"\0\1" + b"\xff" * (size - len(tail) - 3) + b"\0" + tail
    return pow(number, exponent, modulus) == int.from_bytes(padded, "big")


# --- seals ------------------------------------------------------------------------------------


def signed_bytes(statement: Json) -> bytes:
    """What a seal's signature is over."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def tree_root(leaves: list[bytes]) -> str:
    """The root of the RFC 6962 tree over leaves, in hex."""
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\1" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + (level[-1:] if len(level) % 2 else [])
    return level[0].hex() if level else sha256(b"")


def seal_problem(seal: Json, last: Json, keys: set[str]) -> str:
    """What is wrong with a seal; the empty string where nothing is."""
    said, before = seal["statement"], last.get("statement")
    der = base64.b64decode(seal["public_key"])
    leaves = [f"{h['partition']} {h['sequence']} {h['hash']}".encode() for h in seal["heads"]]
    if said["key"] not in keys:
        return f"it is signed with another key, {said['key']}"
    if sha256(der) != said["key"]:
        return "the signature is not that of its key"
    if not is_signed(seal["public_key"], signed_bytes(said), seal["signature"]):
        return "the signature is not that of its key"
    if (said["format"], said["size"]) != ("backstop-seal/1", len(leaves)):
        return "its format or its size is wrong"
    if tree_root(leaves) != said["root"]:
        return "its heads were edited"
    first = said["number"] == 1 or before is not None
    linked = sha256(signed_bytes(before)) if before else GENESIS
    if (before and said["number"] != before["number"] + 1) or (
        first and said["previous"] != linked
    ):
        return "it does not follow the seal before it"
    return ""


def read_seals(path: Path, keys: set[str]) -> tuple[Json, dict[str, dict[int, str]]]:
    """The last seal, and by partition the hashes that seals vouch for. Raises Bad."""
    last: Json = {}
    vouched: dict[str, dict[int, str]] = {}
    for number, seal in enumerate(documents(path), 1):
        try:
            problem = seal_problem(seal, last, keys)
            name = f"seal {seal['statement']['number']}"
        except (KeyError, TypeError, ValueError):
            problem, name = "it is no seal", f"{path.name} line {number}"
        if problem:
            raise Bad(f"{name}: {problem}")
        for head in seal["heads"]:
            vouched.setdefault(head["partition"], {})[head["sequence"]] = head["hash"]
        last = seal
    if not last:
        raise Bad(f"{path.name} has no seal: nothing vouches for the records")
    return last, vouched


# --- records ----------------------------------------------------------------------------------


def record_hash(record: Json) -> str:
    """The hash of a record over its columns."""
    columns = [str(record[name]).encode() for name in COLUMNS]
    return sha256(b"".join(len(column).to_bytes(8, "big") + column for column in columns))


def says_the_same(record: Json, body: bytes) -> bool:
    """Whether an event says of itself what its record says."""
    event = json.loads(body)
    at = datetime.fromisoformat(event["recorded_at"].replace("Z", "+00:00"))
    recorded_at = at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said = (event["id"], event["kind"], recorded_at)
    return said == (record["event_id"], record["kind"], record["recorded_at"])


def in_scope(record: Json, scope: Json) -> bool:
    """Whether the event of a record must be there."""
    if record["kind"] == PURGED:
        return True
    if "incident" in scope:
        return bool(record["event_id"].startswith(scope["incident"] + "-"))
    since, until = scope.get("since", ""), scope.get("until", "~")
    return bool(since <= record["recorded_at"] < until)


def partition_in_scope(partition: str, scope: Json) -> bool:
    """Whether the records of a partition must be there."""
    shard, month = partition.split("-")
    if "incident" in scope:
        return bool(shard == scope["incident"].split("-")[1])
    since, until = scope.get("since", ""), scope.get("until", "~")
    return bool(since[:7].replace("-", "") <= month <= until[:7].replace("-", ""))


class Events:
    """The lines of events.jsonl, taken in the order of their records."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._lines = lines(path)
        self._next = next(self._lines, None)

    def take(self, record: Json) -> bytes:
        """The event of a record; nothing where the next event is not this record's."""
        if self._next is None or sha256(self._next) != record["body_hash"]:
            return b""
        found, self._next = self._next, next(self._lines, None)
        self.count += 1
        return found

    def end(self) -> None:
        """Raises Bad where an event is left over."""
        if self._next is not None:
            raise Bad(f"events.jsonl line {self.count + 1}: it is not the event of any record")


class Chain:
    """Takes the records of one partition in their order; `end` raises Bad for the first bad one."""

    def __init__(self, partition: str, vouched: dict[int, str], last: int) -> None:
        self._partition, self._vouched, self._last = partition, vouched, last
        self._sequence, self._hash, self._name = 0, GENESIS, ""
        self._open = ""  # the first good record that no seal has vouched for yet
        self._problem = ""
        self._bad: Json = {}
        self._later: Json = {}
        self._gone = self._leads_on = False
        self._next: Json = {}
        self._right = ""  # the hash that a seal has for the first bad record

    def take(self, record: Json, problem: str) -> None:
        """Look at the next record; `problem` is what is wrong with its body."""
        name = f"{self._partition}/{record['sequence']} {record['event_id']}"
        if self._problem:
            self._see(record)
            return
        self._open = self._open or name
        self._problem = self._wrong(record) or problem
        if self._problem == ANEW:
            self._right = self._vouched[record["sequence"]]
        if self._problem:
            self._bad, self._later = dict(record, name=name), record
            self._gone = record["sequence"] != self._sequence + 1
            self._leads_on = record["hash"] == record_hash(record)
            return
        self._sequence, self._hash, self._name = record["sequence"], record["hash"], name
        if self._sequence in self._vouched:
            self._open = ""

    def end(self) -> int:
        """How many records there are. Raises Bad."""
        if self._problem:
            raise Bad(self._blame())
        if self._sequence < self._last:
            missing = self._last - self._sequence
            where = f"{self._partition}/{self._sequence + 1}"
            raise Bad(f"{where}: cut off: {missing} records are missing")
        return self._sequence

    def _wrong(self, record: Json) -> str:
        sequence = record["sequence"]
        if sequence > self._last:
            return "the record lies beyond the head"
        if sequence != self._sequence + 1:
            return ORDER
        if record["previous_hash"] != self._hash:
            return LINK
        if record["hash"] != record_hash(record):
            return "the record was edited"
        return ANEW if self._vouched.get(sequence, record["hash"]) != record["hash"] else ""

    def _see(self, record: Json) -> None:
        """What follows the first bad record tells which one is to blame."""
        self._gone = self._gone and record["sequence"] != self._sequence + 1
        linked = record["previous_hash"] == self._later["hash"]
        self._leads_on = self._leads_on and linked and record["hash"] == record_hash(record)
        self._next = self._next or record
        self._later = record

    def _blame(self) -> str:
        leads_on = self._leads_on and self._later["hash"] == self._vouched.get(self._last)
        if self._problem == ORDER and self._gone:
            return f"{self._partition}/{self._sequence + 1}: the record is missing"
        if self._problem == LINK and self._name and leads_on:
            return f"{self._name}: the record was replaced"
        if self._bad["sequence"] == self._sequence and self._name and leads_on:
            return f"{self._name}: the record was inserted"
        if self._right and self._next.get("previous_hash") == self._right:
            return f"{self._bad['name']}: the record was replaced"
        if self._right and self._next.get("hash") == self._right:
            return f"{self._bad['name']}: the record was inserted"
        name = self._open if self._problem == ANEW else self._bad["name"]
        return f"{name}: {self._problem}"


class Bodies:
    """Whether each record has the event that it must have; purges are compared at the end."""

    def __init__(self, scope: Json, events: Events) -> None:
        self._scope, self._events = scope, events
        self._purged: list[tuple[str, int, str]] = []
        self._told: dict[str, tuple[str, set[int]]] = {}

    def problem(self, record: Json) -> str:
        """What is wrong with the event of a record; the empty string where nothing is."""
        body = self._events.take(record)
        if not body:
            if record["purged"]:
                self._purged.append((record["partition"], record["sequence"], record["purged"]))
                return ""
            wanted = in_scope(record, self._scope)
            return "its event is missing or was edited" if wanted else ""
        if not says_the_same(record, body):
            return "its event says something else"
        if record["kind"] == PURGED:
            evidence = json.loads(body)["evidence"]
            told = (evidence["partition"], set(evidence["sequences"]))
            self._told[f"{record['partition']}/{record['sequence']}"] = told
        return ""

    def end(self) -> None:
        """Raises Bad where an event is gone of which no purge tells."""
        self._events.end()
        for partition, sequence, name in self._purged:
            of, sequences = self._told.get(name, ("", set()))
            if of != partition or sequence not in sequences:
                raise Bad(f"{partition}/{sequence}: its event is gone, and no purge tells of it")


def check_records(folder: Path, scope: Json, last: Json, vouched: dict[str, dict[int, str]]) -> int:
    """Check all chains and events; answers how many events there are. Raises Bad."""
    heads = {head["partition"]: head["sequence"] for head in last["heads"]}
    events = Events(folder / "events.jsonl")
    bodies = Bodies(scope, events)
    seen: set[str] = set()
    partition, chain = "", Chain("", {}, 0)
    for number, record in enumerate(documents(folder / "ledger.jsonl"), 1):
        if any(name not in record for name in (*COLUMNS, "hash", "purged")):
            raise Bad(f"ledger.jsonl line {number} is no record")
        if record["partition"] != partition:
            chain.end()
            partition = record["partition"]
            if partition in seen or partition not in heads:
                raise Bad(f"{partition}/{record['sequence']}: no seal knows of it there")
            seen.add(partition)
            chain = Chain(partition, vouched[partition], heads[partition])
        chain.take(record, bodies.problem(record))
    chain.end()
    for name in sorted(heads):
        if name not in seen and partition_in_scope(name, scope):
            raise Bad(f"{name}/1: cut off: {heads[name]} records are missing")
    bodies.end()
    return events.count


# --- papers -----------------------------------------------------------------------------------

TIMELINE = "timeline.jsonl"
PAPERS = (TIMELINE, "approvals.jsonl", "changes.jsonl", "notifications.jsonl", "plans.jsonl")
OF_EVENT = {"event": "id", "by": "actor", "at": "happened_at"}  # where a paper has its own words


class Paper:
    """The lines of one paper, taken in the order of the events that they tell of."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._lines = documents(path)
        self._next = next(self._lines, None)

    def take(self, event: Json) -> None:
        """Look at the line of an event, if the next is one. Raises Bad where it says another."""
        said = self._next
        if said is None or said.get("event") != event["id"]:
            if self.name == TIMELINE:
                raise Bad(f"{self.name}: {event['id']} is missing or out of order")
            return
        right = plan_is_right(said, event) if "decision" in said else says_no_other(said, event)
        if not right:
            raise Bad(f"{self.name}: it says something else of {event['id']} than the event")
        self._next = next(self._lines, None)

    def end(self) -> None:
        """Raises Bad where a line is left over."""
        if self._next is not None:
            raise Bad(f"{self.name}: it tells of {self._next.get('event')}, which is no event here")


def says_no_other(said: Json, event: Json) -> bool:
    """Whether a line says of an event what the event says."""
    return all(event.get(OF_EVENT.get(name, name)) == value for name, value in said.items())


def plan_is_right(said: Json, event: Json) -> bool:
    """Whether the plan of a decision has the hash that its event names."""
    plan = said["decision"]["plan"]
    text = json.dumps(plan, separators=(",", ":"), ensure_ascii=False)
    digest = sha256(text.encode())[:32] if plan else ""
    return bool(said["plan_hash"] == digest == event["evidence"].get("plan_hash", ""))


def check_papers(folder: Path) -> None:
    """Check that what people read says what the events say. Raises Bad."""
    papers = [Paper(folder / name) for name in PAPERS if (folder / name).exists()]
    for event in documents(folder / "events.jsonl") if papers else ():
        for paper in papers:
            paper.take(event)
    for paper in papers:
        paper.end()


# --- manifest ---------------------------------------------------------------------------------


def check_signature(folder: Path, key: str, keys: set[str]) -> None:
    """Check that a trusted key signed the manifest. Raises Bad."""
    signature = (folder / "manifest.sig").read_text().removesuffix("\n")
    fingerprint = sha256(exact(key))
    if fingerprint not in keys:
        raise Bad(f"manifest.json: it is signed with another key, {fingerprint}")
    if not is_signed(key, (folder / "manifest.json").read_bytes(), signature):
        raise Bad("manifest.json: the signature is not that of its key")


def check_manifest(folder: Path, manifest: Json, last: Json, events: int) -> None:
    """Check what the manifest says of seal, events, and every file. Raises Bad."""
    if (manifest["seal"], manifest["events"]) != (last["statement"]["number"], events):
        raise Bad("manifest.json: seal or number of events is another")
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    for name in sorted(files ^ {*manifest["files"], "manifest.json", "manifest.sig"}):
        raise Bad(f"{name}: it is {'not in the manifest' if name in files else 'missing'}")
    for name, expected in sorted(manifest["files"].items()):
        digest = hashlib.sha256()
        with (folder / name).open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != expected:
            raise Bad(f"{name}: it is not the file that the manifest tells of")


def check(folder: Path, keys: set[str]) -> str:
    """Check everything; answers what is true. Raises Bad."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    if manifest.get("format") != "backstop-evidence/1":
        raise Bad("manifest.json: its format is another")
    last, vouched = read_seals(folder / "seals.jsonl", keys)
    events = check_records(folder, manifest["scope"], last, vouched)
    check_papers(folder)
    check_signature(folder, manifest["public_key"], keys)
    check_manifest(folder, manifest, last, events)
    said = last["statement"]
    if said["at"] < manifest["scope"].get("until", ""):
        raise Bad(f"seal {said['number']}: it is older than the end of the period")
    return f"{events} events, whole up to seal {said['number']} of {said['at']}, key {said['key']}"


def main() -> int:
    """0 where everything is as it was recorded, else 1."""
    parser = argparse.ArgumentParser(description="Checks the evidence bundle that it lies in.")
    parser.add_argument("--key", action="append", required=True, help="fingerprint of the key")
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent)
    arguments = parser.parse_args()
    try:
        print("ok:", check(arguments.folder, {key.lower() for key in arguments.key}))
    except Bad as bad:
        print("BAD:", bad)
        return 1
    except UNREADABLE as error:
        print(f"BAD: the bundle cannot be read: {error!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
