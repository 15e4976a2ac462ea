"""Azurite's tables, through Microsoft's SDK: in memory, in a folder, and after a stop."""

from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from infra.local import azurite
from infra.local.azurite import connection_string, start_azurite
from infra.local.ports import free_port
from infra.local.processes import ChildFailed, Children

ROW = {"PartitionKey": "p", "RowKey": "r", "value": "kept"}


def test_tables_survive_a_stop_where_they_have_a_folder(tmp_path: Path) -> None:
    port = free_port()
    with Children(tmp_path / "logs") as children:
        tables = start_azurite(children, port=port, folder=tmp_path / "tables")
        tables.wait_ready()
        with TableServiceClient.from_connection_string(connection_string(port)) as service:
            service.create_table("incidents").create_entity(ROW)
        tables.interrupt()
        tables.wait_gone()
        tables.start()
        tables.wait_ready()
        with TableServiceClient.from_connection_string(connection_string(port)) as service:
            found = service.get_table_client("incidents").get_entity("p", "r")
    assert found["value"] == "kept"


def test_tables_in_memory_leave_no_files(tmp_path: Path) -> None:
    port = free_port()
    with Children(tmp_path / "logs") as children:
        start_azurite(children, port=port).wait_ready()
        with TableServiceClient.from_connection_string(connection_string(port)) as service:
            service.create_table("incidents")
            assert [table.name for table in service.list_tables()] == ["incidents"]
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_without_azurite_one_is_told_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azurite, "PROGRAM", tmp_path / "main.js")
    with Children(tmp_path) as children, pytest.raises(ChildFailed, match="run `make setup`"):
        start_azurite(children, port=free_port())
