"""How the diagnosis names things to a commander: moments, lists, versions and regions.

Used by `findings`, `parts`, `attribution` and `narrative`. Shares and lengths of time come from
`wording`, as on the cards. Moments are UTC: a diagnosis does not know the reader's zone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.wording import duration


def clock(moment: datetime) -> str:
    """A moment of the day, to the second."""
    return f"{moment:%H:%M:%S}"


def span(seconds: float) -> str:
    """A length of time given in seconds: "38 s", "12 min"."""
    return duration(timedelta(seconds=seconds))


def listing(names: Sequence[str]) -> str:
    """Names as people list them: "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def verb(subjects: Sequence[str], one: str, many: str) -> str:
    """The verb's form that fits the number of subjects."""
    return one if len(subjects) == 1 else many


def within(regions: Sequence[str]) -> str:
    """Where it happens: " in a and b", or " in all regions"."""
    return f" in {listing(regions)}" if regions else " in all regions"
