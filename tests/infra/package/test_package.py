"""The deployment package: what is in it, that it is the same each time, and that it serves.

Packages come from the environment here, which `make lock` holds to the same versions: what pip
downloads for Azure differs in the platform's tag alone, and is not asked for in a test.
"""

import asyncio
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from infra.local.azurite import connection_string, start_azurite
from infra.local.bench.package import weigh
from infra.local.bus import Emulator
from infra.local.bus.config import read_config
from infra.local.host.worker import HOST_ROOT
from infra.local.ports import free_port
from infra.local.processes import Child, Children, says
from infra.package.package import PACKAGES, ROOT, build, compile_all, copy_code, pack
from infra.package.wheels import Refused, copy_installed, pins
from shared.adapters.tables import TableAccount
from shared.services import TABLES
from shared.settings import Role
from tests.fakes.callers import TENANT
from tests.fakes.issuer import AUDIENCE, FakeIssuer, issuing
from tests.test_requirements import reached

NO_PACKAGES = "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The responder's zip, unpacked in a place that knows nothing of the repository."""
    folder = tmp_path_factory.mktemp("package")
    package = build("responder", folder, copy_installed)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder / "wwwroot")
    return folder / "wwwroot"


def test_it_holds_the_code_the_packages_and_their_bytecode(unpacked: Path) -> None:
    packages = unpacked / PACKAGES
    for place in (unpacked / "function_app.py", packages / "msgspec" / "__init__.py"):
        compiled = place.parent / "__pycache__" / f"{place.stem}.cpython-313.pyc"
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01, "checked by hash, and never checked"
    assert {path.name for path in unpacked.iterdir()} == {
        *(".python_packages", "__pycache__", "LICENSE", "function_app.py", "host.json"),
        *("requirements.txt", "responders", "shared"),
    }


def test_it_holds_its_own_pinned_packages_and_no_other(unpacked: Path) -> None:
    held = {path.name.split("-")[0].lower() for path in (unpacked / PACKAGES).glob("*.dist-info")}
    wanted = pins(ROOT / "requirements-responder.txt")
    assert held == {name.replace("-", "_") for name in wanted}
    assert not (unpacked / PACKAGES / "azure" / "ai").exists()


def test_it_needs_nothing_but_itself(unpacked: Path) -> None:
    """Everything that the responder can come to import, by an interpreter without packages."""
    modules = sorted(reached(Role.RESPONDER).ours | {"function_app", "azure_functions_runtime"})
    program = f"{NO_PACKAGES}; import importlib, json; "
    program += f"sys.path += [{str(unpacked / PACKAGES)!r}, {str(unpacked)!r}]; "
    program += f"[importlib.import_module(name) for name in {modules!r}]; "
    program += "print(json.dumps([m.__file__ for m in sys.modules.values() if "
    program += "'site-packages' in (getattr(m, '__file__', None) or '')]))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        cwd=unpacked,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(file.startswith(str(unpacked)) for file in json.loads(done.stdout))


def test_its_size_and_its_cold_import_are_measured(unpacked: Path) -> None:
    size, with_bytecode, without = weigh(
        "responder", unpacked.parent / "responder.zip", unpacked, rounds=1
    )
    assert size.met
    assert with_bytecode.value > 0 < without.value


@pytest.fixture
async def issuer() -> AsyncIterator[FakeIssuer]:
    async with issuing(datetime.now(UTC)) as one:
        yield one


@pytest.fixture
async def bus() -> AsyncIterator[Emulator]:
    emulator = Emulator(read_config(ROOT / "infra/servicebus.json"))
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    with Children(tmp_path / "logs") as started:
        yield started


def serve(children: Children, unpacked: Path, settings: dict[str, str]) -> Child:
    command = [sys.executable, "-m", "infra.local.host", "--app", str(unpacked), "--port", "0"]
    return children.start(
        "host", command, ready=says("ready http"), env=settings, cwd=Path(HOST_ROOT)
    )


async def test_unpacked_elsewhere_it_takes_an_alert(
    unpacked: Path, children: Children, issuer: FakeIssuer, bus: Emulator
) -> None:
    port = free_port()
    start_azurite(children, port=port).wait_ready()
    await make_tables(port)
    settings = {
        "PYTHONPATH": str(unpacked / PACKAGES),  # before what is installed here
        "BACKSTOP_ROLE": "responder",
        "BACKSTOP_TABLES": connection_string(port),
        "BACKSTOP_BUS": bus.connection_string,
        "BACKSTOP_LOGS_WORKSPACE": "none",
        "BACKSTOP_LOGS_ENDPOINT": "http://127.0.0.1:1/v1",
        "BACKSTOP_ARM_ENDPOINT": "http://127.0.0.1:1",
        "BACKSTOP_TICK": "0 0 0 1 1 *",
        "BACKSTOP_TENANT": TENANT,
        "BACKSTOP_AUDIENCE": AUDIENCE,
        "BACKSTOP_AUTHORITY": issuer.authority,
    }
    host = serve(children, unpacked, settings)
    await wait_ready(host)
    url = next(line.split()[1] for line in host.output() if line.startswith("ready "))
    headers = {"Authorization": f"Bearer {issuer.sign(issuer.webhook_claims())}"}
    alert = (ROOT / "tests/events/log_v2_fired.json").read_bytes()
    async with aiohttp.ClientSession() as client:
        async with client.post(f"{url}/api/alerts", data=alert, headers=headers) as answer:
            assert answer.status == 202, host.output()
        async with client.post(f"{url}/api/alerts", data=alert) as answer:
            assert answer.status == 401
    host.kill()


async def make_tables(port: int) -> None:
    account = TableAccount(connection_string(port))
    await account.create(*TABLES)
    await account.close()


async def wait_ready(host: Child) -> None:
    """Not `host.wait_ready`: the bus and the issuer answer on this test's own loop."""
    async with asyncio.timeout(30):
        while not any(line.startswith("ready ") for line in host.output()):
            assert host.is_alive(), host.output()
            await asyncio.sleep(0.02)


def test_equal_code_makes_equal_packages(tmp_path: Path) -> None:
    packages = []
    for folder in (tmp_path / "one", tmp_path / "another"):
        copy_code("executor", folder)
        compile_all(folder)
        packages.append(pack(folder, folder.with_suffix(".zip")).read_bytes())
    assert packages[0] == packages[1]


def test_another_version_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("msgspec==0.0.1\n")
    with pytest.raises(Refused, match=r"msgspec .* is installed here, not 0\.0\.1"):
        copy_installed(wanted, tmp_path / "target")
