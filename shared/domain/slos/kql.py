"""KQL as text: literals that no value can break out of, and the fragments that every query shares.

Used by the rooms that compile objectives into queries; the shipped files of `shared/queries` say
the same by hand.
"""

import json
import re
from datetime import timedelta

import msgspec

from shared.domain.slos.slo import Indicator

NOT_A_PROBE = 'tostring(Properties["backstop.probe"]) != "true"'
"""Our own probes are no customers."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"([1-9]\d{0,3})([mhd])")


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """One way to slice requests: its name, its column in an answer, and its key in Properties."""

    name: str
    column: str
    key: str

    @property
    def reading(self) -> str:
        """The assignment that makes the column."""
        return f"{self.column} = tostring(Properties[{quote(self.key)}])"


DIMENSIONS = {
    one.name: one
    for one in (
        Dimension(name="region", column="Region", key="backstop.region"),
        Dimension(name="deployment", column="Deployment", key="backstop.deployment"),
        Dimension(name="prompt_version", column="PromptVersion", key="backstop.prompt_version"),
    )
}
"""What telemetry names with every request, by name."""


def quote(value: str) -> str:
    """A string literal; quotes, backslashes and line ends in it are escaped."""
    return json.dumps(value)


def real(value: float) -> str:
    """A real literal."""
    return f"real({float(value)!r})"


def span(window: str) -> timedelta:
    """Read a window such as "5m", "1h" or "3d". Raises ValueError for any other text."""
    match = _SPAN.fullmatch(window)
    if not match:
        raise ValueError(f"{window!r} is no window: minutes, hours or days, such as 5m, 1h, 3d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def counted(indicator: Indicator) -> str:
    """Which rows of its table the indicator counts; never those of our own probes."""
    return f"{NOT_A_PROBE} and ({indicator.where})" if indicator.where else NOT_A_PROBE


def moment(indicator: Indicator) -> str:
    """The assignment of `At`, when a row counts: a label counts when the request was."""
    return f"At = {indicator.moment}"
