"""Configuration: what the catalog and the settings say of each service, and the event of a change.

A mode or a policy changes by a new deployment, which tells nobody. `responders.watching.configure`
compares what this process came with to what was kept of the last one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Catalog, Service
from shared.domain.event import ITSELF, ChangeEvent, EventKind, happened
from shared.domain.keys import digest

WHY = "the catalog and the settings of this deployment say so"
GONE = {"configured": False}  # what is said of a service that has no file any more


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What is configured for one service, or for "backstop" itself, as plain values."""

    name: str
    says: dict[str, Any]


def configurations(catalog: Catalog, retention_days: Mapping[str, float]) -> list[Configuration]:
    """All of them by name, Backstop's own and those of broken files among them."""
    found = {name: _of_service(service) for name, service in catalog.services.items()}
    broken = {one.service: one.problem for one in catalog.mistakes if one.service}
    found |= {name: {"broken": problem, "mode": "observe"} for name, problem in broken.items()}
    calendar = msgspec.json.encode(catalog.calendar).decode()
    found[ITSELF] = {"retention_days": dict(retention_days), "calendar": digest(calendar)}
    return [Configuration(name=name, says=found[name]) for name in sorted(found)]


def changed(
    was: Mapping[str, Configuration], now: list[Configuration]
) -> list[tuple[Configuration | None, Configuration]]:
    """What is not as it was kept, with what was kept; a file that is gone says so once."""
    there = {one.name for one in now}
    gone = [Configuration(name=name, says=GONE) for name in sorted(was.keys() - there)]
    pairs = [(was.get(one.name), one) for one in (*now, *gone)]
    return [(before, after) for before, after in pairs if before != after]


def tell_configured(
    was: Configuration | None, now: Configuration, at: datetime, by: str = ""
) -> ChangeEvent:
    """The event of a configuration that came, changed or went with a deployment.

    `by` is who deployed it, "" where the deployment does not say.
    """
    return happened(
        EventKind.CONFIGURATION_CHANGED,
        f"configured-{digest(now.name, at.isoformat())}",
        now.name,
        at,
        actor=by or ITSELF,
        role=AppRole.DEPLOYER if by else "",
        what=_what(was.says if was is not None else {}, now),
        why=WHY,
        policy=str(now.says.get("policy", "")),
        policy_hash=str(now.says.get("policy_hash", "")),
        before=was.says if was is not None else GONE,
        after=now.says,
    )


def _of_service(service: Service) -> dict[str, Any]:
    said = {
        "mode": service.mode.value,
        "policy": service.policy.id,
        "policy_hash": service.policy_hash,
        "rules": msgspec.to_builtins(service.policy),
        "customer_impact": service.customer_impact,
        "compliance": list(service.compliance),
        "targets": [target.id for target in service.targets],
        "file": service.file,
    }
    return dict(msgspec.json.decode(msgspec.json.encode(said)))


def _what(was: Mapping[str, Any], now: Configuration) -> str:
    """In one sentence; the mode first, because it says who may act."""
    if now.says == GONE:
        return f"{now.name} is configured no more"
    before, after = was.get("mode", ""), now.says.get("mode", "")
    if before and before != after:
        return f"the mode of {now.name} becomes {after}, and was {before}"
    if not was:
        return f"{now.name} is configured{f', in mode {after}' if after else ''}"
    names = sorted(name for name in {*was, *now.says} if was.get(name) != now.says.get(name))
    return f"the configuration of {now.name} changed: {', '.join(names)}"
