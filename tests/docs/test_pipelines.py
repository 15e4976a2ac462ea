"""The steps of docs/pipelines.md stop a pipeline at a refusal, and nowhere else."""

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from responders.watching.register import ReleaseRequest
from shared.domain.freezes.promotion import IfFrozen
from tests.docs.documents import read

GITHUB, DEVOPS = (
    yaml.safe_load(block.text)[0]
    for block in read("docs/pipelines.md").blocks
    if block.language == "yaml"
)
STEPS = [
    pytest.param(GITHUB["run"], GITHUB["env"], id="GitHub Actions"),
    pytest.param(DEVOPS["inputs"]["inlineScript"], DEVOPS["env"], id="Azure DevOps"),
]
steps = pytest.mark.parametrize(("script", "settings"), STEPS)


class Backstop(http.server.BaseHTTPRequestHandler):
    """Answers every post with one status, and keeps what it was asked."""

    status = 200
    asked: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.status)
        answer = b'{"detail": "No promotion now"}'
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def answering(code: int) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A server that answers so, by its address and what it was asked."""
    heard: list[tuple[str, str, bytes]] = []

    class Answering(Backstop):
        status = code
        asked = heard

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()
        thread.join()


@steps
def test_the_step_asks_to_be_refused(script: str, settings: dict[str, str]) -> None:
    asked = msgspec.json.decode(settings["RELEASE"].encode(), type=ReleaseRequest)
    assert asked.if_frozen is IfFrozen.REFUSE
    assert "$RELEASE" in script


@pytest.mark.skipif(not shutil.which("curl"), reason="the steps are for curl")
@pytest.mark.parametrize(("status", "goes_on"), [(201, True), (200, True), (409, False)])
@steps
def test_the_step_fails_where_the_answer_is_a_refusal(
    script: str, settings: dict[str, str], status: int, goes_on: bool, tmp_path: Path
) -> None:
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\necho a-token\n")
    az.chmod(0o755)
    with answering(status) as (address, asked):
        env = settings | {"BACKSTOP": address, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        ran = subprocess.run(
            ["bash", "-e", "-c", script], env=env, capture_output=True, timeout=30, check=False
        )
    assert (ran.returncode == 0) is goes_on, ran.stderr
    assert b"No promotion now" in ran.stdout, "the pipeline's log says why"
    assert asked == [("/api/releases", "Bearer a-token", settings["RELEASE"].encode())]
