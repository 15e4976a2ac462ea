"""The managed online endpoint, read and written through azure-ai-ml.

The executor's responders ask `Endpoints` for a snapshot, write a traffic split once, and poll for
the end themselves. What the SDK would do on its own is switched off, each for a reason:

- no retry of a PUT: a repeat must follow a reading that shows the change not applied;
- no polling by the SDK: it looks every 30 s, and it goes on long after we have lost interest;
- no request after the caller's deadline: a write that nobody waits for any more must not be sent.

azure-ai-ml is synchronous and takes over a second to import, so all of it runs in threads.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError

from shared.adapters.arm_client import ArmClients
from shared.adapters.arm_entities import snapshot_of, with_traffic
from shared.adapters.arm_errors import (
    PART,
    UNREADABLE,
    answer_to,
    status_of,
    unavailable,
    unknown,
    unreadable,
)
from shared.adapters.arm_transport import PastDeadline, deadline
from shared.domain.decisions.endpoint import EndpointSnapshot, TargetRef, WriteAnswer, WriteVerdict
from shared.errors import RejectedInput, Unavailable

_GRACE_S = 1.0  # for the thread to notice its deadline itself, before we stop to listen to it


def _utc_now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


class Endpoints:
    """Managed online endpoints. Safe to share between tasks.

    `arm_url` redirects the requests to a local ARM server on 127.0.0.1, which needs no credential.
    Raises Misconfigured.
    """

    def __init__(
        self,
        credential: TokenCredential | None,
        arm_url: str | None = None,
        poll_s: float = 0.5,
        read_timeout_s: float = 20.0,
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._clients = ArmClients(credential, arm_url, read_timeout_s)
        self._poll_s = poll_s
        self._read_timeout_s = read_timeout_s
        self._now = now

    async def read(self, target: TargetRef) -> EndpointSnapshot:
        """Read the endpoint and its deployments; the first reading imports the SDK.

        Raises RejectedInput when it does not exist, Unavailable when it cannot be read.
        """
        await asyncio.to_thread(self._clients.of, target)  # importing is no part of the reading
        return await self._read_within(target, self._read_timeout_s)

    async def write_traffic(
        self,
        target: TargetRef,
        traffic: dict[str, int],
        *,
        deadline_s: float,
        expected: str | None = None,
    ) -> WriteAnswer:
        """Ask once for this split; never raises for the service's trouble.

        Nothing is sent where the endpoint's fingerprint is not the `expected` one any more: the
        service takes no If-Match, and this look is the last one before the request.
        After `deadline_s` nothing is sent any more, though a request that is out may still be
        applied: that is what `unknown` means.
        """
        try:
            async with asyncio.timeout(deadline_s + _GRACE_S):
                return await asyncio.to_thread(self._write, target, traffic, deadline_s, expected)
        except TimeoutError:
            return unknown(f"no answer in {deadline_s} s")

    async def wait_idle(self, target: TargetRef, *, timeout_s: float) -> EndpointSnapshot:
        """Read until no operation is in flight; single readings may fail on the way.

        Raises Unavailable when the time is up, RejectedInput when the endpoint does not exist.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        state, trouble = "never read", None
        while (left := ends_at - loop.time()) > 0:
            try:
                snapshot = await self._read_within(target, min(left, self._read_timeout_s))
            except Unavailable as error:
                trouble = error
            else:
                if snapshot.idle:
                    return snapshot
                state = snapshot.state
            await asyncio.sleep(min(self._poll_s, left))
        raise Unavailable(PART, f"{state} after {timeout_s} s, not idle") from trouble

    async def close(self) -> None:
        """Close the connections. The adapter can be used again and then makes new clients."""
        await asyncio.to_thread(self._clients.close)

    async def _read_within(self, target: TargetRef, limit_s: float) -> EndpointSnapshot:
        try:
            async with asyncio.timeout(limit_s + _GRACE_S):
                return await asyncio.to_thread(self._read, target, limit_s)
        except TimeoutError as error:
            raise Unavailable(PART, f"no answer in {limit_s} s") from error

    def _read(self, target: TargetRef, limit_s: float) -> EndpointSnapshot:
        try:
            with deadline(limit_s):
                return self._forgiving(target)
        except ResourceNotFoundError as error:
            raise RejectedInput("no-such-endpoint", f"{target.id} not found") from error
        except AzureError as error:
            raise unavailable(error) from error
        except PastDeadline as error:
            raise Unavailable(PART, str(error)) from error
        except UNREADABLE as error:
            raise Unavailable(PART, unreadable(error)) from error

    def _forgiving(self, target: TargetRef) -> EndpointSnapshot:
        """Read once more where there was no answer at all: a pooled connection may be dead."""
        try:
            return self._snapshot(target)
        except AzureError as error:
            if status_of(error) is not None:
                raise
        return self._snapshot(target)

    def _snapshot(self, target: TargetRef) -> EndpointSnapshot:
        client = self._clients.of(target)
        endpoint = client.online_endpoints.get(target.endpoint)
        deployments = client.online_deployments.list(target.endpoint)
        return snapshot_of(target, endpoint, deployments, now=self._now())

    def _write(
        self, target: TargetRef, traffic: dict[str, int], deadline_s: float, expected: str | None
    ) -> WriteAnswer:
        try:
            with deadline(deadline_s):
                endpoints = self._clients.of(target).online_endpoints
                found = endpoints.get(target.endpoint)
                now = snapshot_of(target, found, (), now=self._now()).fingerprint
                if expected not in (None, now):
                    return WriteAnswer(verdict=WriteVerdict.CHANGED, detail="changed since")
                changed = with_traffic(found, traffic)
                # The poller that this answers dies at its first request: see DeadlineTransport.
                endpoints.begin_create_or_update(changed)
        except AzureError as error:
            return answer_to(error)
        except PastDeadline as error:
            return unknown(str(error))
        except UNREADABLE as error:
            return unknown(unreadable(error))
        return WriteAnswer(verdict=WriteVerdict.ACCEPTED)
