"""The little KQL that an indicator is written in: `TABLE | where A | where B`, over one row.

An OpenSLO file holds two such texts, all that counts and what of it is good, the second being the
first with more conditions. `cut` takes them apart, so that one scan counts both, over any window
and any services. What cannot stand inside another query's `sumif(...)` is refused here.
"""

import re

import msgspec

from shared.errors import RejectedInput

_TOKENS = re.compile(
    r"""(?P<text>@"[^"]*"|@'[^']*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<space>\s+)|(?P<comment>//)|(?P<mark>[()\[\]{}|;"'`])|(?P<rest>[^()\[\]{}|;"'`\s/]+|/)""",
    re.VERBOSE,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_TABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_FORM = "TABLE | where CONDITION, conditions over one row"


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """One table, and the conditions that its rows pass, in order."""

    table: str
    conditions: tuple[str, ...]


def read_pipeline(text: str) -> Pipeline:
    """Read `TABLE | where A | where B`; raises RejectedInput for anything else."""
    table, *steps = _steps(text)
    if not _TABLE.fullmatch(table):
        raise _rejected(f"{table[:80]!r} is no table; {_FORM}")
    for step in steps:
        if not re.match("where .", step):
            raise _rejected(f"{step[:80]!r} is no condition; {_FORM}")
    return Pipeline(table=table, conditions=tuple(step.removeprefix("where ") for step in steps))


def cut(total: Pipeline, part: Pipeline) -> tuple[str, str]:
    """Take apart what counts, and what of it is meant besides: two conditions over one row.

    Raises RejectedInput where the part is not the total with more conditions.
    """
    shared = len(total.conditions)
    same = part.table == total.table and part.conditions[:shared] == total.conditions
    if not same or len(part.conditions) == shared:
        raise _rejected("is not the text of total with one more `| where`")
    return both(total.conditions), both(part.conditions[shared:])


def both(conditions: tuple[str, ...]) -> str:
    """All of some conditions as one; "" for none."""
    if len(conditions) < 2:
        return "".join(conditions)
    return " and ".join(f"({condition})" for condition in conditions)


def _rejected(detail: str) -> RejectedInput:
    return RejectedInput("no-indicator", detail)


def _steps(text: str) -> list[str]:
    """Split at the pipes between steps, with single spaces outside of quoted text."""
    steps, open_marks = [""], list[str]()
    for found in _TOKENS.finditer(text):
        kind, said = str(found.lastgroup), found[0]
        if kind == "comment" or (kind == "mark" and said in "\"'`;"):
            raise _rejected(f"{said} is not allowed; {_FORM}")
        if kind == "mark":
            _follow(open_marks, said)
        if said == "|":
            steps.append("")
        else:
            steps[-1] += " " if kind == "space" else said
    if open_marks:
        raise _rejected(f"{open_marks[-1]} is not closed")
    return [step.strip() for step in steps]


def _follow(open_marks: list[str], mark: str) -> None:
    """Keep the brackets that are open; nothing may close what it did not open."""
    if mark in "([{":
        open_marks.append(mark)
    elif mark in _CLOSES and (not open_marks or open_marks.pop() != _CLOSES[mark]):
        raise _rejected(f"{mark} closes nothing")
    elif mark == "|" and open_marks:
        raise _rejected(f"a | within {open_marks[-1]} asks for other rows; {_FORM}")
