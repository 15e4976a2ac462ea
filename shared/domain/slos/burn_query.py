"""Compile the objectives of any services into one query: their counts in every window.

Diagnosis asks it for one service with its slices, the budgets ask it for all services at once. Each
table is read once, folded to one row a service (and slice) that is materialized and tiny; whatever
follows are sums over those. The end is aligned and held back for ingestion, so every window is
exact: [End - W, End). Rates are arithmetic, so they are not here.
"""

from collections.abc import Iterable, Sequence

from shared.domain.catalog import Service
from shared.domain.diagnosis.telemetry import Query
from shared.domain.slos.folding import BUDGET, Shape, fold, total_of
from shared.domain.slos.kql import DIMENSIONS, quote, span
from shared.domain.slos.slo import WINDOWS
from shared.domain.slos.slots import Counting, Scan, Slot, arrange, number, of

BURN_RATES = "burn_rates"
BUDGETS = "budgets"

_KEY = ("Service", "Slo", "Sli", "Dimension", "Value")


def burn_query(service: Service) -> Query:
    """What diagnosis asks of one service: every objective, for the total and each of its slices.

    A slice without a request has no row, and neither has an objective that counts nothing.
    """
    return _query(BURN_RATES, [service], WINDOWS, budget=False)


def budget_query(services: Sequence[Service], windows: Iterable[str] = ()) -> Query:
    """What the budgets are told by: a row for every objective of all services, without slices.

    `windows` are further ones than the usual. Besides, each objective is counted over its own
    window; one without data has zeros.
    """
    wanted = sorted({*WINDOWS, *windows}, key=span)
    return _query(BUDGETS, services, wanted, budget=True)


def _query(
    name: str, services: Sequence[Service], windows: Sequence[str], *, budget: bool
) -> Query:
    """The budgets' query has no slices, the sliced one no budget: each would make both slow."""
    countings = number(services)
    columns = (*windows, BUDGET) if budget else tuple(windows)
    shape = Shape(
        columns=columns,
        slices=() if budget else tuple(DIMENSIONS.values()),
        labels=any(one.slo.indicator.label_source for one in countings),
    )
    scans = arrange(countings)
    parts = [
        *(_names(countings) if shape.slices else []),
        "let End = bin(now() - Lag, Bin);",
        *(fold(place, scan, shape) for place, scan in enumerate(scans)),
        _rows(scans, shape),
        *(_of_all(countings, shape) if budget else [_counts(shape), _answer(shape)]),
    ]
    counts = {f"{kind}{column}": "long" for column in columns for kind in shape.told}
    return Query(
        name=name,
        purpose="Requests, bad ones and those that could be judged, of every objective and window.",
        parameters={"Lag": "timespan", "Bin": "timespan"},
        columns=dict.fromkeys(_KEY, "string") | counts,
        text="\n".join(parts),
    )


def _names(countings: Iterable[Counting]) -> Iterable[str]:
    """What differs between services that promise alike stands in front, as parameters do."""
    for one in countings:
        if not one.slot:
            yield f"let Asked = {quote(one.service)};"
        yield f"let Slo{one.slot} = {quote(one.slo.name)};"
        yield f"let Sli{one.slot} = {quote(one.slo.sli)};"


def _rows(scans: Iterable[Scan], shape: Shape) -> str:
    """The counts of every slot, whichever scan has them, in the same columns."""
    found = [
        f"(Scan{place}{_whose(scan, slot)} | project "
        f"{', '.join([*_key(slot, shape), *_same(scan, slot, shape)])})"
        for place, scan in enumerate(scans)
        for slot in scan.slots
    ]
    return f"let Rows = materialize(union\n  {',\n  '.join(found)});"


def _whose(scan: Scan, slot: Slot) -> str:
    """Leave out the rows of services that count something else in a slot of this number."""
    mine = [one.service for one in slot.countings]
    if set(mine) == set(scan.services):
        return ""
    return f" | where {of(mine, 'Service')}"


def _key(slot: Slot, shape: Shape) -> list[str]:
    """Whose counts these are; of one service the slot's objective is known by name."""
    if not shape.slices:
        return ["Service", f"Slot = {slot.number}"]
    return ["Service", f"Slo = Slo{slot.number}", f"Sli = Sli{slot.number}", *shape.by]


def _same(scan: Scan, slot: Slot, shape: Shape) -> Iterable[str]:
    for column in shape.columns:
        total = f"{total_of(scan, slot)}_{column}"
        good = "0" if slot.answered else f"G{slot.number}_{column}"
        counts = {
            "T": "0" if slot.answered else total,
            "G": good,
            "A": "0" if slot.of_labels else total,
        }
        yield from (f"{kind}{column} = {counts[kind]}" for kind in shape.kinds)


def _counts(shape: Shape) -> str:
    """One row for each objective, and for each of its slices."""
    every = [("", '""'), *((one.name, one.column) for one in shape.slices)]
    sliced = [
        f"(Rows | extend Dimension = {quote(name)}, Value = {value})" for name, value in every
    ]
    return f"union\n  {',\n  '.join(sliced)}\n{_summed(shape)}\n  by {', '.join(_KEY)}"


def _of_all(countings: Iterable[Counting], shape: Shape) -> list[str]:
    """Whatever has data joins the list of all objectives: one without keeps its row."""
    rows = [
        f"  {quote(one.service)}, {one.slot}, {quote(one.slo.name)}, {quote(one.slo.sli)}"
        for one in countings
    ]
    head = "let Objectives = datatable(Service: string, Slot: long, Slo: string, Sli: string) ["
    return [
        f"let Counts = Rows\n{_summed(shape)}\n  by Service, Slot;",
        f"{head}\n{',\n'.join(rows)}];",
        "Objectives\n| lookup kind=leftouter Counts on Service, Slot",
        '| extend Dimension = "", Value = ""',
        _answer(shape),
    ]


def _summed(shape: Shape) -> str:
    names = [f"{kind}{column}" for column in shape.columns for kind in shape.kinds]
    return f"| summarize {', '.join(f'{name} = sum({name})' for name in names)}"


def _answer(shape: Shape) -> str:
    told = [
        ", ".join(f"{name}{column} = {count}" for name, count in _told(column, shape))
        for column in shape.columns
    ]
    return (
        f"| project {', '.join(_KEY)},\n    {',\n    '.join(told)}\n"
        "| order by Service asc, Slo asc, Dimension asc, Value asc"
    )


def _told(column: str, shape: Shape) -> Iterable[tuple[str, str]]:
    """Total, bad, and those that could have a label; bad is whatever is not known to be good."""
    counts = {"T": f"T{column}", "B": f"T{column} - G{column}", "A": f"A{column}"}
    for name in shape.told:
        yield name, counts[name] if shape.slices else f"coalesce({counts[name]}, 0)"
