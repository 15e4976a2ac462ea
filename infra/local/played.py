"""Which services of a catalog the local world can play: those whose traffic it can serve and move.

Whoever puts one more file into the catalog finds it served here, with customers and a version that
goes bad, and with everything that its file asks for.
"""

from pathlib import Path

from shared.adapters.catalog import load_catalog
from shared.domain.catalog import Service, TargetKind

PAGER_KEY = "0123456789abcdef0123456789abcdef"  # of the right form, and good for the inbox only


def endpoints_of(service: Service) -> tuple[str, ...]:
    """The ARM ids of the service's online endpoints."""
    kind = TargetKind.ONLINE_ENDPOINT
    return tuple(target.id for target in service.targets if target.kind is kind)


def playable(folder: Path) -> tuple[str, ...]:
    """The names of all services of a folder that are in order and have an endpoint."""
    services = load_catalog(folder).services.values()
    return tuple(service.name for service in services if endpoints_of(service))


def pager_keys(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """A routing key for every contact of these services, as settings."""
    services = load_catalog(folder).services
    pagers = {one.pager for name in names for one in services[name].contacts}
    return {f"BACKSTOP_PAGER_KEY_{name.upper().replace('-', '_')}": PAGER_KEY for name in pagers}
