"""The signer: a vault over loopback HTTP and a key file, both checked by the product's own eyes."""

import base64
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding, utils

from infra.local.ports import free_port
from shared.adapters.signer import FileSigner, make_signer
from shared.adapters.vault import VaultSigner
from shared.domain.ledger.rsa import verify_signature
from shared.errors import Misconfigured, Unavailable
from tests.fakes.signer import key_of, public_key_of

KEY = "/keys/seals/0123abcd"
MESSAGE = b"what is signed"


class Vault:
    """Key Vault's two routes, as its REST reference has them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer: web.Response | None = None
        self.kty = "RSA-HSM"
        self.url = ""

    async def show(self, request: web.Request) -> web.Response:
        self._note(request)
        numbers = key_of("backstop").public_key().public_numbers()
        key = {
            "kid": f"{self.url}{KEY}",
            "kty": self.kty,
            "key_ops": ["sign", "verify"],
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }
        return self.answer or web.json_response({"key": key, "attributes": {"enabled": True}})

    async def sign(self, request: web.Request) -> web.Response:
        from cryptography.hazmat.primitives import hashes

        self._note(request)
        asked = await request.json()
        assert asked["alg"] == "RS256"
        digest = base64.urlsafe_b64decode(asked["value"] + "=")
        prehashed = utils.Prehashed(hashes.SHA256())
        signature = key_of("backstop").sign(digest, padding.PKCS1v15(), prehashed)
        return web.json_response({"kid": f"{self.url}{KEY}", "value": _text(signature)})

    def _note(self, request: web.Request) -> None:
        assert request.query["api-version"] == "7.4"
        self.asked.append((request.method, request.path))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8))


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    made, app, port = Vault(), web.Application(), free_port()
    app.add_routes([web.get("/keys/{name}", made.show), web.get("/keys/{name}/{v}", made.show)])
    app.add_routes([web.post("/keys/{name}/{version}/sign", made.sign)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    made.url = f"http://127.0.0.1:{port}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def signer(vault: Vault) -> AsyncIterator[VaultSigner]:
    made = VaultSigner(f"{vault.url}/keys/seals", None)
    yield made
    await made.close()


class TestVault:
    async def test_its_signature_is_that_of_its_key(self, signer: VaultSigner) -> None:
        key = await signer.public_key()
        assert key == public_key_of("backstop")
        assert verify_signature(key, MESSAGE, await signer.sign(MESSAGE))

    async def test_a_process_signs_with_the_version_that_it_found_first(
        self, signer: VaultSigner, vault: Vault
    ) -> None:
        await signer.public_key()
        await signer.sign(MESSAGE)
        await signer.sign(MESSAGE)
        assert vault.asked == [("GET", "/keys/seals"), *[("POST", f"{KEY}/sign")] * 2]

    @pytest.mark.parametrize("status", [401, 403, 429, 500])
    async def test_a_refusal_is_a_part_that_is_out(
        self, signer: VaultSigner, vault: Vault, status: int
    ) -> None:
        vault.answer = web.Response(status=status)
        with pytest.raises(Unavailable, match=f"the vault answered {status}"):
            await signer.sign(MESSAGE)

    @pytest.mark.parametrize("body", ["", "[]", '{"key": {}}', "<html>"])
    async def test_an_answer_that_cannot_be_read_is_a_part_that_is_out(
        self, signer: VaultSigner, vault: Vault, body: str
    ) -> None:
        vault.answer = web.Response(text=body)
        with pytest.raises(Unavailable, match="vault"):
            await signer.public_key()

    async def test_a_key_of_another_kind_is_refused(
        self, signer: VaultSigner, vault: Vault
    ) -> None:
        vault.kty = "EC"
        with pytest.raises(Misconfigured, match="RSA"):
            await signer.sign(MESSAGE)

    async def test_a_vault_that_does_not_answer_is_out(self) -> None:
        signer = VaultSigner(f"http://127.0.0.1:{free_port()}/keys/seals", None)
        with pytest.raises(Unavailable, match="vault"):
            await signer.sign(MESSAGE)
        await signer.close()

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.com/keys/seals",
            "https://vault.azure.net.example.com/keys/seals",
            "http://firm.vault.azure.net/keys/seals",
            "https://firm.vault.azure.net/secrets/seals",
        ],
    )
    def test_a_token_leaves_for_a_vault_of_azure_only(self, url: str) -> None:
        credential: Any = object()
        with pytest.raises(Misconfigured, match="BACKSTOP_SIGNING_KEY"):
            VaultSigner(url, credential)

    def test_a_vault_of_azure_is_not_asked_without_an_identity(self) -> None:
        with pytest.raises(Misconfigured, match="identity"):
            VaultSigner("https://firm.vault.azure.net/keys/seals", None)


class TestFile:
    async def test_a_key_is_made_at_first_use_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "seals.pem"
        first, second = FileSigner(path), FileSigner(path)
        key = await first.public_key()
        assert await second.public_key() == key
        assert verify_signature(key, MESSAGE, await second.sign(MESSAGE))
        assert [found.name for found in path.parent.iterdir()] == ["seals.pem"]

    async def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "seals.pem"
        await FileSigner(path).public_key()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    async def test_what_is_no_key_is_refused_and_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "seals.pem"
        path.write_text("mine")
        with pytest.raises(Misconfigured, match="holds no RSA key"):
            await FileSigner(path).sign(MESSAGE)
        assert path.read_text() == "mine"


class TestChoice:
    def test_a_file_is_impossible_where_the_app_runs_in_azure(self, tmp_path: Path) -> None:
        with pytest.raises(Misconfigured, match="must be the URL of a Key Vault key"):
            make_signer(str(tmp_path / "seals.pem"), object(), local=False)

    def test_without_a_key_nothing_is_signed(self) -> None:
        with pytest.raises(Misconfigured, match="not set"):
            make_signer("", None, local=True)

    async def test_a_url_is_a_vault_and_anything_else_a_file(self, tmp_path: Path) -> None:
        vault = make_signer("http://127.0.0.1:1/keys/seals", None, local=True)
        assert isinstance(vault, VaultSigner)
        await vault.close()
        assert isinstance(make_signer(str(tmp_path / "k"), None, local=True), FileSigner)
