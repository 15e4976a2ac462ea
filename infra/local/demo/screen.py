"""What the demo shows: acts, facts and a live line of traffic; plain lines without a terminal."""

import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


class Screen:
    """One terminal, or one stream of lines."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._began = time.monotonic()

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches."""
        return self._console.is_terminal

    def act(self, number: int, title: str) -> None:
        """Begin an act."""
        self._print(Text(f"\nAct {number}  {title}", style="bold"))

    def fact(self, text: str, style: str = "") -> None:
        """Say one thing that was observed, with the seconds since the start."""
        at = f"{time.monotonic() - self._began:5.1f} s  "
        self._print(Text.assemble((at, "dim"), (text, style)))

    def traffic(self, status: dict[str, Any]) -> None:
        """Show who serves and how customers fare; a terminal only."""
        if self.is_terminal:
            self._show(_traffic(status))

    def waits(self, left_s: int, why: str) -> None:
        """Show for what a person is waited for, and how long still; a terminal only."""
        if self.is_terminal:
            self._show(Text(f"         {left_s:3d} s left {why}", style="yellow"))

    def still(self) -> None:
        """End the live line."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def box(self, title: str, rows: list[tuple[str, str]], *, good: bool) -> None:
        """Close with what counts."""
        self.still()
        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            table.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
        self._console.print()
        self._console.print(Panel(table, title=title, border_style="green" if good else "red"))

    def _print(self, text: Text) -> None:
        self._console.print(text)

    def _show(self, line: Text) -> None:
        """Put this in the live line's place."""
        if self._live is None:
            self._live = Live(console=self._console, transient=True, refresh_per_second=8)
            self._live.start()
        self._live.update(line)


def _traffic(status: dict[str, Any]) -> Text:
    split = "  ".join(f"{name} {share} %" for name, share in sorted(status["traffic"].items()))
    line = Text(f"         {split}   ")
    for region, counts in sorted(status["recent"].items()):
        share = counts["good"] / counts["all"]
        style = "green" if share > 0.97 else "yellow" if share > 0.8 else "red"
        line.append(f"{region} {100 * share:3.0f} % ", style=style)
    return line
