"""How many requests each simulated process has answered, told as the telemetry helper tells it.

One version in one region is one process here. The scoring route counts every answer, and writes
what comes of it beside the answer's own rows: against these counts rules hold the share of labels.
"""

from infra.local.foundry.telemetry import Rows, Served, answered_row
from shared.telemetry.answers import EVERY_S, Answers


class Processes:
    """The processes that serve, each with a count of its own.

    `every_s` is a minute, as the helper has it; a world whose rules look at a quicker past tells as
    much more often, so that no window is shorter than what one row counts.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._counts: dict[tuple[str, str, str], Answers] = {}

    def count(self, served: Served) -> Rows:
        """Count one request that was served; the row that is due now, as (table, row), if any."""
        if served.probe or not served.happening.good:
            return []
        process = (served.service, served.region, served.deployment)
        counted = self._counts.setdefault(process, Answers(self._every_s))
        told = counted.add(served.at)
        return [("AppEvents", answered_row(served, told))] if told else []
