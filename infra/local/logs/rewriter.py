"""From the KQL that we write to the KQL that the translator knows.

Each operator that it lacks is replaced in the text, by the parse tree, with operators that it has.
Whatever else it lacks it refuses itself, with its own error.
"""

import re
from collections.abc import Callable

from infra.local.logs.make_series import rewrite_make_series
from infra.local.logs.syntax import Named, Node, Source, children, split_arguments

_SERIES_CALL = re.compile(r"(series_decompose_anomalies|series_fit_line)\s*\((.*)\)\s*$", re.DOTALL)
_PERCENTILES = re.compile(r"percentiles\s*\((.*)\)\s*$", re.DOTALL)
_PREV = re.compile(r"\bprev\s*\(\s*([\w.]+)\s*\)")
_ANOMALY_COLUMNS = ["ad_flag", "ad_score", "baseline"]
_FIT_COLUMNS = ["rsquare", "slope", "variance", "rvariance", "interception", "line_fit"]
_FIT_NUMBERS = 5
# threshold, seasonality, trend, test points, method; -1 asks for a period search, which is refused
_ANOMALY_DEFAULTS = ["1.5", "-1", '"avg"', "0", '"ctukey"']
_PACKED = "__series"

_TAKE = re.compile(r"(?:take|limit)\s+(\w+)\s*$")

type _Rule = Callable[[Source, Node], str | None]


def rewrite(text: str) -> str:
    """Return equivalent KQL in operators and forms that the translator knows.

    Raises KqlSyntaxError when the text does not parse.
    """
    for word, kind, rule in _RULES:
        if word in text:
            text = _replace(text, kind, rule)
    return text


def _replace(text: str, kind: str, rule: _Rule) -> str:
    source = Source(text)
    for node in source.find(kind):
        new = rule(source, node)
        if new is not None:
            text = text[: node.start.start] + new + text[node.stop.stop + 1 :]
    return text


def _rewrite_extend(source: Source, node: Node) -> str | None:
    items = [source.named(item) for item in children(node, "NamedExpression")]
    if not any(_SERIES_CALL.match(item.text) for item in items):
        return None
    return "\n| ".join(stage for item in items for stage in _extend_stages(item))


def _extend_stages(item: Named) -> list[str]:
    call = _SERIES_CALL.match(item.text)
    if not call:
        name = f"{item.names[0]} = " if item.names else ""
        return [f"extend {name}{item.text}"]
    function, arguments = call[1], split_arguments(call[2])
    names = item.names or [f"{function}_{arguments[0]}_{c}" for c in _columns_of(function)]
    return [
        f"extend {_PACKED} = {_packed_call(function, arguments)}",
        "extend " + ", ".join(_unpack(function, name, i) for i, name in enumerate(names)),
        f"project-away {_PACKED}",
    ]


def _columns_of(function: str) -> list[str]:
    return _FIT_COLUMNS if function == "series_fit_line" else _ANOMALY_COLUMNS


def _packed_call(function: str, arguments: list[str]) -> str:
    if function == "series_fit_line":
        return f"kqlx_fit_line({arguments[0]})"
    given = arguments[1:]
    threshold, *others = given + _ANOMALY_DEFAULTS[len(given) :]
    return f"kqlx_anomalies({', '.join([arguments[0], f'kqlx_real({threshold})', *others])})"


def _unpack(function: str, name: str, index: int) -> str:
    value = f"{_PACKED}[{index}]"
    is_number = function == "series_fit_line" and index < _FIT_NUMBERS
    return f"{name} = kqlx_real({value})" if is_number else f"{name} = {value}"


def _rewrite_summarize(source: Source, node: Node) -> str | None:
    if "percentiles" not in source.text_of(node):
        return None
    columns: list[str] = []
    for item in children(node, "NamedExpression"):
        columns += _percentiles(source.named(item)) or [source.text_of(item)]
    by = children(node, "SummarizeOperatorByClause")
    return f"summarize {', '.join(columns)}" + (f" {source.text_of(by[0])}" if by else "")


def _percentiles(item: Named) -> list[str]:
    call = _PERCENTILES.match(item.text)
    if not call:
        return []
    column, *ranks = split_arguments(call[1])
    automatic = [f"percentile_{column}_{rank.replace('.', '_')}" for rank in ranks]
    names = item.names + automatic[len(item.names) :]
    return [
        f"{name} = percentile({column}, {rank})" for name, rank in zip(names, ranks, strict=True)
    ]


def _rewrite_serialize(source: Source, node: Node) -> str:
    items = [source.text_of(item) for item in children(node, "NamedExpression")]
    if not items:
        return "where true"
    return "extend " + ", ".join(_PREV.sub(r"prev(\1, 1)", item) for item in items)


def _rewrite_take(source: Source, node: Node) -> str | None:
    """Put the number of a leading `let` in its place: the translator takes only literals here."""
    taken = _TAKE.match(source.text_of(node))
    number = taken and re.search(rf"let {taken[1]} = (?:int|long)\((\d+)\);", source.text)
    return f"take {number[1]}" if number else None


_RULES: list[tuple[str, str, _Rule]] = [
    ("make-series", "MakeSeriesOperator", rewrite_make_series),
    ("series_", "ExtendOperator", _rewrite_extend),
    ("percentiles", "SummarizeOperator", _rewrite_summarize),
    ("take", "TakeOperator", _rewrite_take),
    ("serialize", "SerializeOperator", _rewrite_serialize),
]
