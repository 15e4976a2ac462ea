"""Children start, say that they are ready, and never outlive who started them."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.ports import free_port
from infra.local.processes import Child, ChildFailed, Children, answers, says

ROOT = Path(__file__).resolve().parents[3]
SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); " + SLEEPER
POLITE = """
import time
print('ready', flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print('bye', flush=True)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def start(children: Children, code: str, name: str = "child") -> Child:
    child = children.start(name, python(code), ready=says("ready"))
    child.wait_ready()
    return child


def is_there(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_is_ready_when_it_says_so(logs: Path) -> None:
    with Children(logs) as children:
        child = start(children, SLEEPER)
        assert child.is_alive()
        assert child.output() == ["ready"]


def test_a_child_is_ready_when_its_port_answers(logs: Path) -> None:
    port = free_port()
    server = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port})"
    with Children(logs) as children:
        child = children.start("web", python(server), ready=answers(port))
        child.wait_ready()
        assert child.is_alive()


def test_a_child_gets_our_environment_and_what_is_added(logs: Path, tmp_path: Path) -> None:
    show = "import os; print('ready', os.environ['ADDED'], 'PATH' in os.environ, os.getcwd())"
    with Children(logs) as children:
        child = children.start(
            "env", python(show), ready=says("ready"), env={"ADDED": "yes"}, cwd=tmp_path
        )
        child.wait_ready()
        assert child.output() == [f"ready yes True {tmp_path}"]


def test_a_child_that_ends_early_is_reported_with_the_end_of_its_log(logs: Path) -> None:
    failing = "import sys\nfor n in range(40): print('line', n)\nsys.exit('no settings')"
    with Children(logs) as children:
        child = children.start("app", python(failing), ready=says("ready"))
        with pytest.raises(ChildFailed) as failure:
            child.wait_ready()
    message = str(failure.value)
    assert message.startswith(f"app ended with 1 before it was ready; the end of {logs}/app.log:")
    assert message.endswith("no settings")
    assert "line 39" in message
    assert "line 10\n" not in message


def test_a_child_that_is_silent_for_too_long_is_reported(logs: Path) -> None:
    with Children(logs) as children:
        child = children.start("app", python("import time; time.sleep(60)"), ready=says("ready"))
        with pytest.raises(ChildFailed, match="app was not ready within 0 s"):
            child.wait_ready(timeout_s=0.1)


def test_a_killed_child_can_be_started_again_and_must_be_ready_again(logs: Path) -> None:
    with Children(logs) as children:
        child = start(children, SLEEPER)
        first = child.pid
        child.kill()
        assert not child.is_alive()
        child.start()
        child.wait_ready()
        assert child.pid != first
        assert child.output() == ["ready"]
        assert child.log.read_text() == "ready\nready\n"


def test_leaving_the_block_stops_all_children_politely(logs: Path) -> None:
    with Children(logs) as children:
        polite = [start(children, POLITE, f"child{number}") for number in range(2)]
    assert [child.output()[-1] for child in polite] == ["bye", "bye"]
    assert not any(child.is_alive() for child in polite)


def test_what_others_depend_on_stops_after_them(logs: Path) -> None:
    stopping = POLITE.replace("'bye'", "'bye', time.monotonic()")
    with Children(logs) as children:
        server = children.start("server", python(stopping), ready=says("ready"), serves_others=True)
        client = start(children, stopping, "client")
        server.wait_ready()
    ends = [float(child.output()[-1].split()[1]) for child in (client, server)]
    assert ends == sorted(ends)


def test_an_error_in_the_block_stops_them_too(logs: Path) -> None:
    started: list[Child] = []

    def fail() -> None:
        with Children(logs) as children:
            started.append(start(children, SLEEPER))
            raise RuntimeError("demo failed")

    with pytest.raises(RuntimeError, match="demo failed"):
        fail()
    assert [child.is_alive() for child in started] == [False]


def test_a_child_that_does_not_stop_is_killed(logs: Path) -> None:
    with Children(logs) as children:
        child = start(children, STUBBORN)
        children.stop(grace_s=0.2)
        assert child.returncode == -signal.SIGKILL


PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from pathlib import Path
from infra.local.processes import Children, says
with Children(Path(sys.argv[1])) as children:
    child = children.start("child", [sys.executable, "-c", sys.argv[2]], ready=says("ready"))
    child.wait_ready()
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent")
def test_children_die_with_their_parent_however_it_dies(logs: Path, number: signal.Signals) -> None:
    command = [*python(PARENT), str(logs), SLEEPER]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_there(child)
        parent.send_signal(number)
        parent.wait(10)
    until(lambda: not is_there(child))


def test_children_may_be_kept_away_from_the_main_thread(logs: Path) -> None:
    """Signals cannot be handled there, and are not."""
    stopped: list[bool] = []

    def elsewhere() -> None:
        with Children(logs) as children:
            child = start(children, SLEEPER)
        stopped.append(not child.is_alive())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert stopped == [True]
