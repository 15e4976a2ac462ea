"""What the bus tests share: a namespace to run against, the local one unless another is given."""

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from infra.local.bus import Emulator, read_config

CONFORMANCE = Path(__file__).parent / "conformance.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bus-connection",
        help="run the conformance suite against this namespace (topology: conformance.json)",
    )


@dataclass(frozen=True)
class Namespace:
    """A Service Bus namespace; only the local one lets time pass at once and breaks on demand."""

    connection: str
    emulator: Emulator | None

    async def pass_time(self, seconds: float) -> None:
        if self.emulator is None:
            await asyncio.sleep(seconds)
        else:
            self.emulator.broker.clock.advance(seconds)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def namespace(request: pytest.FixtureRequest) -> AsyncIterator[Namespace]:
    elsewhere = request.config.getoption("--bus-connection", default=None)
    if elsewhere:
        yield Namespace(elsewhere, None)
        return
    emulator = Emulator(read_config(CONFORMANCE))
    await emulator.start()
    yield Namespace(emulator.connection_string, emulator)
    await emulator.stop()
    gc.collect()
