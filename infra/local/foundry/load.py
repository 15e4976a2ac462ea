"""The customers: requests at a steady rate over the real HTTP route, and what became of them.

The load knows nothing of versions but what the answers say, so its counters are the independent
witness of when customers began to suffer and when that ended.
"""

import asyncio
import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from random import Random

import aiohttp
import msgspec

from infra.local.foundry.scoring import DEPLOYMENT_HEADER
from infra.local.tenants import tenant_of

_REMEMBERED = 50_000
_TEXTS = (
    "Water from the flat above has come through the kitchen ceiling during the night.",
    "A parked car was hit on its left side; the other driver left a note.",
    "Hail has broken two roof windows and dented the gutters on the west side.",
    "A bicycle was taken from a locked cellar between Friday and Sunday.",
)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: `at` epoch seconds when it came; `deployment` is empty when none was named."""

    at: float
    deployment: str
    region: str
    ok: bool


class Load:
    """Open-loop load: the next request leaves on time whether or not the last has been answered.

    `regions` are shares by region. Start and stop belong on one event loop.
    """

    def __init__(
        self,
        scoring_url: str,
        rate_per_s: float,
        regions: Mapping[str, float],
        rng: Random,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sent = 0
        self.good = 0
        self.bad = 0
        self.by_deployment: Counter[str] = Counter()
        self.observations: deque[Observation] = deque(maxlen=_REMEMBERED)
        self.first_bad_at: float | None = None
        self._url = scoring_url
        self._rate = rate_per_s
        self._regions = dict(regions)
        self._rng = rng
        self._clock = clock
        self._pump: asyncio.Task[None] | None = None
        self._flying: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to send."""
        self._pump = asyncio.create_task(self._send_forever())

    async def stop(self) -> None:
        """Send no more, and wait for the answers that are still out."""
        if self._pump is None:
            return
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)
        self._pump = None

    def nth_good_unpinned_after(
        self, after: float, n: int = 5, *, deployment: str | None = None, region: str | None = None
    ) -> float | None:
        """When the n-th good answer in a row came after a time, None if that has not happened.

        With `deployment`, an answer counts as good only from that version; with `region`, only that
        region's answers are looked at.
        """
        row = 0
        for seen in list(self.observations):
            if seen.at <= after or (region is not None and seen.region != region):
                continue
            good = seen.ok and deployment in (None, seen.deployment)
            row = row + 1 if good else 0
            if row == n:
                return seen.at
        return None

    def first_bad_after(self, after: float, *, deployment: str | None = None) -> float | None:
        """When the first bad answer came after a time (of one version), None if none has."""
        for seen in list(self.observations):
            if seen.at > after and not seen.ok and deployment in (None, seen.deployment):
                return seen.at
        return None

    async def _send_forever(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            try:
                for number in itertools.count():
                    await asyncio.sleep(began + number / self._rate - loop.time())
                    self._launch(session, number)
            finally:
                await asyncio.gather(*self._flying)

    def _launch(self, session: aiohttp.ClientSession, number: int) -> None:
        task = asyncio.create_task(self._send(session, number))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)

    async def _send(self, session: aiohttp.ClientSession, number: int) -> None:
        region = self._rng.choices(list(self._regions), list(self._regions.values()))[0]
        text = _TEXTS[number % len(_TEXTS)]
        body = {
            "claim_id": f"C-{number:07d}",
            "region": region,
            "tenant": tenant_of(region, number),
            "text": text,
        }
        self.sent += 1
        try:
            async with session.post(self._url, json=body) as response:
                await response.read()
                self._note(response.headers.get(DEPLOYMENT_HEADER, ""), region, response.ok)
        except (aiohttp.ClientError, TimeoutError):
            self._note("", region, ok=False)

    def _note(self, deployment: str, region: str, ok: bool) -> None:
        seen = Observation(at=self._clock(), deployment=deployment, region=region, ok=ok)
        self.observations.append(seen)
        self.by_deployment[deployment] += 1
        if ok:
            self.good += 1
            return
        self.bad += 1
        if self.first_bad_at is None:
            self.first_bad_at = seen.at
