"""The managed online endpoint, read and written through azure-ai-ml.

The executor's responders ask `Endpoints` for a snapshot, write a traffic split once, and poll for
the end themselves. What the SDK would do on its own is switched off, each for a reason:

- no retry of a PUT: a repeat must follow a reading that shows the change not applied;
- no polling by the SDK: it looks every 30 s, and it goes on long after we have lost interest;
- no request after the caller's deadline: a write that nobody waits for any more must not be sent.

azure-ai-ml is synchronous and takes over a second to import, so all of it runs in threads.
"""

import asyncio
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.adapters.arm_transport import DeadlineTransport, PastDeadline, deadline
from shared.domain.endpoint import (
    Deployment,
    EndpointSnapshot,
    TargetRef,
    WriteAnswer,
    WriteVerdict,
)
from shared.errors import Misconfigured, RejectedInput, Unavailable

PROMPT_TAG = "backstop.prompt_version"
MODEL_TAG = "backstop.model"
_PART = "endpoint"
_GRACE_S = 1.0  # for the thread to notice its deadline itself, before we stop to listen to it
_REFUSALS = frozenset({400, 401, 403, 404, 405, 422})
# The SDK writes systemData into the endpoint's own properties, and would send it back.
_SYSTEM_DATA = ("createdBy", "createdAt", "lastModifiedAt")


def _utc_now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


class Endpoints:
    """Managed online endpoints, one SDK client a workspace. Safe to share between tasks.

    `arm_url` redirects the requests to a local ARM server; only 127.0.0.1 is allowed, and only
    there may the credential be left out. Raises Misconfigured.
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
        _refuse_foreign(arm_url)
        self._credential = _credential(credential, arm_url)
        self._arm_url = arm_url
        self._poll_s = poll_s
        self._read_timeout_s = read_timeout_s
        self._now = now
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], Any] = {}

    async def warm(self, target: TargetRef) -> None:
        """Import the SDK and make the client, so that the first rollback need not wait for it."""
        await asyncio.to_thread(self._client, target)

    async def read(self, target: TargetRef) -> EndpointSnapshot:
        """Read the endpoint and its deployments.

        Raises RejectedInput when it does not exist, Unavailable when it cannot be read.
        """
        return await self._read_within(target, self._read_timeout_s)

    async def write_traffic(
        self, target: TargetRef, traffic: dict[str, int], *, deadline_s: float
    ) -> WriteAnswer:
        """Ask once for this split; never raises for the service's trouble.

        After `deadline_s` nothing is sent any more, though a request that is out may still be
        applied: that is what `unknown` means.
        """
        try:
            async with asyncio.timeout(deadline_s + _GRACE_S):
                return await asyncio.to_thread(self._write, target, traffic, deadline_s)
        except TimeoutError:
            return _unknown(f"no answer in {deadline_s} s")

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
        raise Unavailable(_PART, f"{state} after {timeout_s} s, not idle") from trouble

    async def close(self) -> None:
        """Close the connections. The adapter can be used again and then makes new clients."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for _client, transport in clients:
            await asyncio.to_thread(transport.close)

    async def _read_within(self, target: TargetRef, limit_s: float) -> EndpointSnapshot:
        try:
            async with asyncio.timeout(limit_s + _GRACE_S):
                return await asyncio.to_thread(self._read, target, limit_s)
        except TimeoutError as error:
            raise Unavailable(_PART, f"no answer in {limit_s} s") from error

    def _client(self, target: TargetRef) -> Any:
        key = (target.subscription, target.resource_group, target.workspace)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(key)
            return self._clients[key][0]

    def _make(self, key: tuple[str, str, str]) -> tuple[Any, DeadlineTransport]:
        transport = DeadlineTransport(self._arm_url, read_timeout_s=self._read_timeout_s)
        client = _ml_client_class()(
            self._credential,
            *key,
            transport=transport,
            retry_total=0,
            polling_interval=0,
            enable_telemetry=False,
            show_progress=False,
        )
        return client, transport

    def _read(self, target: TargetRef, limit_s: float) -> EndpointSnapshot:
        try:
            with deadline(limit_s):
                return self._forgiving(target)
        except ResourceNotFoundError as error:
            raise RejectedInput("no-such-endpoint", f"{target.id} not found") from error
        except AzureError as error:
            raise _unavailable(error) from error
        except PastDeadline as error:
            raise Unavailable(_PART, str(error)) from error

    def _forgiving(self, target: TargetRef) -> EndpointSnapshot:
        """Read once more where there was no answer at all: a pooled connection may be dead."""
        try:
            return self._snapshot(target)
        except AzureError as error:
            if _status(error) is not None:
                raise
        return self._snapshot(target)

    def _snapshot(self, target: TargetRef) -> EndpointSnapshot:
        client = self._client(target)
        endpoint = client.online_endpoints.get(target.endpoint)
        deployments = client.online_deployments.list(target.endpoint)
        return EndpointSnapshot(
            target=target.id,
            traffic=_shares(endpoint.traffic),
            mirror=_shares(getattr(endpoint, "mirror_traffic", None)),
            state=_state(endpoint),
            last_modified=str(endpoint.properties.get("lastModifiedAt", "")),
            deployments=tuple(_deployment(found) for found in deployments),
            scoring_uri=str(endpoint.scoring_uri or ""),
            read_at=self._now(),
        )

    def _write(self, target: TargetRef, traffic: dict[str, int], deadline_s: float) -> WriteAnswer:
        try:
            with deadline(deadline_s):
                endpoints = self._client(target).online_endpoints
                endpoint = _changed(endpoints.get(target.endpoint), traffic)
                # The poller that this answers dies at its first request: see DeadlineTransport.
                endpoints.begin_create_or_update(endpoint)
        except AzureError as error:
            return _answer_to(error)
        except PastDeadline as error:
            return _unknown(str(error))
        return WriteAnswer(verdict=WriteVerdict.ACCEPTED)


