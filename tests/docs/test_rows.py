"""Whoever looks for what is stored finds every kind of row in docs/architecture.md."""

import re

from tests.docs.documents import ROOT

NAMED = re.compile(r"\"(~?[a-z][a-z-]+)\|")
PLACES = ("responders", "shared/domain", "shared/protocol")


def test_every_kind_of_row_that_the_code_names_is_in_the_table() -> None:
    code = [path.read_text() for place in PLACES for path in (ROOT / place).rglob("*.py")]
    named = {name for text in code for name in NAMED.findall(text)}
    table = (ROOT / "docs/architecture.md").read_text()

    assert len(named) > 30
    assert {name for name in named if f"`{name}\\|" not in table} == set()
