"""The catalog of a local world, and which of its services the world can serve.

Whoever puts one more file into the catalog finds it served here, with customers and a version that
goes bad, and with everything that its file asks for.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.issuer.identities import IDENTITIES
from shared.adapters.catalog import load_catalog
from shared.domain.catalog import Service, TargetKind

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "shared" / "catalog"
SECOND = ROOT / "infra" / "local" / "catalog" / "claim-routing.yaml"
FIRST = "fnol-summary"
GOLDEN = "golden"
SPARE = (
    "/subscriptions/00000000-0000-0000-0000-00000000f001/resourcegroups/rg-claims/providers"
    "/microsoft.cognitiveservices/accounts/ai-claims/projects/claims/agents/spare"
)
PAGER_KEY = "0123456789abcdef0123456789abcdef"  # of the right form, and good for the inbox only


def endpoints_of(service: Service) -> tuple[str, ...]:
    """The ARM ids of the service's online endpoints."""
    kind = TargetKind.ONLINE_ENDPOINT
    return tuple(target.id for target in service.targets if target.kind is kind)


def playable(folder: Path) -> tuple[str, ...]:
    """The names of all services of a folder that are in order and have an endpoint."""
    services = load_catalog(folder).services.values()
    return tuple(service.name for service in services if endpoints_of(service))


def pager_keys(folder: Path) -> dict[str, str]:
    """A routing key for every contact of the services of a folder, as settings."""
    services = load_catalog(folder).services.values()
    pagers = {one.pager for service in services for one in service.contacts}
    return {f"BACKSTOP_PAGER_KEY_{name.upper().replace('-', '_')}": PAGER_KEY for name in pagers}


def spare(number: int) -> str:
    """The ARM id of a spare target: of the demo service, with nothing behind it."""
    return f"{SPARE}-{number}"


def write_catalog(
    folder: Path,
    policy: Mapping[str, str | int],
    spares: int = 0,
    *,
    second: bool = False,
    source: Path = CATALOG,
) -> None:
    """Copy a catalog, and the `second` service, with this policy for all that have an endpoint.

    So many spare targets are added to the first: alerts about one target are one incident. A file
    with a mistake is copied as it is, so that its owner sees here what comes of it.
    """
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.yaml"):
        left.unlink()
    shipped = sorted(source.glob("*.yaml"))
    played = {*playable(source), SECOND.stem}
    for path in [*shipped, SECOND] if second else shipped:
        text = path.read_text()
        if path.stem in played:
            documents = list(yaml.safe_load_all(text))
            more = spares if path.stem == FIRST else 0
            _adapt(documents[0]["spec"], policy, more)
            text = yaml.safe_dump_all(documents, sort_keys=False)
        (folder / path.name).write_text(text)
        _copy_golden(path, folder)


def _copy_golden(path: Path, folder: Path) -> None:
    """The golden cases of a service lie beside its file."""
    golden = path.parent / GOLDEN / path.name
    if golden.exists():
        (folder / GOLDEN).mkdir(exist_ok=True)
        (folder / GOLDEN / path.name).write_bytes(golden.read_bytes())


def _adapt(spec: dict[str, Any], policy: Mapping[str, str | int], spares: int) -> None:
    """Let a service earn and check as this world wants, hear its signals, own spare targets."""
    spec["policy"] = {**spec.get("policy", {}), **policy}
    spec["signals"] = [IDENTITIES["signal"].client_id]
    spec["targets"] += [{"kind": "agent", "id": spare(number)} for number in range(spares)]
