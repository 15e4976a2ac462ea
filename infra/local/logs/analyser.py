"""Microsoft's own KQL analyser over a set of queries, against the schema of our tables.

What it rejects, Log Analytics rejects: an unknown table or column, a wrong type, a bad aggregate.
The lint of the catalog and the tests of every shipped query ask it. It runs in node, all at once.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from infra.local.logs.schema import analyser_schema
from shared.errors import Misconfigured

SCRIPT = Path(__file__).with_name("analyse.js")
PACKAGE = Path(__file__).parents[3] / "node_modules" / "@kusto" / "language-service-next"
LONGEST_S = 60


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What the analyser says of one query: its errors, and its columns as "name:type"."""

    errors: tuple[str, ...]
    columns: tuple[str, ...]


def missing() -> str:
    """What the analyser lacks to run on this machine; "" where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if PACKAGE.exists() else "`npm ci` has not run"


def analyse(queries: Mapping[str, str]) -> dict[str, Analysis]:
    """Analyse queries by name; raises Misconfigured where the analyser cannot run."""
    if lacking := missing():
        raise Misconfigured(f"Microsoft's KQL analyser cannot run: {lacking}")
    if not queries:
        return {}
    asked = json.dumps({"schema": analyser_schema(), "queries": dict(queries)})
    return msgspec.json.decode(_ask(asked), type=dict[str, Analysis])


def _ask(line: str) -> str:
    """What the analyser says to one line; a process that answers more of them is for tests."""
    done = subprocess.run(
        ["node", str(SCRIPT)],
        input=line,
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST_S,
    )
    return done.stdout
