"""A missing right is told from an outage, and from what is not there, by every adapter."""

from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.servicebus.exceptions import (
    MessagingEntityNotFoundError,
    ServiceBusAuthorizationError,
    ServiceBusConnectionError,
)

from shared.adapters import blobs, tables
from shared.adapters.bus_pump import Pump
from shared.errors import BackstopError, Conflict, Missing, Refused, Unavailable


def http(status: int, kind: type[HttpResponseError] = HttpResponseError) -> HttpResponseError:
    error = kind("it says so")
    error.status_code = status
    return error


@pytest.mark.parametrize("room", [tables, blobs])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (http(403), Refused),
        (http(401, ClientAuthenticationError), Refused),
        (http(500), Unavailable),
        (ServiceRequestError("no route"), Unavailable),
    ],
)
async def test_storage(room: Any, error: Exception, kind: type[BackstopError]) -> None:
    with pytest.raises(kind) as raised:
        async with room._translated(1.0):
            raise error
    assert type(raised.value) is kind


async def test_what_is_not_there() -> None:
    with pytest.raises(Missing):
        async with blobs._translated(1.0):
            raise http(404, ResourceNotFoundError)
    with pytest.raises(Conflict):
        async with tables._translated(1.0):
            raise http(404, ResourceNotFoundError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServiceBusAuthorizationError(message="no Send claim"), Refused),
        (MessagingEntityNotFoundError(message="no such topic"), Missing),
        (ServiceBusConnectionError(message="gone"), Unavailable),
    ],
)
async def test_a_topic(error: Exception, kind: type[Unavailable]) -> None:
    def no_sender() -> Any:
        raise error

    pump = Pump("work", no_sender)
    with pytest.raises(kind) as raised:
        await pump.warm(within_s=0.05)
    await pump.close()
    assert type(raised.value) is kind
