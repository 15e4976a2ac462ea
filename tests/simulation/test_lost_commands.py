"""Lost commands: an incident whose next step is lost goes on, or becomes a person's."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from shared.domain.incidents.stall import STEPS
from shared.domain.message import WORK, Message
from tests.fakes.bus import FakeBus
from tests.simulation.spine import Faults, Run, play

SEEDS = range(8)
COMMANDS = tuple(STEPS.values())
ISSUED = Counter(COMMANDS) + Counter(["diagnose"])  # a second alert joins, and asks for it as well

type Loses = Callable[[Message], bool]


def lose(patch: pytest.MonkeyPatch, loses: Loses) -> None:
    """Let the bus take some commands and hand them out to nobody."""
    publish = FakeBus.publish

    async def careless(
        bus: FakeBus, topic: str, messages: Sequence[Message], *, within_s: float = 1.0
    ) -> None:
        kept = [one for one in messages if topic != WORK or not loses(one)]
        await publish(bus, topic, kept, within_s=within_s)

    patch.setattr(FakeBus, "publish", careless)


def once(subjects: Sequence[str]) -> Loses:
    """Lose what is issued of each subject by itself, for each incident."""
    lost: Counter[tuple[str, str]] = Counter()

    def loses(message: Message) -> bool:
        name = (message.subject, message.body)
        lost[name] += message.subject in subjects
        return 0 < lost[name] <= ISSUED[message.subject]

    return loses


def played(patch: pytest.MonkeyPatch, seed: int, subjects: Sequence[str]) -> Run:
    with patch.context() as patched:
        lose(patched, once(subjects))
        return play(seed, Faults())


@pytest.mark.parametrize("subjects", [*((one,) for one in COMMANDS), COMMANDS], ids="+".join)
def test_commands_that_are_lost_once_heal(
    subjects: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [played(monkeypatch, seed, subjects) for seed in SEEDS]

    assert [(run.broken, run.state) for run in runs] == [("", "mitigated")] * len(SEEDS)


@pytest.mark.parametrize("subject", COMMANDS)
def test_a_command_that_is_always_lost_becomes_a_person_s(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(monkeypatch, lambda message: message.subject == subject)

    run = play(7, Faults(again=5))  # something went wrong, so nobody promises a cure

    assert (run.broken, run.state) == ("", "escalated")


@pytest.mark.parametrize("subject", COMMANDS)
def test_without_reminding_a_lost_command_is_noticed(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr("tests.simulation.world.remind", nothing)

    assert played(monkeypatch, 7, (subject,)).broken
