"""The order of the tests: what starts a whole world comes first, so that nothing long is left last.

Two processes share the files out as they come; a story of a minute that begins when all else is
done would keep one of them idle.
"""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that start a world before all others; the order is kept otherwise."""
    items.sort(key=lambda item: item.get_closest_marker("world") is None)
