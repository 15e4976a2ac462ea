"""The evidence of the whole run: ordered by an auditor, checked by the program that lies in it.

The fingerprint comes from the file of the world's key and not from the bundle. That the check can
fail is shown as well, on a copy of which one byte is another.
"""

import asyncio
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from infra.local.demo.client import Client, Stuck
from infra.local.demo.proof import recorded
from infra.local.demo.screen import Screen
from infra.local.world import World

CHECK_WITHIN_S = 60
EVENTS = "events.jsonl"
ENDED = ("done", "failed")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify.py` answered: its exit code, and the line that it printed."""

    code: int
    said: str


class Exported(msgspec.Struct, kw_only=True):
    """The bundle of the run, whole and with one byte altered; None where it never came so far.

    `lacks` are incidents of the run that the bundle does not speak of.
    """

    path: str = ""
    events: int = 0
    lacks: tuple[str, ...] = ()
    whole: Check | None = None
    altered: Check | None = None

    @property
    def verified(self) -> bool:
        """Whether the bundle speaks of every incident and proves itself."""
        return self.whole is not None and self.whole.code == 0 and not self.lacks

    @property
    def altered_found(self) -> bool:
        """Whether the altered copy was refused, as one that was altered."""
        altered = self.altered
        return altered is not None and altered.code == 1 and altered.said.startswith("BAD:")


class Exporting:
    """Plays the auditor; what is seen is written into `seen`."""

    def __init__(self, world: World, client: Client, screen: Screen, seen: Exported) -> None:
        self._world = world
        self._client = client
        self._screen = screen
        self._seen = seen
        self._told = ""

    async def play(self, incidents: list[str], since: datetime, key: str) -> None:
        """Order, take and check the evidence since a time. Raises Stuck where it never comes."""
        say, seen = self._screen.fact, self._seen
        self._screen.act(6, "The evidence")
        for incident in incidents:
            look = partial(recorded, self._world, incident)
            await self._client.until(f"the ledger to have all of {incident}", look, bool, 30)
        path = await self._fetch(since)
        seen.path = str(path)
        seen.events, seen.lacks = _count(path, incidents)
        say(f"{path.name} is there: {seen.events} events, both incidents among them")
        seen.whole, seen.altered = await check(path, key)
        say(f"python3 -I verify.py --key {key}")
        say(f"  exit {seen.whole.code}; {seen.whole.said}", "green" if seen.verified else "red")
        say(f"one byte of {EVENTS} is altered in a copy:")
        style = "green" if seen.altered_found else "red"
        say(f"  exit {seen.altered.code}; {seen.altered.said}", style)

    async def _fetch(self, since: datetime) -> Path:
        """Order the bundle of all that was recorded since then, wait for it, and keep it."""
        client, until = self._client, datetime.now(UTC)
        asked = {"since": since.isoformat(), "until": until.isoformat()}
        order = await client.post("/api/evidence", asked, who="auditor")
        self._screen.fact(f"an auditor orders the evidence of the run: {order['id']}")
        done = await client.until(
            "the evidence", lambda: self._order(order["id"]), lambda o: o["state"] in ENDED, 60
        )
        if done["state"] != "done":
            raise Stuck(f"the evidence was not collected: {done['detail']}")
        path = self._world.folder / "evidence.zip"
        path.write_bytes(await client.download(f"/api/evidence/{order['id']}", who="auditor"))
        return path

    async def _order(self, order: str) -> dict[str, Any]:
        """How far it has come; said where that is news."""
        every = (await self._client.get("/api/evidence", who="auditor"))["evidence"]
        found: dict[str, Any] = next(one for one in every if one["id"] == order)
        progress = f"{found['state']} {found['detail']}".strip()
        if progress != self._told:
            self._told = progress
            self._screen.fact(f"  {progress}, {found['events']} events so far", "dim")
        return found


async def check(bundle: Path, key: str) -> tuple[Check, Check]:
    """Run the bundle's own program on it as it is, then with one byte of its events altered.

    Raises Stuck where the program does not come to an end.
    """
    with tempfile.TemporaryDirectory(prefix="evidence-") as place:
        folder = Path(place)
        with zipfile.ZipFile(bundle) as packed:
            packed.extractall(folder)
        whole = await _verify(folder, key)
        events = folder / EVENTS
        events.write_bytes(alter(events.read_bytes()))
        return whole, await _verify(folder, key)


def alter(data: bytes) -> bytes:
    """The same with one byte changed: the first digit 1 of the second half becomes a 2."""
    at = data.index(b"1", len(data) // 2)
    return data[:at] + b"2" + data[at + 1 :]


async def _verify(folder: Path, key: str) -> Check:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "verify.py", "--key", key),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(program.communicate(), CHECK_WITHIN_S)
    except TimeoutError:
        program.kill()
        raise Stuck(f"verify.py did not end within {CHECK_WITHIN_S} s") from None
    assert program.returncode is not None, "it has ended"
    return Check(code=program.returncode, said=said.decode(errors="replace").strip())


def _count(bundle: Path, incidents: list[str]) -> tuple[int, tuple[str, ...]]:
    """How many events there are, and which of the incidents have none."""
    with zipfile.ZipFile(bundle) as packed:
        events = [msgspec.json.decode(line) for line in packed.read(EVENTS).splitlines()]
    told = {event.get("incident", "") for event in events}
    return len(events), tuple(name for name in incidents if name not in told)
