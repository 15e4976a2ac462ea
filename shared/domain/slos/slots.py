"""Slots: where in the scan of a table the objectives of many services are counted.

A service's first objective is counted in slot 0, its second in slot 1, and so on, so a query for
500 services is as wide as one for the service with the most objectives. Within a slot, services
whose indicators say the same share one condition.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from shared.domain.catalog import Service
from shared.domain.slos.kql import quote
from shared.domain.slos.slo import ANSWERED, Indicator, Slo


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """One objective of one service; `slot` is its place among the service's objectives."""

    service: str
    slo: Slo
    slot: int


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One count of a scan, of at most one objective a service.

    `answered` counts the answers that a quality indicator could have judged, in their own table.
    """

    number: int
    countings: tuple[Counting, ...]
    answered: bool = False

    @property
    def counted(self) -> str:
        """The condition of the rows that count."""
        if self.answered:
            return ANSWERED.good
        return self._either(lambda slo: slo.indicator.where or "true")

    @property
    def good(self) -> str:
        """The condition of the good ones among them."""
        return self._either(lambda slo: slo.indicator.good)

    def within(self, start: Callable[[int], str]) -> str:
        """The condition of the rows within each objective's window; `start` takes its days."""
        return self._either(lambda slo: start(slo.window_days))

    def _either(self, part: Callable[[Slo], str]) -> str:
        return either((one.service, part(one.slo)) for one in self.countings)

    @property
    def of_labels(self) -> bool:
        """Whether it counts judgements, and not requests; no slot counts both."""
        return not self.answered and any(one.slo.indicator.label_source for one in self.countings)


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One read of one table; `moment` is the KQL for the time at which a row counts."""

    table: str
    moment: str
    slots: tuple[Slot, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """Whose rows are read."""
        return tuple(dict.fromkeys(one.service for slot in self.slots for one in slot.countings))

    @property
    def counted(self) -> str:
        """The condition of the rows that count, where all slots count the same; "true" else."""
        found = {slot.counted for slot in self.slots}
        return found.pop() if len(found) == 1 else "true"

    @property
    def days(self) -> int:
        """The longest window of an objective that is counted here."""
        return max(one.slo.window_days for slot in self.slots for one in slot.countings)


def number(services: Iterable[Service]) -> tuple[Counting, ...]:
    """Every objective of every service, with its slot."""
    return tuple(
        Counting(service=service.name, slo=slo, slot=place)
        for service in services
        for place, slo in enumerate(service.slos)
    )


def arrange(countings: Sequence[Counting]) -> tuple[Scan, ...]:
    """The scans that count them: one a table, and one more where labels are judgements of answers.

    Whoever counts labels needs to know how many answers could have been labelled, so the scan of
    the requests counts these, too.
    """
    labels = [one for one in countings if one.slo.indicator.label_source]
    slots = [(_source(one.slo.indicator), False, one) for one in countings]
    slots += [(_source(ANSWERED), True, one) for one in labels]
    sources = dict.fromkeys(source for source, _, _ in slots)
    return tuple(
        Scan(table=source[0], moment=source[1], slots=_slots(source, slots)) for source in sources
    )


def either(said: Iterable[tuple[str, str]]) -> str:
    """One condition from what each service says: what all say, or by service."""
    groups: dict[str, list[str]] = {}
    for service, condition in said:
        groups.setdefault(condition, []).append(service)
    if len(groups) == 1:
        return next(iter(groups))
    each = (f"({of(names)} and ({condition}))" for condition, names in groups.items())
    return f"({' or '.join(each)})"


def of(names: Sequence[str], column: str = "AppRoleName") -> str:
    """The condition of the rows of these services."""
    return f"{column} in ({', '.join(quote(name) for name in names)})"


type _Source = tuple[str, str]


def _source(indicator: Indicator) -> _Source:
    return indicator.table, indicator.moment


def _slots(source: _Source, wanted: Iterable[tuple[_Source, bool, Counting]]) -> tuple[Slot, ...]:
    found: dict[tuple[bool, int], list[Counting]] = {}
    for where, answered, one in wanted:
        if where == source:
            found.setdefault((answered, one.slot), []).append(one)
    return tuple(
        Slot(number=key[1], answered=key[0], countings=tuple(each)) for key, each in found.items()
    )
