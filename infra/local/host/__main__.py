"""`python -m infra.local.host --app DIR --port N`: serve a function app until SIGINT or SIGTERM.

Prints `ready http://127.0.0.1:N` once HTTP listens and all receivers are attached. Ends with 0 when
stopped, and with 2 and one line when the app cannot be served as it is.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from infra.local.host.configuration import Refused
from infra.local.host.host import FunctionHost

CANNOT_SERVE = 2


def main() -> int:
    """Serve the app that the command line names; settings come from the environment."""
    arguments = _arguments()
    _quiet_logs()
    try:
        asyncio.run(_serve(arguments.app, arguments.port))
    except Refused as refusal:
        print(refusal.trace, f"refused: {refusal}", sep="", file=sys.stderr)
        return CANNOT_SERVE
    return 0


async def _serve(app_folder: Path, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host = FunctionHost(app_folder, os.environ, port)
    starting = asyncio.create_task(host.start())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # the bus may never come; the loop's end cancels what was begun
        return
    print("ready", starting.result(), flush=True)
    await stopped
    await host.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.host", description="Serve a function app."
    )
    parser.add_argument("--app", type=Path, required=True, help="the folder of function_app.py")
    parser.add_argument("--port", type=int, default=7071, help="0 takes any free one")
    return parser.parse_args()


def _quiet_logs() -> None:
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    # The SDK tells of every retry of every link; this host says once that the bus went or came.
    logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)


sys.exit(main())
