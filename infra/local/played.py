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


def write_catalog(
    folder: Path,
    policy: Mapping[str, str | int],
    *,
    second: bool = False,
    source: Path = CATALOG,
) -> None:
    """Copy a catalog, and the `second` service, with this policy for all that have an endpoint.

    A file with a mistake is copied as it is, so that its owner sees here what comes of it.
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
            _adapt(documents[0]["spec"], policy)
            text = yaml.safe_dump_all(documents, sort_keys=False)
        (folder / path.name).write_text(text)
        _copy_golden(path, folder)


def _copy_golden(path: Path, folder: Path) -> None:
    """The golden cases of a service lie beside its file."""
    golden = path.parent / GOLDEN / path.name
    if golden.exists():
        (folder / GOLDEN).mkdir(exist_ok=True)
        (folder / GOLDEN / path.name).write_bytes(golden.read_bytes())


def _adapt(spec: dict[str, Any], policy: Mapping[str, str | int]) -> None:
    """Let a service earn and check as this world wants, and hear its signals."""
    spec["policy"] = {**spec.get("policy", {}), **policy}
    spec["signals"] = [IDENTITIES["signal"].client_id]
