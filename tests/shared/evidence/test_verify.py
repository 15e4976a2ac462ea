"""verify.py, as an auditor runs it: alone, isolated, with a fingerprint from elsewhere."""

import ast
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.domain.ledger.export import Scope
from shared.domain.ledger.rsa import fingerprint_of
from shared.evidence.verify import UNREADABLE, Bad, check
from tests.fakes.signer import public_key_of
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.ledger.sealed_ledger import (
    CLASSES,
    KEY,
    LEDGER,
    LENGTH,
    Ledger,
    Tampered,
    next_seal,
)
from tests.shared.domain.ledger.test_whole import purged
from tests.shared.evidence.bundle import VERIFY, sign, write_bundle

INCIDENT = Scope(incident="INC-22-261123-0A1B2C3D")
FIRST_HALF = Scope(since="2026-11-23T14:05:01.000000Z", until="2026-11-23T14:05:13.000000Z")


def pythons() -> list[str]:
    """This Python, and older ones that are here."""
    older = [shutil.which("python3.9"), shutil.which("python3.11")]
    return [sys.executable, *(path for path in older if path and _runs(path))]


def _runs(python: str) -> bool:
    done = subprocess.run([python, "-c", "pass"], capture_output=True, check=False)
    return done.returncode == 0


def run(folder: Path, *keys: str, python: str = sys.executable) -> tuple[int, str]:
    """How it ends, and the line that it prints."""
    arguments = [argument for key in keys or (KEY,) for argument in ("--key", key)]
    command = [python, "-I", str(folder / "verify.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def looked(folder: Path, *keys: str) -> str:
    """The same in this process; what is bad about it, or "ok"."""
    try:
        check(folder, set(keys or (KEY,)))
    except Bad as bad:
        return str(bad)
    return "ok"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle", LEDGER)


class TestAnUntouchedBundle:
    @pytest.mark.parametrize("python", pythons())
    def test_it_ends_with_0_and_says_what_is_true(self, folder: Path, python: str) -> None:
        code, said = run(folder, python=python)
        seal = "seal 4 of 2026-11-23T14:20:00.000000Z"
        assert (code, said) == (0, f"ok: {3 * LENGTH} events, whole up to {seal}, key {KEY}")

    def test_it_is_written_for_python_3_9(self) -> None:
        ast.parse(VERIFY.read_text(), feature_version=(3, 9))

    def test_it_imports_nothing_but_the_standard_library(self) -> None:
        tree = ast.parse(VERIFY.read_text())
        named = {
            alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
        }
        named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names

    def test_exported_again_it_is_the_same_byte_for_byte(self, tmp_path: Path) -> None:
        one, two = (write_bundle(tmp_path / name, LEDGER) for name in ("one", "two"))
        for path in filter(Path.is_file, one.rglob("*")):
            assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()

    @pytest.mark.parametrize(("scope", "events"), [(INCIDENT, 24), (FIRST_HALF, 36)])
    def test_it_may_be_about_an_incident_or_a_time(
        self, tmp_path: Path, scope: Scope, events: int
    ) -> None:
        folder = write_bundle(tmp_path / "part", LEDGER, scope)
        code, said = run(folder)
        assert (code, said.partition(",")[0]) == (0, f"ok: {events} events")

    def test_one_seal_is_enough(self, tmp_path: Path) -> None:
        only = alter(LEDGER, seals=LEDGER.seals[-1:])
        assert looked(write_bundle(tmp_path / "only", only)) == "ok"

    def test_what_came_after_the_last_seal_is_left_out(self, tmp_path: Path) -> None:
        early = alter(LEDGER, seals=LEDGER.seals[:2])
        folder = write_bundle(tmp_path / "early", early)
        assert looked(folder) == "ok"
        assert (folder / "events.jsonl").read_bytes().count(b"\n") == 3 * 6


class TestTampering:
    @pytest.mark.parametrize("tamper", CLASSES, ids=lambda tamper: tamper.__name__)
    def test_every_class_ends_with_1_and_names_the_first_bad_record(
        self, tamper: Callable[[random.Random], Tampered], tmp_path: Path
    ) -> None:
        tampered, bad = tamper(random.Random(5))  # noqa: S311 - repeatable, not secret
        folder = write_bundle(tmp_path / "bad", tampered, whose="forger")
        code, said = run(folder)
        assert code == 1
        assert said.startswith(f"BAD: {bad}: ")

    @pytest.mark.parametrize("tamper", CLASSES, ids=lambda tamper: tamper.__name__)
    def test_it_says_the_same_as_the_product(
        self, tamper: Callable[[random.Random], Tampered], tmp_path: Path
    ) -> None:
        for seed in range(20):
            tampered, bad = tamper(random.Random(seed))  # noqa: S311 - repeatable, not secret
            folder = write_bundle(tmp_path / f"{seed}", tampered, whose="forger")
            assert looked(folder).startswith(f"{bad}: "), seed

    def test_any_changed_byte_of_any_file_is_found(self, folder: Path) -> None:
        rng = random.Random(7)  # noqa: S311 - repeatable, not secret
        for path in sorted(filter(Path.is_file, folder.rglob("*"))):
            was = path.read_bytes()
            for _ in range(8):
                at = rng.randrange(len(was))
                path.write_bytes(was[:at] + bytes([was[at] ^ 1]) + was[at + 1 :])
                assert not _is_ok(folder), (path.name, at)
            path.write_bytes(was)
        assert looked(folder) == "ok"

    def test_bits_that_base64_leaves_over_are_changed_bytes_too(self, folder: Path) -> None:
        path = folder / "manifest.sig"
        was = path.read_bytes()
        for at in range(len(was) - 6, len(was)):
            path.write_bytes(was[:at] + bytes([was[at] ^ 1]) + was[at + 1 :])
            assert not _is_ok(folder), at

    def test_a_bundle_that_somebody_else_signed_is_refused(self, tmp_path: Path) -> None:
        forger = fingerprint_of(public_key_of("forger"))
        theirs = write_bundle(tmp_path / "theirs", LEDGER, whose="forger")
        assert looked(theirs) == f"manifest.json: it is signed with another key, {forger}"
        forged = write_bundle(tmp_path / "forged", LEDGER, whose="forger", signed_as="backstop")
        assert looked(forged) == "manifest.json: the signature is not that of its key"

    def test_a_file_too_many_is_found(self, folder: Path) -> None:
        (folder / "note.txt").write_text("trust me")
        assert looked(folder) == "note.txt: it is not in the manifest"

    def test_a_file_that_is_gone_is_found(self, folder: Path) -> None:
        (folder / "report/index.html").unlink()
        assert looked(folder) == "report/index.html: it is missing"

    def test_an_empty_folder_ends_with_1(self, tmp_path: Path) -> None:
        shutil.copy(VERIFY, tmp_path)
        code, said = run(tmp_path)
        assert (code, said.startswith("BAD: the bundle cannot be read")) == (1, True)

    def test_another_fingerprint_is_refused(self, folder: Path) -> None:
        code, said = run(folder, "0" * 64)
        assert (code, said) == (1, f"BAD: seal 1: it is signed with another key, {KEY}")

    def test_an_event_in_scope_cannot_be_left_out(self, tmp_path: Path) -> None:
        folder = write_bundle(tmp_path / "less", LEDGER, INCIDENT)
        events = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
        (folder / "events.jsonl").write_bytes(b"".join(events[:9] + events[10:]))
        sign(folder, LEDGER, INCIDENT)
        assert looked(folder).startswith("22-202611/10 INC-22-261123-0A1B2C3D-0010: its event is")

    def test_the_end_of_a_period_must_be_sealed(self, tmp_path: Path) -> None:
        at = LEDGER.seals[-1].statement.at
        sealed = write_bundle(tmp_path / "sealed", LEDGER, alter(FIRST_HALF, until=at))
        later = write_bundle(tmp_path / "later", LEDGER, alter(FIRST_HALF, until=f"2999{at[4:]}"))
        assert looked(sealed) == "ok"
        assert looked(later) == (
            f"seal {LEDGER.seals[-1].statement.number}: it is older than the end of the period"
        )

    def test_a_chain_in_scope_cannot_be_left_out(self, tmp_path: Path) -> None:
        less = alter(LEDGER, rows={k: v for k, v in LEDGER.rows.items() if k != "51-202611"})
        folder = write_bundle(tmp_path / "less", less)
        assert looked(folder).startswith("51-202611/1: cut off: 24 records are missing")


class TestPurges:
    def test_a_purge_in_it_accounts_for_what_is_gone(self, tmp_path: Path) -> None:
        folder = write_bundle(tmp_path / "purged", _sealed_on(purged(3, 4, 20)), INCIDENT)
        code, said = run(folder)
        assert (code, said.partition(",")[0]) == (0, "ok: 22 events")

    def test_what_no_purge_tells_of_is_found(self, tmp_path: Path) -> None:
        folder = write_bundle(tmp_path / "purged", _sealed_on(purged(3, 4, told=(3,))))
        assert looked(folder) == "22-202611/4: its event is gone, and no purge tells of it"


def _sealed_on(ledger: Ledger) -> Ledger:
    """One seal more, over the record of the purge, too."""
    further = next_seal(ledger.seals[-1], ledger.heads.values())
    return alter(ledger, seals=(*ledger.seals, further))


def _is_ok(folder: Path) -> bool:
    try:
        return looked(folder) == "ok"
    except UNREADABLE:
        return False  # the program says that it cannot be read, and ends with 1
