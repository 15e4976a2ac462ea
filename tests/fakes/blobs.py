"""Blobs in memory: written once, never overwritten."""

from typing import override

from shared.adapters.blobs import Blobs
from shared.errors import Refused, Unavailable
from tests.fakes.turns import Turns


class FakeBlobs(Blobs):
    """One account. `out` makes it unreachable; `stored` is by container and name.

    `withheld` are rights that were taken away: a container, and "read" or "write".
    """

    def __init__(self, turns: Turns) -> None:
        self.out = False
        self.withheld: set[tuple[str, str]] = set()
        self.stored: dict[tuple[str, str], bytes] = {}
        self._turns = turns

    @override
    async def create(self, container: str, name: str, data: bytes) -> bool:
        await self._turn("create", container, "write")
        is_new = (container, name) not in self.stored
        self.stored.setdefault((container, name), data)
        await self._turns.take("blobs.created")
        return is_new

    @override
    async def read(self, container: str, name: str) -> bytes | None:
        await self._turn("read", container, "read")
        return self.stored.get((container, name))

    @override
    async def try_writing(self, container: str, name: str) -> None:
        await self._turn("try_writing", container, "write")

    @override
    async def names(self, container: str, prefix: str = "") -> list[str]:
        await self._turn("names", container, "read")
        found = (name for place, name in self.stored if place == container)
        return sorted(name for name in found if name.startswith(prefix))

    async def _turn(self, what: str, container: str, does: str) -> None:
        await self._turns.take(f"blobs.{what}")
        if self.out:
            raise Unavailable("blobs", "the account does not answer")
        if (container, does) in self.withheld:
            raise Refused("blobs", "HttpResponseError")
