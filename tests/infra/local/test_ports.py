"""Ports are chosen so that nobody takes them before their server does."""

import socket
import subprocess
import sys

import pytest

from infra.local import ports
from infra.local.ports import free_port, is_free

CHOOSE = "from infra.local.ports import free_port; print(free_port(), flush=True); input()"


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    port = free_port()
    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)


def test_no_port_is_given_twice() -> None:
    chosen = [free_port() for _ in range(50)]
    assert len(set(chosen)) == 50


def test_what_another_process_chose_is_its_own_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHOOSE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert is_free(port), "its server has not started yet"
        monkeypatch.setattr(ports, "CHOICE", range(port, port + 1))
        with pytest.raises(OSError, match="is free"):
            free_port()
        other.communicate("\n")
    assert free_port() == port
