"""The bundle of the demo is judged by its own program, and the altered copy must be refused."""

import shutil
from pathlib import Path

from infra.local.demo.exporting import EVENTS, Check, Exported, alter, check
from tests.shared.domain.ledger.sealed_ledger import KEY, LEDGER
from tests.shared.evidence.bundle import write_bundle

WHOLE = Check(code=0, said="ok: 9 events")
REFUSED = Check(code=1, said="BAD: 07-202611/3")


def zipped(folder: Path) -> Path:
    bundle = write_bundle(folder / "bundle", LEDGER)
    return Path(shutil.make_archive(str(folder / "evidence"), "zip", bundle))


async def test_a_bundle_verifies_and_its_altered_copy_does_not(tmp_path: Path) -> None:
    whole, altered = await check(zipped(tmp_path), KEY)
    assert (whole.code, altered.code) == (0, 1)
    assert whole.said.startswith("ok:")
    assert altered.said.startswith("BAD:")


async def test_a_bundle_of_another_key_does_not_verify(tmp_path: Path) -> None:
    whole, _ = await check(zipped(tmp_path), "0" * 64)
    assert whole.code == 1


async def test_the_bundle_itself_is_left_as_it_is(tmp_path: Path) -> None:
    bundle = zipped(tmp_path)
    was = bundle.read_bytes()
    await check(bundle, KEY)
    assert bundle.read_bytes() == was


def test_one_byte_is_altered() -> None:
    was = b'{"a":1}\n{"b":31}\n'
    now = alter(was)
    assert now == b'{"a":1}\n{"b":32}\n'
    assert sum(a != b for a, b in zip(was, now, strict=True)) == 1


def test_a_bundle_that_lacks_an_incident_proves_nothing() -> None:
    seen = Exported(path=EVENTS, events=3, whole=WHOLE, altered=REFUSED)
    assert seen.verified
    seen.lacks = ("INC-22-261123-0A1B2C3D",)
    assert not seen.verified


def test_an_altered_copy_that_only_broke_the_program_was_not_found_out() -> None:
    assert Exported(altered=REFUSED).altered_found
    assert not Exported(altered=Check(code=1, said="Traceback")).altered_found
    assert not Exported(altered=WHOLE).altered_found
    assert not Exported().altered_found
