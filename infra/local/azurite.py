"""The tables and blobs of the local world: two services of Azurite, from node_modules.

Two processes, because in Azure they are two storage accounts: what seals the tables is kept apart.

Stop it with SIGINT, which `Children` does: it ignores SIGTERM, and killed it loses what it has not
saved yet (it saves every five seconds).
"""

from pathlib import Path

from infra.local.processes import Child, ChildFailed, Children, answers

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "node_modules/azurite/dist/src/table/main.js"
BLOB_PROGRAM = ROOT / "node_modules/azurite/dist/src/blob/main.js"
QUIET = ROOT / "infra/local/azurite_quiet.cjs"  # what it need not load
ACCOUNT = "devstoreaccount1"
# The emulator's account key is the same for everybody and published; it opens nothing else.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection_string(port: int) -> str:
    """Tell how clients reach the tables on a loopback port."""
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    return (
        "DefaultEndpointsProtocol=http;"
        f"AccountName={ACCOUNT};AccountKey={KEY};TableEndpoint={endpoint};"
    )


def blob_connection_string(port: int) -> str:
    """Tell how clients reach the blobs on a loopback port."""
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    return (
        "DefaultEndpointsProtocol=http;"
        f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
    )


def start_azurite(children: Children, *, port: int, folder: Path | None = None) -> Child:
    """Start the table service and return at once; `wait_ready` returns when its port answers.

    Without a folder all tables are in memory. Raises ChildFailed when it is not installed.
    """
    return _start(children, "azurite", PROGRAM, ("--tableHost", "--tablePort"), port, folder)


def start_blobs(children: Children, *, port: int, folder: Path | None = None) -> Child:
    """Start the blob service, in the same way."""
    return _start(children, "blobs", BLOB_PROGRAM, ("--blobHost", "--blobPort"), port, folder)


def _start(
    children: Children,
    name: str,
    program: Path,
    options: tuple[str, str],
    port: int,
    folder: Path | None,
) -> Child:
    if not program.exists():
        raise ChildFailed(f"Azurite is not installed ({program} is missing): run `make setup`")
    where = ["--location", str(folder)] if folder else ["--inMemoryPersistence"]
    command = [
        "node",
        "--require",
        str(QUIET),
        str(program),
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        options[0],
        "127.0.0.1",
        options[1],
        str(port),
        *where,
    ]
    return children.start(name, command, ready=answers(port), serves_others=True)
