"""The tables of the local world: Azurite's table service, from node_modules.

Stop it with SIGINT, which `Children` does: it ignores SIGTERM, and killed it loses what it has not
saved yet (it saves every five seconds).
"""

from pathlib import Path

from infra.local.processes import Child, ChildFailed, Children, answers

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "node_modules/azurite/dist/src/table/main.js"
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


def start_azurite(children: Children, *, port: int, folder: Path | None = None) -> Child:
    """Start the table service and return at once; `wait_ready` returns when its port answers.

    Without a folder all tables are in memory. Raises ChildFailed when it is not installed.
    """
    if not PROGRAM.exists():
        raise ChildFailed(f"Azurite is not installed ({PROGRAM} is missing): run `make setup`")
    where = ["--location", str(folder)] if folder else ["--inMemoryPersistence"]
    command = [
        "node",
        str(PROGRAM),
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--tableHost",
        "127.0.0.1",
        "--tablePort",
        str(port),
        *where,
    ]
    return children.start("azurite", command, ready=answers(port), serves_others=True)
