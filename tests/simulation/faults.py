"""What goes wrong in a run, chosen by its seed: deaths, stops, outages, lost answers, other people.

Most runs have a few faults in the scene of a bad release; some have none, and some are played in a
scene in which Backstop must hold back.
"""

from random import Random

import msgspec

from tests.fakes.endpoints import Write
from tests.simulation.scene import BAD_RELEASE, SCENES, Scene

LONGEST_OUTAGE_S = 60.0  # an action group gives up after 75 s; what comes later is the sweep's
LAST_TURN = 450  # later ones are mostly ticks that find nothing
PARTS = ("tables", "bus", "teams", "pager", "logs", "endpoint")
FATES = (Write.ACCEPTED, Write.ACCEPTED, Write.UNHEARD, Write.LOST, Write.IGNORED)
OTHERS = [scene for scene in SCENES.values() if scene is not BAD_RELEASE]


class Deploy(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline writes to the endpoint at a turn; `traffic` is empty where it leaves that alone.

    The next `unseen` readings do not show it yet.
    """

    turn: int
    traffic: dict[str, int] = {}
    unseen: int = 0


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong in a run, by turn numbers; outages are (part, from, until) in seconds.

    `stops` are (turn, seconds); at the turns of `lost_answers` the next write of state takes effect
    unheard; at that of `switch` a person turns the kill switch on, at that of `freeze` one freezes
    all changes. The bus hands every `again`-th
    message out twice, 0 for none. Of commands with a subject in `losses` it loses what is issued
    first, for each incident.
    """

    kills: tuple[int, ...] = ()
    stops: tuple[tuple[int, float], ...] = ()
    fates: tuple[Write, ...] = ()
    outages: tuple[tuple[str, float, float], ...] = ()
    lost_answers: tuple[int, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    switch: int | None = None
    freeze: int | None = None
    again: int = 0
    losses: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many things go wrong."""
        several = (self.kills, self.stops, self.outages, self.lost_answers, self.deploys)
        bad = sum(fate is not Write.ACCEPTED for fate in self.fates)
        bad += len(self.losses) + (self.freeze is not None)
        return sum(map(len, several)) + bad + (self.switch is not None) + bool(self.again)

    @property
    def spares_senders(self) -> bool:
        """Whether nothing goes wrong after which a card or a page may come twice."""
        return not (self.kills or self.stops or self.outages or self.lost_answers)


def chosen_scene(seed: int) -> Scene:
    """Seven runs in ten are about a bad release."""
    chance = Random(f"scene {seed}")  # noqa: S311 - the same seed must give the same scene
    return BAD_RELEASE if chance.random() < 0.7 else chance.choice(OTHERS)


def chosen_faults(seed: int) -> Faults:
    """Faults by a seed: most runs have a few, some have none."""
    chance = Random(f"faults {seed}")  # noqa: S311 - the same seed must give the same faults
    return Faults(
        kills=_turns(chance, (0, 0, 1, 2, 3)),
        stops=tuple(
            (turn, chance.choice((chance.uniform(1, 60), chance.uniform(100, 300))))
            for turn in _turns(chance, (0, 0, 0, 1, 2))
        ),
        fates=tuple(chance.choice(FATES) for _ in range(3)),
        outages=_outages(chance),
        lost_answers=_turns(chance, (0, 0, 0, 1)),
        deploys=_deploys(chance),
        switch=chance.choice((None, None, None, None, chance.randrange(1, LAST_TURN))),
        again=chance.choice((0, 0, 1, 2, 5)),
        freeze=chance.choice((*[None] * 7, chance.randrange(1, LAST_TURN))),
    )


def _turns(chance: Random, counts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(chance.sample(range(1, LAST_TURN), chance.choice(counts))))


def _outages(chance: Random) -> tuple[tuple[str, float, float], ...]:
    outages = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        start = chance.choice((0.0, chance.uniform(0, 15), chance.uniform(0, 60)))
        end = start + chance.uniform(1, LONGEST_OUTAGE_S)
        outages.append((chance.choice(PARTS), start, end))
    return tuple(outages)


def _deploys(chance: Random) -> tuple[Deploy, ...]:
    traffic: tuple[dict[str, int], ...] = ({}, {}, {"v3": 100}, {"v1": 50, "v2": 50})
    return tuple(
        Deploy(turn=turn, traffic=chance.choice(traffic), unseen=chance.choice((0, 0, 1)))
        for turn in _turns(chance, (0, 0, 0, 1, 1))
    )
