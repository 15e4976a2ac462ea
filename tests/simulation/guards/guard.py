"""A guard: how it is taken away, and which promise must break then.

What is patched are the product's own names, so a guard that moves fails here and not silently.
"""

from collections.abc import Callable

import msgspec
import pytest

from shared.domain.decisions.rules import RULES
from shared.domain.row import Put, Write
from tests.simulation.guards.trials import Trials
from tests.simulation.promises import Promise
from tests.simulation.spine import play

type Patch = pytest.MonkeyPatch
type Remove = Callable[[Patch], None]


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """One guard. `breaks` is what its absence may break; that something else breaks is no proof."""

    name: str
    remove: Remove
    breaks: tuple[Promise, ...]
    trials: Trials


GUARDS: list[Guard] = []


def guard(*breaks: Promise, trials: Trials) -> Callable[[Remove], Remove]:
    """Enter a function that takes a guard away; what follows `no_` names the guard."""

    def enter(remove: Remove) -> Remove:
        name = remove.__name__.removeprefix("no_").replace("_", " ")
        GUARDS.append(Guard(name=name, remove=remove, breaks=breaks, trials=trials))
        return remove

    return enter


def hunt(missing: Guard) -> tuple[int, str]:
    """Play until a promise breaks: how many runs that took, and the breach; "" where none did."""
    runs = 0
    for trial in missing.trials():
        runs += 1
        run = play(trial.seed, trial.faults, trial.scene)
        if run.broken:
            return runs, run.broken
    return runs, ""


def without_rules(patch: Patch, *names: str) -> None:
    """Decide without the rules of these names."""
    left = tuple(rule for rule in RULES if rule.name not in names)
    assert len(left) == len(RULES) - len(names), f"no rules are called {names}"
    patch.setattr("shared.domain.decisions.decide.RULES", left)


def whatever_version(write: Write, *kinds: type) -> Write:
    """The same write without the version that it wants to replace; of these kinds, or of all."""
    if not isinstance(write, Put) or (kinds and not isinstance(write.value, kinds)):
        return write
    return msgspec.structs.replace(write, etag=None)


async def nothing(*_: object) -> None:
    """Stands for a job that is not done."""
