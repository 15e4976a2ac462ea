"""The query that looks at every region and every deployment at once, and at the rest beside each.

One scan, folded to a row a region and deployment; these few rows are then counted for the whole and
for each slice. The whole comes first, so a running sum that adds nothing after it carries its
counts to all rows: a rule may not ask for its table twice. Each slice is a time series and is
charged, so they are regions and deployments, not their products.

A slice is told where it burns twice as fast as all the rest together. A share that is twice another
stays so while both fade from the windows, and a version that has served nobody for a minute is no
slice any more: once a cure is verified, nothing fires that did not fire before it.
"""

from shared.domain.slos.compile import COLUMNS, rates, scan, too_fast
from shared.domain.slos.kql import DIMENSIONS, real
from shared.domain.slos.slo import BurnAlert, Slo

SLICED_BY = ("region", "deployment")
SLICE = ("Dimension", "Value")
"""The columns that name a slice, such as region and westeurope."""

TIMES_THE_REST = 2.0
SERVES_S = 60
"""Seconds for which a slice may serve nobody while others serve, and still be one."""

_WINDOWS = ("Short", "Long")
_SUMS = ("ShortTotal", "ShortGood", "LongTotal", "LongGood")
_COUNTS = ("ShortTotal", "ShortBad", "LongTotal", "LongBad")


def part_query(service: str, slo: Slo, alert: BurnAlert) -> str:
    """The slices that burn too fast in both windows, and much faster than the rest.

    Columns: Dimension and Value, then those of `window_query`. What telemetry does not name is left
    out, and so is what has no rest to compare with. Raises ValueError for windows that no rule
    looks back over.
    """
    named = ", ".join(f'"{name}"' for name in SLICED_BY)
    values = ", ".join(f'Dimension == "{name}", {DIMENSIONS[name].column}' for name in SLICED_BY)
    sums = ", ".join(f"{one} = sum({one})" for one in _SUMS)
    least = max(alert.minimum_requests, 1)
    lines = [
        *scan(service, slo, alert, SLICED_BY, ["LastSeen = max(At)"]),
        f'| mv-expand Dimension = dynamic(["", {named}]) to typeof(string)',
        f'| extend Value = case({values}, "")',
        f"| summarize {sums},\n    LastSeen = max(LastSeen) by {', '.join(SLICE)}",
        *rates(slo),
        '| extend Silent = datetime_diff("second", now(), LastSeen)',
        "| order by Dimension asc",
        f"| extend {',\n    '.join(f'Rest{one} = {_whole(one)} - {one}' for one in _COUNTS)},",
        f"    Behind = Silent - {_whole('Silent')}",
        '| where Dimension != "" and Value != ""',
        f"| where Behind <= {SERVES_S} and RestLongTotal >= {least}",
        f"| where Burn >= {real(TIMES_THE_REST)} * {_burn_of_rest(slo, least)}",
        too_fast(alert),
        f"| project {', '.join([*SLICE, *COLUMNS])}",
    ]
    return "\n".join(lines)


def _whole(column: str) -> str:
    """The whole's value of a column: its row is the first, and nothing is added to it."""
    return f'row_cumsum(iff(Dimension == "", {column}, 0))'


def _burn_of_rest(slo: Slo, least: int) -> str:
    """Of the long window alone where the short one has no rest: a version took all traffic."""
    short, long = (
        f"Rest{window}Bad / (Rest{window}Total * {real(slo.budget)})" for window in _WINDOWS
    )
    return f"iff(RestShortTotal >= {least}, min_of({short}, {long}), {long})"
