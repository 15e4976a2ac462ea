"""Child processes of the local world: started, watched, killed and stopped together.

Each writes to its own log file and says that it is ready. None outlives its parent, however that
ends: a left-over child would hold its port and answer for the next run.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

READY_S = 60.0  # Azurite takes three seconds, on a busy machine many times that
GRACE_S = 10.0
POLL_S = 0.02
SHOWN_LINES = 15
_SET_PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


class ChildFailed(Exception):
    """A child ended, or was not ready in time; the message ends with the last lines of its log."""


def says(line_start: str) -> Callable[["Child"], bool]:
    """Ready when a line of the log begins so."""
    return lambda child: any(line.startswith(line_start) for line in child.output())


def answers(port: int) -> Callable[["Child"], bool]:
    """Ready when a loopback port accepts connections."""

    def is_open(_child: "Child") -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return True
        return False

    return is_open


class Child:
    """One process, which may be killed and started again under the same name and log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        ready: Callable[["Child"], bool],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._ready = ready
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id. Raises ChildFailed before its first start."""
        return self._running().pid

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._running().poll()

    def start(self) -> None:
        """Start it and return at once. From the main thread only: it ends with its thread."""
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                process_group=0,  # Ctrl-C reaches the parent only, which stops all in order
                preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509 - one system call, no locks
            )

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Wait until it says so. Raises ChildFailed when it ends first or takes too long."""
        deadline = time.monotonic() + timeout_s
        while not self._ready(self):
            if not self.is_alive():
                raise self._failure(f"ended with {self._running().returncode} before it was ready")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {timeout_s:.0f} s")
            time.sleep(POLL_S)

    def output(self) -> list[str]:
        """Read the lines that it has written since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").splitlines()

    def interrupt(self) -> None:
        """Ask it to stop (SIGINT) and return at once."""
        self.send_signal(signal.SIGINT)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        self._running().send_signal(number)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL) and wait until it is gone."""
        self._running().kill()
        self._running().wait()

    def wait_gone(self, timeout_s: float = GRACE_S) -> None:
        """Wait until it has ended; kill it when it takes longer."""
        try:
            self._running().wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ChildFailed(f"{self.name} was never started")
        return self._process

    def _failure(self, what: str) -> ChildFailed:
        lines = self.output()[-SHOWN_LINES:] or ["(it wrote nothing)"]
        shown = "\n".join(f"  {line}" for line in lines)
        return ChildFailed(f"{self.name} {what}; the end of {self.log}:\n{shown}")


class Children:
    """All children of this process; leaving the block, or SIGTERM, stops them together.

    Those that have not ended by themselves after `grace_s` are killed; 0 kills them at once.
    """

    def __init__(self, log_folder: Path, grace_s: float = GRACE_S) -> None:
        log_folder.mkdir(parents=True, exist_ok=True)
        self._log_folder = log_folder
        self._grace_s = grace_s
        self._clients: list[Child] = []
        self._servers: list[Child] = []
        self._former_handler: signal.Handlers | Callable[..., object] | int | None = None

    def __enter__(self) -> Self:
        """Turn SIGTERM into an orderly end, where signals can be handled."""
        if threading.current_thread() is threading.main_thread():
            self._former_handler = signal.signal(signal.SIGTERM, _exit)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop whatever still runs."""
        self.stop()
        if self._former_handler is not None:
            signal.signal(signal.SIGTERM, self._former_handler)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        ready: Callable[[Child], bool],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        serves_others: bool = False,
    ) -> Child:
        """Start a child that logs to `<name>.log` and return at once; see `Child.wait_ready`.

        `env` is added to this process's own environment. A child that `serves_others` stops only
        when those are gone, so that they can finish what they do with it.
        """
        log = self._log_folder / f"{name}.log"
        child = Child(name, command, log, ready=ready, env=env, cwd=cwd)
        (self._servers if serves_others else self._clients).append(child)
        child.start()
        return child

    def stop(self, grace_s: float | None = None) -> None:
        """Interrupt all together, those that serve others last; kill what is not gone in time."""
        for children in (self._clients, self._servers):
            _stop_together(children, self._grace_s if grace_s is None else grace_s)


def _stop_together(children: Sequence[Child], grace_s: float) -> None:
    alive = [child for child in children if child.is_alive()]
    for child in alive:
        child.send_signal(signal.SIGINT if grace_s else signal.SIGKILL)
    deadline = time.monotonic() + grace_s
    for child in alive:
        child.wait_gone(max(deadline - time.monotonic(), 0.1))


def _end_with(parent: int) -> Callable[[], None]:
    """Make what runs in the child before its program: tie its life to its parent's.

    SIGINT, because Azurite saves its tables on that signal only.
    """
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
        if prctl is None:
            return
        prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGINT)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return prepare


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
