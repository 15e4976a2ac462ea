"""The command: what it refuses and how it says so, and how it ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.host.worker import HOST_ROOT
from infra.local.processes import Children
from tests.infra.local.host.sample import (
    HOST_JSON,
    ONE_ROUTE,
    ONE_TOPIC,
    said,
    served,
    start_host,
    write_app,
)

NOBODY_LISTENS = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"
)


def refusal(app: Path, **settings: str) -> str:
    """Run the command and return its last line; it must have ended with 2."""
    ended = subprocess.run(
        [sys.executable, "-m", "infra.local.host", "--app", str(app), "--port", "0"],
        cwd=HOST_ROOT,
        env=settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    return ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("functions", "complaint"),
    [
        ("", "refused: the app has no functions (is the setting that chooses its role set?)"),
        (ONE_TOPIC, "refused: connection setting BUS of function take is not set"),
        (
            "import nope\n",
            "refused: function_app.py does not load: ModuleNotFoundError: No module named 'nope'",
        ),
        (
            ONE_ROUTE.replace("req:", "request:"),
            "refused: function_app.py does not load: FunctionLoadError: ",
        ),
        (
            """
@app.timer_trigger(schedule="61 * * * * *", arg_name="timer")
async def tick(timer: func.TimerRequest) -> None: ...
""",
            "refused: function tick: schedule '61 * * * * *' is no NCRONTAB expression",
        ),
        (
            """
@app.blob_trigger(arg_name="blob", path="in/{name}", connection="STORE")
async def take(blob: func.InputStream) -> None: ...
""",
            "refused: function take: trigger blobTrigger is not served here",
        ),
    ],
)
def test_an_app_that_cannot_be_served_is_refused(
    tmp_path: Path, functions: str, complaint: str
) -> None:
    assert refusal(write_app(tmp_path, functions)).startswith(complaint)


def test_an_invalid_host_json_is_refused(tmp_path: Path) -> None:
    app = write_app(tmp_path, ONE_ROUTE, host_json="{")
    assert refusal(app).startswith(f"refused: {app}/host.json is not valid: ")


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("host.json").write_text(HOST_JSON)
    assert refusal(tmp_path) == f"refused: no function_app.py in {tmp_path}"


@pytest.mark.parametrize("issuer", ["", "https://login.microsoftonline.com"])
def test_sign_in_without_a_local_issuer_is_refused(tmp_path: Path, issuer: str) -> None:
    settings = {"WEBSITE_AUTH_ENABLED": "True", "BACKSTOP_AUTHORITY": issuer}
    complaint = "refused: WEBSITE_AUTH_ENABLED asks for a local issuer in BACKSTOP_AUTHORITY"
    assert refusal(write_app(tmp_path, ONE_ROUTE), **settings) == complaint


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    app = write_app(tmp_path, ONE_ROUTE)
    with socket.create_server(("127.0.0.1", 0)) as taken, Children(tmp_path / "logs") as children:
        port = taken.getsockname()[1]
        host = start_host(children, app, port=port)
        host.wait_gone()
        assert host.output() == [f"refused: port {port} cannot be used: Address already in use"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_it_and_closes_what_the_app_opened(
    tmp_path: Path, number: signal.Signals
) -> None:
    closing = """
async def close_services() -> None:
    await asyncio.sleep(0)
    print("closed", flush=True)
"""
    with served(write_app(tmp_path, ONE_ROUTE + closing)) as host:
        host.send_signal(number)
        host.wait_gone()
    assert host.output()[1:] == ["closed"]
    assert host.returncode == 0


async def test_a_host_that_still_waits_for_the_bus_can_be_stopped(tmp_path: Path) -> None:
    app = write_app(tmp_path, ONE_TOPIC)
    with Children(tmp_path / "logs") as children:
        host = start_host(children, app, settings={"BUS": NOBODY_LISTENS})
        await said(host, "bus lost, trying again")
        host.interrupt()
        host.wait_gone()
    assert host.returncode == 0
    assert "Traceback" not in "\n".join(host.output())


async def test_the_app_of_the_named_folder_is_served_wherever_the_host_runs(tmp_path: Path) -> None:
    app = write_app(tmp_path, ONE_ROUTE + "print('this app', __file__, flush=True)\n")
    with served(app) as host:
        assert await said(host, "this app") == [f"this app {app}/function_app.py"]
