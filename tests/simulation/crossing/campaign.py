"""The campaign: every boundary that the spine crosses is struck, by every blow.

First those of a run without a fault. What they lead to, such as relay and reconcile, is crossed by
no such run: each boundary that only appears after a strike is struck in a second one.
"""

from collections.abc import Iterator
from functools import cache

import msgspec

from tests.simulation.crossing.blows import Again, Blow, Boundary, Crossing, Strike
from tests.simulation.crossing.strike import Struck, play

AFTER = (Blow.KILLED_AFTER, Blow.UNHEARD)


class Blown(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the campaign; the last of its strikes is the one it is about."""

    strikes: tuple[Strike, ...]
    again: Again
    struck: Struck

    @property
    def problem(self) -> str:
        """What is not as it is without a strike, in words; empty where all is."""
        struck, calm = self.struck, base(self.again)
        if struck.run.broken:
            return f"{self}: {struck.run.broken}"
        other = {key: was for key, was in struck.end.items() if was != calm.end[key]}
        if not other or escalated(struck):
            return ""
        return f"{self}: at the end {other}, without it {[calm.end[key] for key in other]}"

    def __str__(self) -> str:
        blows = "; then ".join(map(str, self.strikes))
        return f"{blows} (messages come again: {self.again.value})"


def escalated(struck: Struck) -> bool:
    """Whether a person was asked to end it, and was paged."""
    sent = struck.end["sent"]
    asked = struck.end["incidents"] == ["escalated"]
    return asked and isinstance(sent, list) and "page-0" in sent


@cache
def base(again: Again) -> Struck:
    """The run without a strike."""
    return play((), again)


def firsts(struck: Struck) -> dict[Boundary, Crossing]:
    """Each boundary that a run crossed, where it crossed it first."""
    found: dict[Boundary, Crossing] = {}
    for crossing in struck.crossings:
        found.setdefault(crossing.boundary, crossing)
    return found


def possible(crossing: Crossing, blow: Blow) -> bool:
    """Whether there is such a moment: a write that met a conflict has no effect to be heard of."""
    return bool(crossing.answer) or blow not in AFTER


@cache
def first_wave(blow: Blow, again: Again) -> tuple[Blown, ...]:
    """Every boundary of the run without a fault, struck."""
    return tuple(strike_all(blow, again))


def strike_all(blow: Blow, again: Again) -> Iterator[Blown]:
    """The same, run by run."""
    for strike in first_strikes(blow, again):
        yield Blown(strikes=(strike,), again=again, struck=play((strike,), again))


def first_strikes(blow: Blow, again: Again) -> Iterator[Strike]:
    """What the first wave strikes."""
    for crossing in firsts(base(again)).values():
        if possible(crossing, blow):
            yield Strike(crossing=crossing, blow=blow)


@cache
def second_wave(blow: Blow) -> tuple[Blown, ...]:
    """Every boundary that only a strike leads to, struck where one led to it first."""
    again = Again.AS_NEEDED
    return tuple(
        Blown(strikes=strikes, again=again, struck=play(strikes, again))
        for strikes in second_strikes(blow)
    )


def second_strikes(blow: Blow) -> Iterator[tuple[Strike, ...]]:
    """What the second wave strikes, each behind the strike that leads to it."""
    seen = set(firsts(base(Again.AS_NEEDED)))
    for before in (blown for first in Blow for blown in first_wave(first, Again.AS_NEEDED)):
        for boundary, crossing in firsts(before.struck).items():
            if boundary not in seen and possible(crossing, blow):
                seen.add(boundary)
                yield (*before.strikes, Strike(crossing=crossing, blow=blow))
