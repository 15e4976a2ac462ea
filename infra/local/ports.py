"""Loopback ports for the servers of the local world, chosen before the servers start.

A port that was only found free may be gone when its server binds it: any outgoing connection takes
one of the system's own range, and other test processes look at the same time. So these lie below
that range, and a locked file keeps each for the process that chose it until the process ends.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

CHOICE = range(20_000, 32_768)
"""Linux and macOS give outgoing connections the ports above, unless somebody set it otherwise."""

_kept: list[int] = []  # file descriptors: a lock ends when its descriptor is closed


def free_port() -> int:
    """Choose a port that nobody listens on, and keep it from all others who choose so.

    Raises OSError when there is none.
    """
    for port in random.sample(CHOICE, len(CHOICE)):
        if _keep(port) and is_free(port):
            return port
    raise OSError(f"no port of {CHOICE.start} to {CHOICE.stop - 1} is free")


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _keep(port: int) -> bool:
    """Lock the port's file; False where somebody has."""
    folder = Path(tempfile.gettempdir()) / f"backstop-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _kept.append(lock)
    return True
