"""A judge: notes the first broken promise of a run, and in the trace what changed."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.fakes.services import Outside
from tests.simulation.promises import Broken, Promise, broken
from tests.simulation.scenario import NOW
from tests.simulation.scene import Scene
from tests.simulation.scheduler import Scheduler


class Judge:
    """Watches one world. `verdict` is the first breach, "" as long as there is none.

    With `notes` the trace says what changed; `over` is called at the first breach.
    """

    def __init__(self, outside: Outside, scheduler: Scheduler, scene: Scene) -> None:
        self.verdict = ""
        self.notes = False
        self.over: Callable[[], None] = lambda: None
        self._outside = outside
        self._scheduler = scheduler
        self._scene = scene

    @property
    def now(self) -> datetime:
        """The time of the simulated world."""
        return NOW + timedelta(seconds=self._scheduler.now())

    def say(self, breach: Broken) -> None:
        """Note a breach, the first one only, and end the run."""
        if not self.verdict:
            self.verdict = str(breach)
            self._scheduler.tell("referee", self.verdict)
            self.over()

    def must(self, holds: object, promise: Promise, how: str) -> None:
        """Say that a promise is broken where it does not hold."""
        if not holds:
            self.say(broken(promise, how))

    @property
    def _turn(self) -> int:
        return len(self._scheduler.passed)

    def _note(self, what: str) -> None:
        """Show in the trace what changed."""
        if self.notes:
            self._scheduler.tell("", what)
