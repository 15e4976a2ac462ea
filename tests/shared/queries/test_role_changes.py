"""The query of when roles changed, run by the real SDK against the local service."""

from datetime import timedelta
from typing import Any

import pytest

from shared.protocol.readiness.knocking import DAY
from tests.infra.local.logs.workspace import NOW, ask, make_store

GIVEN = "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE"
TAKEN = "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/DELETE"
HOUR = timedelta(hours=1)


def row(ago: timedelta, operation: str = GIVEN, status: str = "Success") -> dict[str, Any]:
    return {
        "TimeGenerated": NOW - ago,
        "OperationNameValue": operation,
        "ActivityStatusValue": status,
        "Caller": "somebody",
        "ResourceId": "/subscriptions/s/providers/microsoft.authorization/roleassignments/r",
        "CorrelationId": "c",
    }


@pytest.mark.parametrize(
    ("rows", "ago"),
    [
        ([], None),
        ([row(3 * HOUR), row(2 * HOUR, TAKEN)], 2 * HOUR),
        ([row(HOUR, status="Failure"), row(HOUR, status="Start")], None),
        ([row(HOUR, "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE")], None),
        ([row(2 * DAY)], None),
    ],
)
async def test_the_last_change_that_succeeded(
    rows: list[dict[str, Any]], ago: timedelta | None
) -> None:
    with make_store() as store:
        store.append("AzureActivity", rows)
        async with ask(store) as logs:
            found = await logs.query("role_changes", Since=NOW - DAY)

    assert [one["ChangedAt"] for one in found.rows] == ([] if ago is None else [NOW - ago])
