"""The query that looks at every region and every deployment at once, and at the whole beside them.

One scan, folded to a row a region and deployment; these few rows are then counted for the whole and
for each slice. The whole comes first, so a running sum that adds nothing after it carries its rate
to all rows: a rule may not ask for its table twice. Each slice is a time series and is charged, so
they are regions and deployments, not their products.
"""

from shared.domain.slos.compile import COLUMNS, rates, scan, too_fast
from shared.domain.slos.kql import DIMENSIONS, real
from shared.domain.slos.slo import BurnAlert, Slo

SLICED_BY = ("region", "deployment")
SLICE = ("Dimension", "Value")
"""The columns that name a slice, such as region and westeurope."""

_SUMS = ("ShortTotal", "ShortGood", "LongTotal", "LongGood")


def part_query(service: str, slo: Slo, alert: BurnAlert) -> str:
    """The slices that burn too fast in both windows, none where the whole service does, too.

    Columns: Dimension and Value, then those of `window_query`. What telemetry does not name is left
    out. Raises ValueError for windows that no rule looks back over.
    """
    named = ", ".join(f'"{name}"' for name in SLICED_BY)
    values = ", ".join(f'Dimension == "{name}", {DIMENSIONS[name].column}' for name in SLICED_BY)
    sums = ", ".join(f"{one} = sum({one})" for one in _SUMS)
    lines = [
        *scan(service, slo, alert, SLICED_BY),
        f'| mv-expand Dimension = dynamic(["", {named}]) to typeof(string)',
        f'| extend Value = case({values}, "")',
        f"| summarize {sums}\n  by {', '.join(SLICE)}",
        *rates(slo),
        "| order by Dimension asc",
        '| extend Whole = row_cumsum(iff(Dimension == "", Burn, 0.0))',
        f'| where Dimension != "" and Value != "" and Whole < {real(alert.burn_rate)}',
        too_fast(alert),
        f"| project {', '.join([*SLICE, *COLUMNS])}",
    ]
    return "\n".join(lines)
