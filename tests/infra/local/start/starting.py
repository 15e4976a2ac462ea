"""`make start` in a process of its own, as one types it and ends it with Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.world import ROOT, Pace

QUICK = Pace(
    soak_s=2,
    soak_minimum_requests=60,
    minimum_requests=8,
    verify_after_s=3,
    acknowledge_within_s=180,
    lease_s=5.0,
    lock_s=5,
    patience_s=2.0,
    operation_s=0.5,
    log_lag_s=0.5,
    log_bin_s=0.5,
    rule_every_s=0.75,
    rule_pace=20.0,
    fuse_s=0.5,
)
"""Everything as in `make start`, with less waiting."""

PROGRAM = """
import sys
from pathlib import Path
from infra.local.start.__main__ import main
from tests.infra.local.start.starting import QUICK
sys.exit(main(Path(sys.argv[1]), QUICK))
"""


@contextmanager
def started(folder: Path) -> Iterator[dict[str, str]]:
    """The world, and where its parts are; it must stop cleanly when it is asked to."""
    command = [sys.executable, "-u", "-c", PROGRAM, str(folder)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        process_group=0,
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
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
        assert process.wait(30) == 0, rest
        assert "stopped; tables and inbox are kept" in rest
