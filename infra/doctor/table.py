"""What was found, for people in a terminal: what failed first, then what nobody could check."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.domain.readiness.check import Check, Verdict
from shared.domain.readiness.stage import Missing, Standing

_MARK = {
    Verdict.FAILED: "[red]failed[/]",
    Verdict.UNKNOWN: "[yellow]unknown[/]",
    Verdict.PASSED: "[green]passed[/]",
}
_ORDER = tuple(_MARK)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of one look: `whose` says by whom and when."""

    whose: str
    checks: tuple[Check, ...]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run found."""

    parts: tuple[Part, ...]
    stage: str
    standings: tuple[Standing, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        every = (check for part in self.parts for check in part.checks)
        return any(check.verdict is Verdict.FAILED for check in every)


def show(findings: Findings, console: Console | None = None) -> None:
    """Print it all."""
    screen = console or Console()
    for part in findings.parts:
        screen.print(_checks(part))
    screen.print(f"\nStage of the whole: [bold]{findings.stage}[/]")
    for one in findings.standings:
        screen.print(_standing(one))
    screen.print(_summary(findings))


def _checks(part: Part) -> Table:
    table = Table(title=f"\n{part.whose}", title_justify="left", show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in sorted(part.checks, key=lambda one: _ORDER.index(one.verdict)):
        table.add_row(_MARK[check.verdict], _found(check))
    return table


def _found(check: Check) -> str:
    """Two columns only: five of them cannot be read in a terminal of 80 characters."""
    what = f"{check.service} / {check.name}" if check.service else check.name
    lines = [f"{check.area} [bold]{escape(what)}[/]: {escape(check.sentence)}"]
    return "\n".join([*lines, *([f"-> {escape(check.remedy)}"] if check.remedy else [])])


def _standing(one: Standing) -> str:
    lines = [f"  {escape(one.service)}: [bold]{one.stage}[/]"]
    if one.next is not None:
        lines[0] += f"; for {one.next} there is missing"
    return "\n".join([*lines, *(_lack(lack) for lack in one.missing)])


def _lack(lack: Missing) -> str:
    note = " (nobody could check it)" if lack.unknown else ""
    return f"    - {lack.what}{note}: {lack.remedy}"


def _summary(findings: Findings) -> str:
    verdicts: Sequence[Verdict] = [c.verdict for part in findings.parts for c in part.checks]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in _ORDER]
    return f"\n{len(verdicts)} checks: {', '.join(counts)}"
