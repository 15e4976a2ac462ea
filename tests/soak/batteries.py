"""The batteries: every test file that grows with BACKSTOP_SOAK, run one after the other.

Each is one pytest run of its own; what it has finished lies in `.local/soak/`, so a soak that was
interrupted goes on where it stopped.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.soak.report import Battery, battery_of
from tests.soak.tally import KEPT, read_done, read_wanted

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tests/simulation", "tests/batteries")
LOOK_S = 2.0
GRACE_S = 20.0
PLAYED = (0, 1, 5)  # all passed, some failed, all passed before

type Say = Callable[[Battery], None]


def batteries() -> dict[str, Path]:
    """The test files by their names, without those that play no more when more is asked for."""
    return dict(sorted((name, path) for name, path in _files() if _grows(path)))


def _files() -> Iterator[tuple[str, Path]]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("test_*.py"):
            yield _name(path.relative_to(ROOT / folder)), path


def _grows(path: Path) -> bool:
    return "SOAK" in path.read_text()


def _name(path: Path) -> str:
    words = (*path.parent.parts, path.stem.removeprefix("test_"))
    return "-".join(words).replace("_", "-")


def run(name: str, path: Path, *, times: int, kept: Path, workers: int, say: Say) -> Battery:
    """Run one battery, saying every few seconds how far it is; it goes on where it stopped."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    environment = {**os.environ, "BACKSTOP_SOAK": str(times), KEPT: str(kept)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.soak.tally", "--timeout=0"]
    command += ["-p", "no:cacheprovider", "-n", str(workers), "--dist", "load", str(path)]
    with kept.with_suffix(".log").open("wb") as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C comes from here, once
        )
        try:
            while child.poll() is None:
                time.sleep(LOOK_S)
                say(_so_far(name, times, kept, began))
        except KeyboardInterrupt:
            _stop(child)
            raise
    done = _so_far(name, times, kept, began)
    if child.returncode in PLAYED:
        return done
    trouble = f"{name}: pytest ended with {child.returncode}, see {kept.with_suffix('.log')}"
    return msgspec.structs.replace(done, trouble=trouble)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Interrupt it; what it has finished is kept."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()


def _so_far(name: str, times: int, kept: Path, began: float) -> Battery:
    wall_s = time.monotonic() - began
    return battery_of(name, times, read_wanted(kept), read_done(kept), wall_s)
