"""Memory of another process: the most that it ever held, where the system tells."""

import subprocess
from pathlib import Path


def peak_mb(pid: int) -> float:
    """Peak resident memory; on systems without /proc what it holds now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        return _kilobytes(status.read_text(), "VmHWM") / 1024
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(said.stdout) / 1024


def _kilobytes(status: str, name: str) -> int:
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
