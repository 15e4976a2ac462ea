"""A workspace in memory: answers shipped queries by name, and holds callers to their parameters."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import override

import msgspec

from shared.adapters import queries
from shared.adapters.logs import Logs, kept_row
from shared.domain.diagnosis.telemetry import AnswerStatus, Query, QueryAnswer
from shared.domain.redaction.redactor import BARE, Redactor
from tests.fakes.turns import Turns

_WINDOWS = {"Lag": timedelta(seconds=120), "Bin": timedelta(seconds=60)}


class FakeLogs(Logs):
    """`answers` by query name; what is not there is empty. `asked` keeps name and parameters."""

    def __init__(self, turns: Turns, redactor: Redactor = BARE) -> None:
        self._redactor = redactor
        self.answers: dict[str, QueryAnswer] = {}
        self.asked: list[tuple[str, dict[str, queries.Value]]] = []
        self._turns = turns

    @override
    async def query(self, named: str | Query, **parameters: queries.Value) -> QueryAnswer:
        await self._turns.take("logs.query")
        query = queries.known(named)
        name = query.name
        windows = {key: value for key, value in _WINDOWS.items() if key in query.parameters}
        queries.render(query, **(windows | parameters))  # raises where a parameter is wrong
        self.asked.append((name, dict(parameters)))
        found = self.answers.get(name, QueryAnswer(name=name, status=AnswerStatus.EMPTY))
        rows = tuple(kept_row(query, row, self._redactor) for row in found.rows)
        return msgspec.structs.replace(found, rows=rows)

    def answer(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Answer a query with these rows from now on."""
        found = tuple(dict(row) for row in rows)
        status = AnswerStatus.COMPLETE if found else AnswerStatus.EMPTY
        self.answers[name] = QueryAnswer(name=name, status=status, rows=found)

    def fail(
        self,
        name: str,
        status: AnswerStatus = AnswerStatus.UNAVAILABLE,
        detail: str = "the logs are out",
    ) -> None:
        """Answer a query with trouble from now on."""
        self.answers[name] = QueryAnswer(name=name, status=status, detail=detail)

    @override
    async def close(self) -> None:
        return None
