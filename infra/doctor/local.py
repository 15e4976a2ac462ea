"""The local world, asked as people ask the deployed one: its API, with the token that it wrote."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from infra.doctor.api import NotRunning, ask
from infra.doctor.table import Findings
from infra.local.world import LOCAL

BULLETIN = LOCAL / "start.json"


async def ask_local_world(bulletin: Path = BULLETIN) -> Findings:
    """What its apps found of themselves. Raises NotRunning."""
    told = await asyncio.to_thread(_read, bulletin)
    found = await ask(told["api"], told["token"], moment="%H:%M:%S")
    if not found.parts:
        raise NotRunning("the local world has just begun; its apps look at themselves soon")
    return found


def _read(bulletin: Path) -> dict[str, Any]:
    if not bulletin.exists():
        raise NotRunning("no setting is in the environment, and no local world was started")
    return dict(msgspec.json.decode(bulletin.read_bytes()))
