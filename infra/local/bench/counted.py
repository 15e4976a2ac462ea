"""Services whose tables are counted: every request on the wire, every row in an answer."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from azure.data.tables.aio import TableServiceClient

from infra.local.bench.cast import write_cast
from shared.adapters.tables import TableAccount
from shared.services import Services
from shared.settings import read_settings


class CountingAccount(TableAccount):
    """The adapter, with a hook at the end of the SDK's pipeline."""

    def __init__(self, account: str, seen: Any) -> None:
        """Call `seen` with every response."""
        super().__init__(account)
        self._client = TableServiceClient.from_connection_string(account, raw_response_hook=seen)


class Counted(Services):
    """Services over one storage account; set the counts to 0 before what is to be counted."""

    def __init__(self, account: str, folder: Path) -> None:
        write_cast(folder / "catalog", 1)
        env = {
            "BACKSTOP_TABLES": account,
            "BACKSTOP_BUS": "Endpoint=sb://127.0.0.1:1;",  # reads publish nothing
            "BACKSTOP_LOGS_WORKSPACE": "none",
            "BACKSTOP_CATALOG": str(folder / "catalog"),
        }
        super().__init__(read_settings(env))
        self.requests = 0
        self.rows = 0

    @cached_property
    def account(self) -> TableAccount:
        """The counted account."""
        return CountingAccount(self.settings.tables, self._see)

    def _see(self, response: Any) -> None:
        self.requests += 1
        if response.http_request.method == "GET" and response.http_response.status_code == 200:
            found = json.loads(response.http_response.text())
            self.rows += len(found["value"]) if "value" in found else 1
