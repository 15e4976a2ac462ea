"""Clients of azure-ai-ml, one a workspace, made as `shared.adapters.endpoint` needs them.

A client costs a second and 60 packages, so it is made once, in a worker thread, under a lock. Its
own retries are off, because a repeated PUT must follow a reading; its own polling dies at its first
request, because `DeadlineTransport` sends only what somebody waits for.
"""

import threading
import time
import warnings
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential

from shared.adapters.arm_address import refuse_remote
from shared.adapters.arm_transport import DeadlineTransport
from shared.domain.decisions.endpoint import TargetRef
from shared.errors import Misconfigured


class ArmClients:
    """The clients made so far. Safe to share between threads.

    `arm_url` redirects the requests to a local ARM server; only 127.0.0.1 is allowed, and only
    there may the credential be left out. Raises Misconfigured.
    """

    def __init__(
        self, credential: TokenCredential | None, arm_url: str | None, read_timeout_s: float
    ) -> None:
        refuse_remote(arm_url)
        self._credential = _credential(credential, arm_url)
        self._arm_url = arm_url
        self._read_timeout_s = read_timeout_s
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], tuple[Any, DeadlineTransport]] = {}

    def __len__(self) -> int:
        """How many clients there are."""
        return len(self._made)

    def of(self, target: TargetRef) -> Any:
        """Answer the MLClient of the target's workspace; takes its time when it is the first."""
        key = (target.subscription, target.resource_group, target.workspace)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(key)
            return self._made[key][0]

    def close(self) -> None:
        """Close all connections and forget the clients."""
        with self._lock:
            made = list(self._made.values())
            self._made.clear()
        for _client, transport in made:
            transport.close()

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


class _LocalCredential:
    """Stands for an identity where there is none: the token means nothing outside this machine."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("local", int(time.time()) + 3600)


def _ml_client_class() -> Any:
    with warnings.catch_warnings():
        # azure-ai-ml defines its schemas in a way that its own marshmallow calls deprecated.
        warnings.simplefilter("ignore")
        from azure.ai.ml import MLClient
    return MLClient


def _credential(given: TokenCredential | None, arm_url: str | None) -> TokenCredential:
    if given is not None:
        return given
    if arm_url is None:
        raise Misconfigured("an identity is needed to talk to Azure Resource Manager")
    return _LocalCredential()
