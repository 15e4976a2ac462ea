"""Every shipped query is valid Kusto: by Microsoft's analyser, against the schema of the tables."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.logs import schema
from shared.adapters import queries

SCRIPT = Path(__file__).parent / "analyse.js"
PACKAGE = Path("node_modules/@kusto/language-service-next")
ROOT = Path(__file__).parents[3]
SOME_VALUE: dict[str, queries.Value] = {
    "string": "fnol-summary",
    "datetime": datetime(2026, 11, 23, 12, tzinfo=UTC),
    "timespan": timedelta(minutes=1),
    "int": 4,
    "real": 800.0,
}
BROKEN = {
    "unknown column": "AppRequests | where Foo == 1",
    "unknown table": "AppRequest | take 1",
    "wrong type": "AppRequests | where DurationMs > 'fast'",
}

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(not (ROOT / PACKAGE).exists(), reason="`npm ci` has not run"),
]


def rendered(name: str) -> str:
    wanted = queries.load(name).parameters
    return queries.render(name, **{key: SOME_VALUE[kusto] for key, kusto in wanted.items()})


@pytest.fixture(scope="module")
def analysed() -> dict[str, Any]:
    texts = BROKEN | {name: rendered(name) for name in queries.names()}
    asked = json.dumps({"schema": schema.analyser_schema(), "queries": texts})
    done = subprocess.run(
        ["node", str(SCRIPT)], input=asked, capture_output=True, text=True, check=True, timeout=60
    )
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


@pytest.mark.parametrize("name", queries.names())
def test_a_query_has_no_error(analysed: dict[str, Any], name: str) -> None:
    assert analysed[name]["errors"] == []


@pytest.mark.parametrize("name", queries.names())
def test_a_query_returns_the_columns_that_it_describes(analysed: dict[str, Any], name: str) -> None:
    described = [f"{column}:{kusto}" for column, kusto in queries.load(name).columns.items()]

    assert analysed[name]["columns"] == described


@pytest.mark.parametrize("name", BROKEN)
def test_the_analyser_finds_what_is_wrong(analysed: dict[str, Any], name: str) -> None:
    assert analysed[name]["errors"] != []
