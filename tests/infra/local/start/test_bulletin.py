"""What `make start` tells scripts: where its parts are, and a token that never ends meanwhile."""

import asyncio
import json
from pathlib import Path

import jwt
import pytest

from infra.local.issuer import wallet
from infra.local.issuer.app import create_issuer
from infra.local.issuer.issuer import Issuer
from infra.local.start.bulletin import Bulletin
from tests.infra.local.inbox.serving import serving


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer("http://127.0.0.1:7")


async def test_scripts_find_the_addresses_and_a_commander_s_token(
    tmp_path: Path, issuer: Issuer
) -> None:
    path = tmp_path / "deep" / "start.json"
    async with serving(create_issuer(issuer)) as url:
        await Bulletin(path, {"api": "http://127.0.0.1:1", "issuer": url}).write()
    told = json.loads(path.read_bytes())
    assert (told["api"], told["issuer"]) == ("http://127.0.0.1:1", url)
    claims = jwt.decode(told["token"], options={"verify_signature": False})
    assert claims["roles"] == ["Commander", "Responder"]


async def test_nobody_else_on_the_machine_may_read_it(tmp_path: Path, issuer: Issuer) -> None:
    path = tmp_path / "start.json"
    path.write_text("{}")
    path.chmod(0o644)
    async with serving(create_issuer(issuer)) as url:
        await Bulletin(path, {"issuer": url}).write()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_token_is_replaced_before_it_ends(
    tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "start.json"
    async with serving(create_issuer(issuer)) as url:
        bulletin = Bulletin(path, {"issuer": url})
        monkeypatch.setattr(wallet, "RENEW_BEFORE_S", 3600.0)
        await bulletin.write()
        first = path.read_bytes()
        keeping = asyncio.create_task(bulletin.keep(every_s=0))
        async with asyncio.timeout(20):
            while path.read_bytes() == first:  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.01)
        keeping.cancel()


async def test_an_issuer_that_does_not_answer_costs_nothing(tmp_path: Path) -> None:
    bulletin = Bulletin(tmp_path / "start.json", {"issuer": "http://127.0.0.1:1"})
    keeping = asyncio.create_task(bulletin.keep(every_s=0))
    done, _ = await asyncio.wait([keeping], timeout=0.2)
    keeping.cancel()
    assert done == set()
