"""`make-series ... from ... to ... step ...` as two summarizes that the translator knows.

The first folds rows into numbered slots, the second packs the slots into arrays, which `kqlx_fill`
lays on the full axis. Only the form with from, to and step is accepted: without them the axis would
depend on the data.
"""

import re
from typing import NamedTuple

from duckdb_kql import KqlUnsupportedError

from infra.local.logs.syntax import Named, Node, Source, children, split_arguments

_SLOT = "__slot"
_OPERATOR = re.compile(r"^make-series\s+(kind\s*=\s*nonempty\s+)?")
_DEFAULT = re.compile(r"\bdefault\s*=\s*(.+)$", re.DOTALL)
_NAMED = re.compile(r"(\w+)\s*=(?!=)\s*(.*)$", re.DOTALL)
_CALL = re.compile(r"(\w+)\s*\((.*)\)\s*$", re.DOTALL)


class _Range(NamedTuple):
    start: str
    stop: str
    step: str

    @property
    def length(self) -> str:
        return f"kqlx_ceiling((({self.stop}) - ({self.start})) / ({self.step}))"


class _Aggregate(NamedTuple):
    name: str
    call: str
    default: str


def rewrite_make_series(source: Source, node: Node) -> str:
    """Return the pipeline that stands for one make-series operator."""
    on = children(node, "MakeSeriesOperatorOnClause")[0]
    time = source.text_of(children(on, "NamedExpression")[0])
    span = _range(source, node)
    # By text, not by tree: the grammar reads `A = countif(...)` as an operator parameter.
    head = _OPERATOR.sub("", source.between(node, on)).strip()
    aggregates = [_aggregate(item) for item in split_arguments(head)]
    by = [_by(source, item) for item in _by_nodes(node)]
    return "\n| ".join(_stages(time, span, aggregates, by))


def _stages(time: str, span: _Range, aggregates: list[_Aggregate], by: list[Named]) -> list[str]:
    keys = [item.names[0] for item in by]
    slots = ", ".join([f"{item.names[0]} = {item.text}" for item in by] + [_slot(time, span)])
    values = ", ".join(f"{a.name} = {a.call}" for a in aggregates)
    packed = ", ".join(f"{a.name} = make_list(kqlx_point({_SLOT}, {a.name}))" for a in aggregates)
    filled = [f"{a.name} = kqlx_fill({a.name}, {span.length}, {a.default})" for a in aggregates]
    axis = f"{time} = kqlx_axis(({span.start}), kqlx_microseconds({span.step}), {span.length})"
    return [
        f"where {time} >= ({span.start}) and {time} < ({span.stop})",
        f"summarize {values} by {slots}",
        f"summarize {packed}" + (f" by {', '.join(keys)}" if keys else ""),
        f"project {', '.join([*keys, *filled, axis])}",
    ]


def _slot(time: str, span: _Range) -> str:
    return f"{_SLOT} = kqlx_slot((({time}) - ({span.start})) / ({span.step}))"


def _range(source: Source, node: Node) -> _Range:
    clause = children(node, "MakeSeriesOperatorFromToStepClause")
    words = [c.getText().lower() for c in clause[0].children if _is_word(c)] if clause else []
    if words != ["from", "to", "step"]:
        raise KqlUnsupportedError("make-series", hint="say from, to and step")
    return _Range(*(source.text_of(part) for part in children(clause[0], "NamedExpression")))


def _is_word(node: Node) -> bool:
    return not getattr(node, "children", None)


def _by_nodes(node: Node) -> list[Node]:
    clauses = children(node, "MakeSeriesOperatorByClause")
    return children(clauses[0], "NamedExpression") if clauses else []


def _by(source: Source, node: Node) -> Named:
    item = source.named(node)
    return Named(item.names or [item.text], item.text)


def _aggregate(item: str) -> _Aggregate:
    default = _DEFAULT.search(item)
    value = default[1].strip() if default else "0"
    text = item[: default.start()].strip() if default else item
    named = _NAMED.match(text)
    if named:
        return _Aggregate(named[1], named[2].strip(), f"kqlx_real({value})")
    return _Aggregate(_automatic_name(text), text, f"kqlx_real({value})")


def _automatic_name(text: str) -> str:
    call = _CALL.match(text)
    if not call:
        raise KqlUnsupportedError("make-series", hint=f"{text} is no aggregate")
    argument = call[2].strip()
    return f"{call[1]}_{argument}" if argument.isidentifier() else f"{call[1]}_"
