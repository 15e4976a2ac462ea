"""What a stateful rule does with its readings: each time series fires once, and resolves by itself.

As Azure Monitor has it: an alert fires when enough of the last looks have found something, and ends
after a number of looks that found nothing.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from infra.local.simulation.evaluation import Reading, Series
from shared.domain.detection.rule import AlertRule


@dataclass(kw_only=True)
class _State:
    """One time series: what the last looks found, and whether its alert is on."""

    last: deque[bool]
    reading: Reading | None = None
    clean: int = 0


@dataclass(kw_only=True)
class Firing:
    """The state of one rule."""

    rule: AlertRule
    _states: dict[Series, _State] = field(default_factory=dict)

    @property
    def firing(self) -> list[Series]:
        """The time series whose alerts are on."""
        return [series for series, state in self._states.items() if state.reading is not None]

    def take(self, readings: Iterable[Reading]) -> Iterator[tuple[Reading, bool]]:
        """What changes by one look: a reading whose alert begins (True) or ends (False)."""
        found = {one.series: one for one in readings if one.fires}
        for series in [*found, *(one for one in self._states if one not in found)]:
            changed = self._look(series, found.get(series))
            if changed is not None:
                yield changed

    def _look(self, series: Series, found: Reading | None) -> tuple[Reading, bool] | None:
        periods = self.rule.failing_periods
        fresh = _State(last=deque(maxlen=periods.number_of_evaluation_periods))
        state = self._states.setdefault(series, fresh)
        state.last.append(found is not None)
        if state.reading is None:
            if found and sum(state.last) >= periods.min_failing_periods_to_alert:
                state.reading, state.clean = found, 0
                return found, True
            return None
        state.clean = 0 if found else state.clean + 1
        if state.clean < self.rule.clean_looks:
            return None
        del self._states[series]
        return state.reading, False
