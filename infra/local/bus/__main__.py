"""Run the bus on its own: `python -m infra.local.bus --config FILE --port N`."""

import argparse
import asyncio
import signal
from pathlib import Path

from infra.local.bus.config import read_config
from infra.local.bus.emulator import Emulator


async def _serve(config: Path, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    emulator = Emulator(read_config(config), port=port)
    await emulator.start()
    print(emulator.connection_string, flush=True)
    await stopped.wait()
    await emulator.stop()


def main() -> None:
    """Serve until interrupted; the first line printed is the connection string."""
    parser = argparse.ArgumentParser(description="Service Bus on this machine, in memory")
    parser.add_argument("--config", type=Path, default=Path("infra/servicebus.json"))
    parser.add_argument("--port", type=int, default=5672, help="0 takes any free port")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.config, arguments.port))


main()
