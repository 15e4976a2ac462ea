"""`.local/start.json`: where the parts of the running world are, and a token to ask them with.

The token is a commander's, who is a responder as well, and is replaced long before it ends.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import msgspec

from infra.local.issuer.wallet import Wallet

WHOSE = "commander"
LOOK_EVERY_S = 60.0


class Bulletin:
    """The file of one running world; `told` are the addresses."""

    def __init__(self, path: Path, told: Mapping[str, str]) -> None:
        self._path = path
        self._told = told
        self._wallet = Wallet(told["issuer"])

    async def write(self) -> None:
        """Write it, in one step. Raises aiohttp.ClientError and TimeoutError."""
        content = {**self._told, "token": await self._wallet.token(WHOSE)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)  # what is in it lets one in
        new.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        new.replace(self._path)

    async def keep(self, every_s: float = LOOK_EVERY_S) -> None:
        """Write it again and again, until cancelled: the token in it always has minutes to live."""
        while True:
            await asyncio.sleep(every_s)
            with contextlib.suppress(
                aiohttp.ClientError, TimeoutError
            ):  # the old one is still good
                await self.write()
