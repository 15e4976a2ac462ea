"""The outside world in memory, behind the real interfaces: fakes, not mocks.

Each fake is a subclass of its adapter, so the type checker holds it to the same signatures, and
`tests/fakes/test_conformance.py` holds the table to what the real one does on Azurite. All of one
`Outside` belongs to one made-up world; `FakeServices` is one process that lives in it.
"""

from tests.fakes.bus import FakeBus
from tests.fakes.endpoints import FakeEndpoints, Write
from tests.fakes.logs import FakeLogs
from tests.fakes.people import FakePager, FakeTeams
from tests.fakes.scoring import FakeScoring
from tests.fakes.services import FakeServices, Outside, catalog_of, make_settings
from tests.fakes.tables import FakeTable
from tests.fakes.turns import Killed, Turns, die

__all__ = [
    "FakeBus",
    "FakeEndpoints",
    "FakeLogs",
    "FakePager",
    "FakeScoring",
    "FakeServices",
    "FakeTable",
    "FakeTeams",
    "Killed",
    "Outside",
    "Turns",
    "Write",
    "catalog_of",
    "die",
    "make_settings",
]
