"""Folding: one read of one table, with the counts of all its objectives in every window.

The inner part of the queries that `shared.domain.slos.burn_query` compiles: a row a service, or a
slice of one, however many requests there were.
"""

import msgspec

from shared.domain.slos.kql import NOT_A_PROBE, Dimension, span
from shared.domain.slos.slots import Scan, Slot, of

BUDGET = "Budget"
"""Stands for the window of the objective itself in a column's name: TBudget, BBudget, ABudget."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts of a query agree on: the columns of counts, and how the rows are sliced."""

    columns: tuple[str, ...]
    slices: tuple[Dimension, ...]
    labels: bool

    @property
    def kinds(self) -> str:
        """Total and good, and where labels are counted those that could have one."""
        return "TGA" if self.labels else "TG"

    @property
    def told(self) -> str:
        """The kinds of columns in the answer."""
        return "TBA" if self.labels else "TB"

    @property
    def by(self) -> list[str]:
        """The columns of the slices."""
        return [one.column for one in self.slices]


def fold(place: int, scan: Scan, shape: Shape) -> str:
    """One table, folded to a row a service and slice."""
    spans = [column for column in shape.columns if column != BUDGET]
    whose = "AppRoleName == Asked" if shape.slices else of(scan.services)
    longest = max([*spans, f"{scan.days}d"] if BUDGET in shape.columns else spans, key=span)
    # A label is written after the answer that it judges: reading from the same moment finds it.
    read = [f"At = {scan.moment}", *(one.reading for one in shape.slices)]
    flags = [f"Good{slot.number} = {slot.good}" for slot in scan.slots if not slot.answered]
    sums = [
        sum_
        for slot in scan.slots
        for column in shape.columns
        for sum_ in _sums(scan, slot, column)
    ]
    lines = [
        f"let Scan{place} = materialize({scan.table}",
        f"| where TimeGenerated >= End - {longest} and {whose} and {NOT_A_PROBE}",
        *([f"| where {scan.counted}"] if scan.counted != "true" else []),
        f"| extend {', '.join(read)}",
        f"| where At >= End - {longest} and At < End",
        *([f"| extend {', '.join(flags)}"] if flags else []),
        f"| summarize\n    {',\n    '.join(dict.fromkeys(sums))}",
        f"  by {', '.join(['Service = AppRoleName', *shape.by])});",
    ]
    return "\n".join(lines)


def _sums(scan: Scan, slot: Slot, column: str) -> list[str]:
    """The total and, but for what could be judged, the good ones of one window."""
    total = f"{total_of(scan, slot)}_{column} = sumif(ItemCount, {_when(scan, slot, column)})"
    if slot.answered:
        return [total]
    good = f"Good{slot.number} and {_when(scan, slot, column)}"
    return [total, f"G{slot.number}_{column} = sumif(ItemCount, {good})"]


def total_of(scan: Scan, slot: Slot) -> str:
    """The name of a slot's totals: objectives that count the same rows share them."""
    mine = _when(scan, slot, BUDGET)
    first = next(one for one in scan.slots if _when(scan, one, BUDGET) == mine)
    return f"A{first.number}" if first.answered else f"T{first.number}"


def _when(scan: Scan, slot: Slot, column: str) -> str:
    """The condition of the rows that count in a window."""
    if column == BUDGET:
        since = slot.within(lambda days: f"At >= End - {days}d")
    else:
        since = f"At >= End - {column}"
    every = slot.counted in ("true", scan.counted)
    return since if every else f"({since}) and ({slot.counted})"
