"""The scenes: what was so before the alert. In most of them v2 is bad and Backstop may cure it.

The others are those in which it must hold back or say that it did not help, each for one reason: a
guard that is missing shows there at once.
"""

from datetime import timedelta
from enum import StrEnum

import msgspec

from shared.domain.catalog import Mode

DECIDERS = ("Alice", "Bob")  # of the people who decide: those with the role
LOOKED_FOR = timedelta(seconds=240)  # so long whom to blame is looked for


class Fault(StrEnum):
    """What is wrong with the service."""

    VERSION = "v2 fails in one region since it took traffic"
    EARLIER = "it failed before v2 took traffic: moving it would cure nothing"


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One scene. `rollbacks` are minutes before the alert; `contacts_out` refuse to be paged.

    `rolled_back` has the alert join an incident that was rolled back before, `switch_on` has the
    kill switch on from the start, `frozen` has all changes frozen, `spent` a budget that asks for a
    person, `good_fails` lets v1 fail its probes, too, `no_cure` only once it has the traffic.
    """

    name: str
    mode: Mode = Mode.AUTOMATIC
    fault: Fault = Fault.VERSION
    rollbacks: tuple[int, ...] = ()
    rolled_back: bool = False
    switch_on: bool = False
    frozen: bool = False
    spent: bool = False
    good_fails: bool = False
    no_cure: bool = False
    people: tuple[tuple[str, str], ...] = ()  # who decides about a plan that waits, and how
    patience: timedelta = timedelta(0)  # how long nobody answers a page before the run may end
    maintenance: timedelta = timedelta(0)  # how long the owners want it quiet yet
    by_signal: bool = False  # the service tells of it itself, and Azure Monitor does not
    logs_behind: bool = False  # the logs look well until somebody has moved the traffic
    fickle: bool = False  # v2 fails by name once only: then nobody but signals blames it
    calls_late: timedelta = timedelta(0)  # until v2's calls are told of, nobody can be blamed

    @property
    def may_act(self) -> bool:
        """Whether moving the traffic is right here."""
        unknown = self.calls_late >= LOOKED_FOR
        held = (self.rollbacks, self.rolled_back, self.switch_on, self.good_fails, unknown)
        return self._is_allowed and self.fault is Fault.VERSION and not any(held)

    @property
    def _is_allowed(self) -> bool:
        """Whether policy lets Backstop act, or people who may decide all want it to."""
        said = [action for name, action in self.people if name in DECIDERS]
        approved = bool(said) and set(said) == {"approve"}
        return self.mode in (Mode.AUTOMATIC, Mode.APPROVE) and (approved or not self.asks)

    @property
    def asks(self) -> bool:
        """Whether policy lets Backstop move traffic only with people's word."""
        return self.mode is Mode.APPROVE or self.frozen or self.spent or self.fickle

    @property
    def lasts(self) -> timedelta:
        """How long the run goes on at least."""
        return max(self.patience, self.maintenance)

    @property
    def cures(self) -> bool:
        """Whether moving the traffic is right here, and helps."""
        return self.may_act and not self.no_cure


BOTH_APPROVE = (("Alice", "approve"), ("Bob", "approve"))
BAD_RELEASE = Scene(name="a bad release")
SCENES: dict[str, Scene] = {
    scene.name: scene
    for scene in (
        BAD_RELEASE,
        Scene(name="an older trouble", fault=Fault.EARLIER),
        Scene(name="a service that is only observed", mode=Mode.OBSERVE),
        Scene(name="a service that wants approval", mode=Mode.APPROVE),
        Scene(name="two approve at once", mode=Mode.APPROVE, people=BOTH_APPROVE),
        Scene(name="somebody refuses", mode=Mode.APPROVE, people=(("Alice", "refuse"),)),
        Scene(name="the wrong one says yes", mode=Mode.APPROVE, people=(("Rita", "approve"),)),
        Scene(name="rolled back five minutes ago", rollbacks=(5,)),
        Scene(name="rolled back twice this hour", rollbacks=(50, 20)),
        Scene(name="this incident was rolled back before", rolled_back=True),
        Scene(name="the kill switch is on", switch_on=True),
        Scene(name="changes are frozen", frozen=True),
        Scene(name="people approve in a freeze", frozen=True, people=BOTH_APPROVE),
        Scene(name="the known good fails, too", good_fails=True),
        Scene(name="the rollback does not help", no_cure=True),
        Scene(name="a maintenance that ends", maintenance=timedelta(seconds=150)),
        Scene(name="nobody answers a page", mode=Mode.OBSERVE, patience=timedelta(seconds=180)),
    )
}
BUDGET_SPENT = Scene(name="an error budget asks for a person", spent=True)
ONLY_SIGNALS = Scene(name="only signals tell of it", by_signal=True, logs_behind=True, fickle=True)
CALLS_LATE = Scene(name="whose fault it is shows later", calls_late=timedelta(seconds=25))
CALLS_LOST = Scene(name="whose fault it is never shows", calls_late=timedelta(days=1))
