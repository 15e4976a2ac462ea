"""The kill soak in small: what it kills, it finds whole again."""

from pathlib import Path

import pytest

from tests.soak.kills import soak_kills

KILLS = 4


@pytest.mark.world
@pytest.mark.timeout(300)
def test_killed_processes_leave_nothing_undone(tmp_path: Path) -> None:
    found = soak_kills(tmp_path, kills=KILLS, say=lambda _: None)

    assert found["broken"] == []
    assert sum(found["kills"].values()) == KILLS
    assert (found["deliveries"], found["incidents"]) == (2, 1)
    assert found["intents"] == {"confirmed": 1}
    assert (found["writes_repeated"], found["pages_twice"]) == (0, 0)
