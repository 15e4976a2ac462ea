"""What the deployment must know of the catalog's services: whom they page, and what may be touched.

From it come the secrets that are referred to, and the rights outside of Backstop's own group: to
read and probe the endpoints of every service, to write those whose mode may move traffic, and to
ask the subscriptions of all for alerts that were fired.
"""

import msgspec

from shared.domain.catalog import UNOWNED, Catalog, Mode, Service, TargetKind
from shared.domain.decisions.endpoint import TargetRef, parse_target

MOVES = frozenset({Mode.APPROVE, Mode.AUTOMATIC})


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One online endpoint. `write`: its service's mode may move its traffic."""

    name: str
    write: bool


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One Foundry workspace with the endpoints in it that the catalog names."""

    subscription: str
    group: str
    workspace: str
    endpoints: tuple[Endpoint, ...]


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """The file: names of pagers, subscriptions that hold targets, and workspaces."""

    pagers: tuple[str, ...]
    subscriptions: tuple[str, ...]
    workspaces: tuple[Workspace, ...]


def services_file(catalog: Catalog) -> bytes:
    """The file's content, in an order that does not depend on that of the services."""
    services = tuple(catalog.services.values())
    paged = (*services, UNOWNED)
    pagers = {contact.pager for service in paged for contact in service.contacts}
    targets = [target.id for service in services for target in service.targets]
    made = Deployed(
        pagers=tuple(sorted(pagers)),
        subscriptions=tuple(sorted({target.split("/")[2] for target in targets})),
        workspaces=_workspaces(services),
    )
    return msgspec.json.format(msgspec.json.encode(made)) + b"\n"


def _workspaces(services: tuple[Service, ...]) -> tuple[Workspace, ...]:
    found: dict[tuple[str, str, str], set[Endpoint]] = {}
    for service in services:
        for one in _endpoints(service):
            place = (one.subscription, one.resource_group, one.workspace)
            endpoint = Endpoint(name=one.endpoint, write=service.mode in MOVES)
            found.setdefault(place, set()).add(endpoint)
    return tuple(
        Workspace(
            subscription=place[0],
            group=place[1],
            workspace=place[2],
            endpoints=tuple(sorted(found[place])),
        )
        for place in sorted(found)
    )


def _endpoints(service: Service) -> list[TargetRef]:
    kind = TargetKind.ONLINE_ENDPOINT
    return [parse_target(target.id) for target in service.targets if target.kind is kind]
