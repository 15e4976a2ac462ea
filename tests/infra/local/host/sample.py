"""Sample apps on disk, and hosts that serve them in a process of their own.

One process serves one app only, and a host must be seen from outside: through HTTP, the bus, its
log, its exit code.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.bus import Emulator
from infra.local.host.worker import HOST_ROOT
from infra.local.processes import Child, Children, says

HOST_JSON = '{"version": "2.0"}'
HEAD = """
import asyncio
import typing
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
ONE_ROUTE = """
@app.route("hello", methods=["GET"])
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hi")
"""
ONE_TOPIC = """
@app.service_bus_topic_trigger(
    arg_name="msg", topic_name="work", subscription_name="all", connection="BUS"
)
async def take(msg: func.ServiceBusMessage) -> None:
    print("took", msg.get_body().decode(), "delivery", msg.delivery_count, flush=True)
"""


def write_app(folder: Path, functions: str, host_json: str = HOST_JSON) -> Path:
    """Write a function app: its functions, in the frame that every app has."""
    folder.joinpath("function_app.py").write_text(HEAD + functions)
    folder.joinpath("host.json").write_text(host_json)
    return folder


def start_host(
    children: Children, app: Path, *, port: int = 0, settings: Mapping[str, str] | None = None
) -> Child:
    command = [sys.executable, "-m", "infra.local.host", "--app", str(app), "--port", str(port)]
    return children.start(
        "host", command, ready=says("ready http"), env=settings, cwd=Path(HOST_ROOT)
    )


def url_of(host: Child) -> str:
    return next(line.split()[1] for line in host.output() if line.startswith("ready "))


@contextmanager
def served(app: Path, settings: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Serve an app, from ready to stopped."""
    with Children(app / "logs") as children:
        host = start_host(children, app, settings=settings)
        host.wait_ready()
        yield host


@contextmanager
def starting_with_bus(app: Path, emulator: Emulator, **settings: str) -> Iterator[Child]:
    """Serve an app beside a bus on the test's own loop; it may still be starting when this yields.

    It is killed in the end: closing links takes the SDK a second, and one test of that is enough.
    """
    settings["BUS"] = emulator.connection_string
    with Children(app / "logs") as children:
        host = start_host(children, app, settings=settings)
        yield host
        host.kill()


async def said(host: Child, text: str, times: int = 1) -> list[str]:
    """Wait until so many lines of the host's output hold a text, and return them."""
    async with asyncio.timeout(20):
        while len(lines := [line for line in host.output() if text in line]) < times:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    return lines


def topology(lock: str = "PT30S", max_deliveries: int = 10) -> dict[str, Any]:
    """Describe a bus with one topic, `work`, and one subscription, `all`."""
    properties = {"LockDuration": lock, "MaxDeliveryCount": max_deliveries}
    subscription = {"Name": "all", "Properties": properties, "Rules": []}
    topic = {"Name": "work", "Properties": {}, "Subscriptions": [subscription]}
    namespace = {"Name": "sbemulatorns", "Queues": [], "Topics": [topic]}
    return {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "File"}}}
