"""A load of POSTs over raw sockets: cheap, so that the sender is not what is measured."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator

import msgspec

from infra.local.bench.figure import quantile
from infra.local.issuer.wallet import Wallet
from infra.local.world import Addresses

LANES = 32
STATUSES = (b"accepted", b"duplicate")


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What became of many equal operations: how long each took, and the answers by status."""

    took_s: float
    latencies_s: list[float]
    answers: dict[str, int]

    @property
    def per_s(self) -> float:
        """Operations a second."""
        return len(self.latencies_s) / self.took_s

    def ms(self, share: float) -> float:
        """The latency, in milliseconds, that this share of the operations do not exceed."""
        return quantile(self.latencies_s, share) * 1000


async def post_all(where: Addresses, bodies: Iterable[bytes], lanes: int = LANES) -> Load:
    """Post every body to /api/alerts as Azure Monitor, over that many connections."""
    bearer = (await Wallet(where.issuer).bearer("monitor")).encode()
    waiting = iter(bodies)
    latencies: list[float] = []
    answers: Counter[str] = Counter()
    began = time.perf_counter()
    await asyncio.gather(
        *(_lane(where.responder, bearer, waiting, latencies, answers) for _ in range(lanes))
    )
    return Load(took_s=time.perf_counter() - began, latencies_s=latencies, answers=dict(answers))


async def call_all(calls: Iterable[Callable[[], Awaitable[object]]], lanes: int = LANES) -> Load:
    """Await every call, so many at once."""
    waiting = iter(calls)
    latencies: list[float] = []

    async def lane() -> None:
        for call in waiting:
            began = time.perf_counter()
            await call()
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(lanes)))
    return Load(took_s=time.perf_counter() - began, latencies_s=latencies, answers={})


async def _lane(
    port: int,
    bearer: bytes,
    bodies: Iterator[bytes],
    latencies: list[float],
    answers: Counter[str],
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for body in bodies:
        began = time.perf_counter()
        writer.write(_head(bearer, len(body)) + body)
        code, answer = await _answer(reader)
        latencies.append(time.perf_counter() - began)
        said = next((word.decode() for word in STATUSES if word in answer), "")
        answers[f"{code} {said}".strip()] += 1
    writer.close()
    await writer.wait_closed()


def _head(bearer: bytes, length: int) -> bytes:
    return (
        b"POST /api/alerts HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Authorization: %s\r\nContent-Length: %d\r\n\r\n" % (bearer, length)
    )


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head.split(b" ")[1].decode(), await reader.readexactly(length)
