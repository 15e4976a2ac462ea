"""docs/reliability.md: the promises, the guards and the counts are those of the code."""

import re

from tests.docs.documents import ROOT, read
from tests.simulation.crossing.test_boundaries import JOBS
from tests.simulation.guards import GUARDS
from tests.simulation.promises import SENTENCES
from tests.simulation.scene import SCENES
from tests.simulation.test_spine import BLOCK, SCHEDULES
from tests.soak.__main__ import KILLS, TIMES
from tests.soak.batteries import batteries

RELIABILITY = read("docs/reliability.md")
ONCE = 1_000  # schedules of the spine that `make test` plays


def section(heading: str) -> str:
    """The text below a heading, up to the next one."""
    return RELIABILITY.text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table below a heading, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def test_the_promises_are_those_that_are_asked() -> None:
    documented = {int(number): sentence for number, sentence, _ in rows("What is promised")}

    assert documented == {promise.value: sentence for promise, sentence in SENTENCES.items()}


def test_the_guards_are_those_that_are_taken_away() -> None:
    documented = {name: (without, breaks) for name, without, breaks in rows("Guards taken away")}

    assert documented == {
        guard.name: (
            (guard.remove.__doc__ or "").strip(),
            ", ".join(str(promise.value) for promise in guard.breaks),
        )
        for guard in GUARDS
    }


def test_every_battery_that_a_soak_plays_is_named() -> None:
    documented = {name.strip("`") for name, *_ in rows("Batteries")}

    assert batteries().keys() <= documented


def test_the_counts_are_those_of_the_code() -> None:
    assert SCHEDULES % BLOCK == 0
    for document in (RELIABILITY.text, (ROOT / "README.md").read_text()):
        assert f"{ONCE:,} schedules" in document
        assert re.search(rf"\b{len(GUARDS)} guards\b", document)
    assert f"{len(SCENES)} scenes" in RELIABILITY.text
    assert f"{len(JOBS)} scenes of its own" in RELIABILITY.text
    assert f"{TIMES} times" in RELIABILITY.text
    assert f"{KILLS} kills" in RELIABILITY.text
