"""The signer of seals: a Key Vault key in Azure, a file's key on a developer's machine.

The file is made at first use. Where the app runs in Azure a file is refused: whoever may read it
could sign a history of their own.
"""

import asyncio
import os
from pathlib import Path
from typing import Any, Protocol

from shared.errors import Misconfigured


class Signer(Protocol):
    """What seals need: a public key in DER, and signatures by it."""

    async def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""

    async def sign(self, message: bytes) -> bytes:
        """The RS256 signature of a message."""

    async def close(self) -> None:
        """Close the connections."""


def make_signer(key: str, credential: Any, *, local: bool) -> Signer:
    """The signer of a key's URL, or of a file on a developer's machine. Raises Misconfigured."""
    if not key:
        raise Misconfigured("BACKSTOP_SIGNING_KEY is not set: nothing is sealed")
    if key.startswith(("https://", "http://")):
        from shared.adapters.vault import VaultSigner

        return VaultSigner(key, credential)
    if not local:
        raise Misconfigured("BACKSTOP_SIGNING_KEY must be the URL of a Key Vault key in Azure")
    return FileSigner(Path(key))


class FileSigner:
    """A key in a file, made at first use; for development."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded: Any = None

    async def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        from cryptography.hazmat.primitives import serialization

        key = await self._load()
        public: bytes = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return public

    async def sign(self, message: bytes) -> bytes:
        """The RS256 signature of a message."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        key = await self._load()
        signature: bytes = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return signature

    async def close(self) -> None:
        """Nothing is open."""

    async def _load(self) -> Any:
        if self._loaded is None:
            self._loaded = await asyncio.to_thread(_read_or_make, self._path)
        return self._loaded


def _read_or_make(path: Path) -> Any:
    """The private key of a file that only its owner reads. Raises Misconfigured."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write_once(path, text)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Misconfigured(f"BACKSTOP_SIGNING_KEY: {path} holds no RSA key")
    return key


def _write_once(path: Path, text: bytes) -> None:
    """Whole or not at all, and never over the key that somebody else made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
    try:
        os.link(mine, path)
    except FileExistsError:
        return
    finally:
        mine.unlink()
