"""The demonstration tells the truth: it succeeds only where customers were really cured.

Both run the command that `make demo` runs, and read what it leaves in `summary.json`. What becomes
of a known good that is no better is in `test_blindness`.
"""

import asyncio
import re
import sys
from pathlib import Path

import msgspec
import pytest

from infra.local.demo.exporting import check
from infra.local.issuer.identities import IDENTITIES, TENANT
from infra.local.world import ROOT
from tests.world.stage import Json

pytestmark = [pytest.mark.world, pytest.mark.timeout(400)]

COMMAND = ("-m", "infra.local.demo")


async def test_the_demo_restores_the_good_version_and_proves_it(tmp_path: Path) -> None:
    code, found, said = await _play(tmp_path, *COMMAND)
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
    await _assert_that_the_evidence_proves_itself(tmp_path / "demo", found, said)


async def test_the_demo_fails_where_the_rollback_is_refused(tmp_path: Path) -> None:
    code, found, said = await _play(tmp_path, *COMMAND, "--block-writes")
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


async def _play(folder: Path, *command: str) -> tuple[int, Json, str]:
    """Run the demo; answer its exit code, its summary and what it printed."""
    played = folder / "demo"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, "--folder", str(played)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()  # it stops its own children
            await process.wait()
    assert process.returncode is not None
    found: Json = msgspec.json.decode((played / "summary.json").read_bytes())
    return process.returncode, found, printed.decode()
