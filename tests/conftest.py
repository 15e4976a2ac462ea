"""The order of the tests: what takes long comes first, so that nothing long is left last.

Two processes share the files out as they come; a story or a battery of a minute that begins when
all else is done would keep one of them idle. And no test judges how long a busy machine takes.

Two fixtures keep what is waited for, and tested nowhere, from being waited for again and again.
"""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
LONG = ("tests/batteries/", "tests/simulation/", "tests/soak/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what starts a world first, then batteries; the order is kept otherwise."""
    items.sort(key=_rank)


@pytest.fixture(scope="module")
def hasty_bus() -> Iterator[None]:
    """The Service Bus SDK opens and closes its links without delay."""
    from tests.infra.local.bus.hasty import without_naps

    with without_naps():
        yield


@pytest.fixture(scope="session")
def analyser_process() -> Iterator[Callable[[str], str]]:
    """Microsoft's analyser, which starts when it is first asked."""
    from tests.infra.local.logs.kept_analyser import KeptAnalyser

    with KeptAnalyser() as kept:
        yield kept.ask


@pytest.fixture(scope="module")
def kept_analyser(analyser_process: Callable[[str], str]) -> Iterator[None]:
    """Queries are analysed by a process that other tests ask, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.local.logs.analyser._ask", analyser_process)
        yield


def _rank(item: pytest.Item) -> int:
    if item.get_closest_marker("world") is not None:
        return 0
    return 1 if item.nodeid.startswith(LONG) else 2
