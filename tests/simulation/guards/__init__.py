"""Guards that are taken away one by one, so that each is proven to be needed and to be watched.

`guard` says what one is, `trials` in which runs its absence is looked for; the others are the
guards, by where they stand: `taking` alerts, `passing` messages, `deciding`, `acting`, `telling`.
"""

from tests.simulation.guards import acting, deciding, passing, taking, telling
from tests.simulation.guards.guard import GUARDS, Guard, hunt

__all__ = ["GUARDS", "Guard", "acting", "deciding", "hunt", "passing", "taking", "telling"]
