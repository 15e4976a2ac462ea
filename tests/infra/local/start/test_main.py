"""`make start` as one types it: it comes up, tells where, takes a drill, keeps its data, stops."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from infra.local.world import ROOT

pytestmark = pytest.mark.world
PROGRAM = """
import sys
from pathlib import Path
from infra.local.start.__main__ import main
sys.exit(main(Path(sys.argv[1])))
"""


@contextmanager
def started(folder: Path) -> Iterator[dict[str, str]]:
    """The world in a process of its own; it must stop cleanly when it is asked to."""
    command = [sys.executable, "-u", "-c", PROGRAM, str(folder)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C ends it all" in line:
                break
        try:
            assert process.poll() is None, "".join(said)
            yield json.loads(folder.with_suffix(".json").read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
        assert process.wait(30) == 0, rest
        assert "stopped; tables and inbox are kept" in rest


def get(url: str) -> str:
    with urlopen(url, timeout=20) as answer:  # noqa: S310 - the world's own address
        return str(answer.read().decode())


def post(url: str, body: dict[str, object]) -> int:
    data = json.dumps(body).encode()
    request = Request(url, data=data, method="POST")  # noqa: S310 - the world's own address
    with urlopen(request, timeout=20) as answer:  # noqa: S310
        return int(answer.status)


def test_it_starts_is_broken_keeps_its_tables_and_stops(tmp_path: Path) -> None:
    folder = tmp_path / "start"
    switch = {"scope": "*", "on": True, "who": "Dana", "reason": "a quiet evening"}
    with started(folder) as where:
        assert "Open incidents" in get(f"{where['api']}/")
        assert where["drills"] in get(f"{where['api']}/")
        assert "Ship v2" in get(where["drills"])
        assert post(f"{where['drills']}/drills/kill-executor", {}) == 200
        assert post(f"{where['api']}/api/kill-switch", switch) == 200
    with started(folder) as where:
        assert "a quiet evening" in get(f"{where['api']}/")
