"""The local world, asked as people ask the deployed one: its API, with the token that it wrote."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from infra.doctor.table import Findings, Part
from infra.local.world import LOCAL
from shared.domain.readiness.check import Check
from shared.domain.readiness.stage import Standing

BULLETIN = LOCAL / "start.json"
TIMEOUT = aiohttp.ClientTimeout(total=20)


class NotRunning(Exception):
    """Nobody is there."""


class _App(msgspec.Struct):
    app: str
    at: datetime
    checks: tuple[Check, ...]


class _Answer(msgspec.Struct):
    stage: str
    apps: tuple[_App, ...]
    services: tuple[Standing, ...]


async def ask_local_world(bulletin: Path = BULLETIN) -> Findings:
    """What its apps found of themselves. Raises NotRunning."""
    told = await asyncio.to_thread(_read, bulletin)
    found = msgspec.json.decode(await _ask(told["api"], told["token"]), type=_Answer)
    if not found.apps:
        raise NotRunning("the local world has just begun; its apps look at themselves soon")
    parts = tuple(
        Part(whose=f"The {one.app}, by itself at {one.at:%H:%M:%S} UTC", checks=one.checks)
        for one in found.apps
    )
    return Findings(parts=parts, stage=found.stage, standings=found.services)


def _read(bulletin: Path) -> dict[str, Any]:
    if not bulletin.exists():
        raise NotRunning("no setting is in the environment, and no local world was started")
    return dict(msgspec.json.decode(bulletin.read_bytes()))


async def _ask(api: str, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session,
            session.get(f"{api}/api/readiness") as answer,
        ):
            if answer.status == 200:  # noqa: PLR2004 - HTTP's own numbers
                return await answer.read()
            raise NotRunning(f"the local world at {api} answers {answer.status}")
    except (aiohttp.ClientError, TimeoutError):
        raise NotRunning(f"the local world that was at {api} does not answer") from None
