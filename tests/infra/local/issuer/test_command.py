"""`python -m infra.local.issuer`: a token for whoever is named, where a world runs."""

import asyncio
import json
import sys
from pathlib import Path

import jwt
import pytest

import infra.local.issuer.__main__ as command
from infra.local.issuer.app import create_issuer
from infra.local.issuer.issuer import Issuer
from tests.infra.local.inbox.serving import serving


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a running world tells its addresses; not there yet."""
    monkeypatch.setattr(command, "ADDRESSES", tmp_path / "start.json")
    return tmp_path / "start.json"


@pytest.mark.parametrize(
    ("asked", "roles"),
    [(["auditor"], ["Auditor"]), (["pipeline"], ["Deployer"]), ([], ["Commander", "Responder"])],
)
async def test_it_prints_a_token(
    told: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
    roles: list[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["issuer", *asked])
    async with serving(create_issuer(Issuer("http://127.0.0.1:7"))) as url:
        told.write_text(json.dumps({"issuer": url}))  # noqa: ASYNC240 - a line
        assert await asyncio.to_thread(command.main) == 0
    printed = capsys.readouterr().out.strip()
    assert jwt.decode(printed, options={"verify_signature": False})["roles"] == roles


@pytest.mark.parametrize("content", [None, "{}", '{"issuer": "http://127.0.0.1:1"}'])
def test_without_a_world_it_says_what_to_do(
    told: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
) -> None:
    monkeypatch.setattr(sys, "argv", ["issuer"])
    if content is not None:
        told.write_text(content)
    assert command.main() == 1
    assert "make start" in capsys.readouterr().err
