"""The demonstration tells the truth: it succeeds only where customers were really cured.

Both run the command that `make demo` runs, and read what it leaves in `summary.json`. What becomes
of a known good that is no better is in `test_blindness`.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from infra.local.demo.exporting import check
from infra.local.issuer.identities import IDENTITIES, TENANT
from infra.local.world import ROOT
from tests.world.stage import Json

pytestmark = [pytest.mark.world, pytest.mark.timeout(400)]


class _Played(NamedTuple):
    """One run of the demo, and where it leaves what it has to say."""

    process: subprocess.Popen[bytes]
    folder: Path
    said: Path


type Demos = dict[str, _Played]


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demos]:
    """Both demos side by side, because each mostly waits."""
    with (
        _playing(tmp_path_factory.mktemp("good")) as good,
        _playing(tmp_path_factory.mktemp("refused"), "--block-writes") as refused,
    ):
        yield {"good": good, "refused": refused}


async def test_the_demo_restores_the_good_version_and_proves_it(demos: Demos) -> None:
    code, found, said = await _ended(demos["good"])
    assert code == 0, said
    assert found["outcome"] == "mitigated"
    assert found["good"] == "v1"
    assert _served(found) == {"v1": 100}
    assert found["breach_to_restored_s"] > 0
    assert found["killed"]
    assert found["intended_changes"] == 1
    assert 1 <= found["cards"] <= 5
    assert found["ledger"]["events"] > 0
    assert found["ledger"]["verified"]
    assert found["ledger"]["seals"] > 0
    assert len(found["key_fingerprint"]) == 64
    assert found["ledger"]["named"] == found["ledger"]["altered"]
    assert "mitigated" in said
    _assert_that_another_person_approved(found, said)
    await _assert_that_the_evidence_proves_itself(demos["good"].folder, found, said)


async def test_the_demo_fails_where_the_rollback_is_refused(demos: Demos) -> None:
    code, found, said = await _ended(demos["refused"])
    assert code == 1, said
    assert "decided: roll back" in said
    assert found["outcome"] == "escalated"
    assert _served(found) == {"v2": 100}
    assert found["breach_to_restored_s"] is None
    assert found["pages"] >= 1
    assert _went_no_further(found)


def _assert_that_another_person_approved(found: Json, said: str) -> None:
    second = found["second"]
    assert second["outcome"] == "mitigated"
    assert second["traffic"]["v1"] == 100
    assert second["by_script"]
    assert found["approved_by"] == f"{TENANT}/{IDENTITIES['approver'].object_id}"
    assert re.search(r"http://127\.0\.0\.1:\d+/approvals/\d\d-[0-9a-f]+", said)


async def _assert_that_the_evidence_proves_itself(folder: Path, found: Json, said: str) -> None:
    key = found["key_fingerprint"]
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert key in said
    assert found["evidence"]["events"] > 0
    assert found["evidence"]["verified"]
    assert found["evidence"]["altered_found"]
    whole, altered = await check(folder / "evidence.zip", key)
    assert (whole.code, altered.code) == (0, 1), (whole, altered)


def _went_no_further(found: Json) -> bool:
    """Whether it ended with the first incident: there is nothing to add to what was not cured."""
    return not found["second"]["incident"] and not found["evidence"]["verified"]


def _served(found: Json) -> Json:
    """Who has traffic in the end, in percent."""
    return {name: share for name, share in found["traffic"].items() if share}


async def _ended(played: _Played) -> tuple[int, Json, str]:
    """Wait for a demo's end; answer its exit code, its summary and what it printed."""
    code = await asyncio.to_thread(played.process.wait)
    found: Json = msgspec.json.decode((played.folder / "summary.json").read_bytes())
    return code, found, played.said.read_text()


@contextmanager
def _playing(folder: Path, *flags: str) -> Iterator[_Played]:
    """A demo that runs; it stops its own children where nobody waits for its end."""
    said = folder / "said.txt"
    command = [sys.executable, "-m", "infra.local.demo", *flags, "--folder", str(folder / "demo")]
    with (
        said.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield _Played(process=process, folder=folder / "demo", said=said)
        finally:
            process.terminate()