def _ml_client_class() -> Any:
    with warnings.catch_warnings():
        # azure-ai-ml defines its schemas in a way that its own marshmallow calls deprecated.
        warnings.simplefilter("ignore")
        from azure.ai.ml import MLClient
    return MLClient


class _LocalCredential:
    """Stands for an identity where there is none: the token means nothing outside this machine."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("local", int(time.time()) + 3600)


def _credential(given: TokenCredential | None, arm_url: str | None) -> TokenCredential:
    if given is not None:
        return given
    if arm_url is None:
        raise Misconfigured("an identity is needed to talk to Azure Resource Manager")
    return _LocalCredential()


def _refuse_foreign(arm_url: str | None) -> None:
    if arm_url is not None and urlsplit(arm_url).hostname != "127.0.0.1":
        raise Misconfigured(f"an ARM server of one's own must listen on 127.0.0.1, not {arm_url}")


def _changed(endpoint: Any, traffic: Mapping[str, int]) -> Any:
    """Change only the traffic: a fresh entity would wipe tags, description and identity."""
    taken = {name.lower() for name, share in traffic.items() if share}
    mirror = getattr(endpoint, "mirror_traffic", None) or {}
    endpoint.mirror_traffic = {n: share for n, share in mirror.items() if n.lower() not in taken}
    endpoint.traffic = dict(traffic)
    for key in _SYSTEM_DATA:
        endpoint.properties.pop(key, None)
    return endpoint


def _deployment(found: Any) -> Deployment:
    tags = found.tags or {}
    return Deployment(
        name=str(found.name),
        state=_state(found),
        instances=found.instance_count,
        model=str(tags.get(MODEL_TAG) or found.model or ""),
        prompt_version=str(tags.get(PROMPT_TAG, "")),
    )


def _state(resource: Any) -> str:
    # An enum for the states that the SDK knows, a plain string for newer ones.
    state = resource.provisioning_state
    return str(getattr(state, "value", state))


def _shares(traffic: Mapping[str, Any] | None) -> dict[str, int]:
    return {str(name): int(share) for name, share in (traffic or {}).items()}


def _status(error: AzureError) -> int | None:
    return error.status_code if isinstance(error, HttpResponseError) else None


def _retry_after_s(error: AzureError) -> float:
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    value = response.headers.get("Retry-After", "") if response is not None else ""
    return float(value) if value.isdigit() else 0.0


def _detail(error: AzureError) -> str:
    status = _status(error)
    first_line = str(error.message).partition("\n")[0][:200]
    return f"{status}: {first_line}" if status else f"{type(error).__name__}: {first_line}"


def _unavailable(error: AzureError) -> Unavailable:
    return Unavailable(_PART, _detail(error), retry_after_s=_retry_after_s(error) or 5.0)


def _answer_to(error: AzureError) -> WriteAnswer:
    refused = _status(error) in _REFUSALS
    return WriteAnswer(
        verdict=WriteVerdict.REFUSED if refused else WriteVerdict.UNKNOWN,
        detail=_detail(error),
        retry_after_s=_retry_after_s(error),
    )


def _unknown(detail: str) -> WriteAnswer:
    return WriteAnswer(verdict=WriteVerdict.UNKNOWN, detail=detail)
