"""Services: clients are made when they are first used, once, and closed together."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.world import ROOT
from shared.errors import Misconfigured
from shared.services import Services
from tests.fakes import make_settings

CLIENTS = ("account", "bus", "logs", "endpoints", "scoring", "teams", "pager")
LOCAL = {
    "tables": "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
    "TableEndpoint=http://127.0.0.1:1/devstoreaccount1;",
    "bus": "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;"
    "UseDevelopmentEmulator=true;",
    "logs_endpoint": "http://127.0.0.1:1/v1",
    "arm_endpoint": "http://127.0.0.1:1",
    "teams_url": "http://127.0.0.1:1/teams",
    "pager_url": "http://127.0.0.1:1/pager",
}


@pytest.fixture
def services() -> Services:
    return Services(make_settings(**LOCAL))


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_is_made_once_and_closed(services: Services, name: str) -> None:
    assert getattr(services, name) is getattr(services, name)

    await services.close()


@pytest.mark.parametrize("name", ["state", "deliveries", "ledger", "index"])
async def test_all_tables_share_one_account(services: Services, name: str) -> None:
    assert getattr(services, name) is getattr(services, name)
    assert "account" in vars(services)

    await services.close()


async def test_what_was_never_used_is_not_made_to_be_closed(services: Services) -> None:
    await services.close()

    assert not set(CLIENTS) & set(vars(services))


def test_on_this_machine_there_is_no_credential(services: Services) -> None:
    assert (services.credential, services.sync_credential) == (None, None)


def test_settings_are_read_when_they_are_needed_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BACKSTOP_TABLES", raising=False)
    services = Services()

    with pytest.raises(Misconfigured, match="BACKSTOP_TABLES"):
        _ = services.settings


def test_the_clock_is_aware_and_in_utc(services: Services) -> None:
    now = services.now()

    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_the_reviewed_catalog_is_in_order() -> None:
    services = Services(make_settings(catalog=ROOT / "shared" / "catalog"))

    assert set(services.catalog.services) == {"fnol-summary", "policy-search"}
    assert services.catalog.mistakes == ()


def test_a_broken_file_is_said_and_leaves_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (ROOT / "shared" / "catalog" / "policy-search.yaml").read_text()
    tmp_path.joinpath("policy-search.yaml").write_text(whole)
    tmp_path.joinpath("broken.yaml").write_text("kind: [")

    catalog = Services(make_settings(catalog=tmp_path)).catalog

    assert set(catalog.services) == {"policy-search"}
    assert "not acting on broken" in caplog.text


def test_importing_services_imports_no_sdk() -> None:
    program = "import sys, shared.services; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, check=True
    )
    loaded = done.stdout.decode().split()
    assert not [name for name in loaded if name.startswith(("azure", "aiohttp", "yaml"))]
