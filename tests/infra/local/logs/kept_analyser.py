"""Microsoft's analyser as one process for all tests: node takes longer to start than to answer."""

import subprocess
from types import TracebackType
from typing import Self

from infra.local.logs.analyser import SCRIPT


class KeptAnalyser:
    """Starts with the first question and ends with the block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, line: str) -> str:
        """What it says to a line, as `analyser` asks it."""
        if self._process is None:
            self._process = subprocess.Popen(
                ["node", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.communicate(timeout=30)  # the end of its input is its own
