"""The reports of both apps as people get them: by `GET /api/readiness`, with somebody's token."""

from datetime import datetime

import aiohttp
import msgspec

from infra.doctor.table import Findings, Part
from shared.domain.readiness.check import Check
from shared.domain.readiness.stage import Standing

TIMEOUT = aiohttp.ClientTimeout(total=20)


class NotRunning(Exception):
    """Nobody is there, or nobody who would tell."""


class _App(msgspec.Struct):
    app: str
    at: datetime
    checks: tuple[Check, ...]


class _Answer(msgspec.Struct):
    stage: str
    apps: tuple[_App, ...]
    services: tuple[Standing, ...]


async def ask(api: str, token: str, *, moment: str) -> Findings:
    """What the apps behind an address found of themselves, and when, as `moment` has it.

    Raises NotRunning.
    """
    try:
        found = msgspec.json.decode(await _get(f"{api}/api/readiness", token), type=_Answer)
    except msgspec.MsgspecError:
        raise NotRunning(f"what answers at {api} is no Backstop") from None
    parts = tuple(
        Part(whose=f"The {one.app}, by itself at {one.at:{moment}} UTC", checks=one.checks)
        for one in found.apps
    )
    return Findings(parts=parts, stage=found.stage, standings=found.services)


async def _get(url: str, token: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session,
            session.get(url) as answer,
        ):
            if answer.status == 200:  # noqa: PLR2004 - HTTP's own numbers
                return await answer.read()
            raise NotRunning(f"{url} answers {answer.status}")
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise NotRunning(f"{url} does not answer") from None
