"""The unmodified SDK of Azure Service Bus, without its naps: it does the same, and sooner.

It polls where it could wait: every 50 ms whether a link is open, once a second whether the task
that keeps links alive is to end, and it listens for 200 ms for frames that may not come. On one
machine that would be most of what a test lasts.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.servicebus._common._configuration import Configuration

NAPPING = (
    "azure.servicebus._pyamqp.aio._client_async.asyncio",
    "azure.servicebus.aio._servicebus_receiver_async.asyncio",
    "azure.servicebus.aio._servicebus_sender_async.asyncio",
)
TIMES = 20
LISTENS_S = 0.05


class Hasty:
    """What a module sees as asyncio: all of it, with short naps."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        """Sleep for a part of it."""
        await asyncio.sleep(seconds / TIMES)


def configuration(**options: Any) -> Configuration:
    """As the SDK makes it for a link, but for how long that listens at a time."""
    options |= {"socket_timeout": LISTENS_S}
    return Configuration(**options)  # type: ignore[no-untyped-call] # of the SDK


@contextmanager
def without_naps() -> Iterator[None]:
    """Open and close every link inside without delay."""
    with pytest.MonkeyPatch.context() as patch:
        for module in NAPPING:
            patch.setattr(module, Hasty())
        patch.setattr("azure.servicebus.aio._base_handler_async.Configuration", configuration)
        yield
