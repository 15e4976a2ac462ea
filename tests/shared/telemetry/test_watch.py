"""Watching: what is told of a breach and of its end, by what came of the tellings before."""

from shared.telemetry.watch import Heard, Telling, Watch

TAKEN, LOST, FULL = Heard(taken=True), Heard(), Heard(refused=True, wait_s=60)


class Replica:
    """One process that hears what Backstop answers at once; `told` are its tellings with times."""

    def __init__(self) -> None:
        self.watch = Watch(0.99, window_s=60, minimum_requests=50, every_s=30)
        self.heard = TAKEN
        self.told: list[tuple[float, Telling]] = []

    def serve(self, start: int, end: int, *, good: bool) -> None:
        """Ten answers every ten seconds, until just before the end."""
        for second in range(start, end, 10):
            for _ in range(10):
                telling = self.watch.count(good=good, now=float(second))
                if telling is not None:
                    self.told.append((second, telling))
                    self.watch.hear(telling, self.heard, float(second))

    def ends(self) -> list[float]:
        return [at for at, telling in self.told if telling.is_end]


def test_a_breach_is_told_three_times_a_window_whatever_the_pace() -> None:
    replica = Replica()
    replica.serve(0, 120, good=False)
    assert [at for at, _ in replica.told] == [40, 60, 80, 100]


def test_its_end_is_told_once_after_a_window_that_was_well() -> None:
    replica = Replica()
    replica.serve(0, 60, good=False)
    replica.serve(60, 400, good=True)
    burned = 100  # until then a seventh of the window is bad
    assert replica.ends() == [burned + 60]


def test_what_was_refused_has_begun_nothing_and_ends_nothing() -> None:
    replica = Replica()
    replica.heard = FULL
    replica.serve(0, 90, good=False)
    assert [at for at, _ in replica.told] == [40], "told to wait for a minute"
    replica.serve(90, 400, good=True)
    assert replica.ends() == []


def test_what_nobody_answered_may_have_begun_something() -> None:
    replica = Replica()
    replica.heard = LOST
    replica.serve(0, 60, good=False)
    replica.heard = TAKEN
    replica.serve(60, 400, good=True)
    assert len(replica.ends()) == 1


def test_an_end_that_was_not_taken_is_told_again_until_it_is() -> None:
    replica = Replica()
    replica.serve(0, 60, good=False)
    replica.heard = LOST
    replica.serve(60, 200, good=True)
    first = replica.ends()
    replica.heard = TAKEN
    replica.serve(200, 400, good=True)
    assert first == [160, 180]
    assert replica.ends() == [160, 180, 200]


def test_an_end_does_not_end_the_breach_that_began_while_it_was_on_its_way() -> None:
    replica = Replica()
    replica.serve(0, 60, good=False)
    replica.serve(60, 150, good=True)
    late = next(
        telling
        for second in (150, 160)
        for _ in range(10)
        if (telling := replica.watch.count(good=True, now=float(second)))
    )
    assert late.is_end
    replica.serve(170, 250, good=False)
    replica.watch.hear(late, TAKEN, 250.0)
    replica.serve(250, 600, good=True)
    assert len(replica.ends()) == 1


def test_a_replica_that_serves_too_few_says_nothing() -> None:
    replica = Replica()
    for second in range(49):
        assert replica.watch.count(good=False, now=float(second)) is None
