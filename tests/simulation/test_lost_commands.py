"""Lost commands: an incident whose next step is lost goes on, or becomes a person's."""

from collections.abc import Sequence

import pytest

from shared.domain.incidents.stall import STEPS
from shared.domain.message import Message
from tests.fakes.bus import FakeBus
from tests.simulation.spine import Faults, play

SEEDS = range(8)
COMMANDS = tuple(STEPS.values())


@pytest.mark.parametrize("subjects", [*((one,) for one in COMMANDS), COMMANDS], ids="+".join)
def test_commands_that_are_lost_once_heal(subjects: tuple[str, ...]) -> None:
    runs = [play(seed, Faults(losses=subjects)) for seed in SEEDS]

    assert [(run.broken, run.state) for run in runs] == [("", "mitigated")] * len(SEEDS)


@pytest.mark.parametrize("subject", COMMANDS)
def test_a_command_that_is_always_lost_becomes_a_person_s(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = FakeBus.publish

    async def careless(
        bus: FakeBus, topic: str, messages: Sequence[Message], *, within_s: float = 1.0
    ) -> None:
        kept = [one for one in messages if one.subject != subject]
        await publish(bus, topic, kept, within_s=within_s)

    monkeypatch.setattr(FakeBus, "publish", careless)

    run = play(7, Faults(again=5))  # something went wrong, so nobody promises a cure

    assert (run.broken, run.state) == ("", "escalated")
