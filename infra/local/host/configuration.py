"""What the host reads before it starts anything: host.json and the app's settings.

Whatever cannot be served is refused here, in one line and before the first message is taken:
Azure's host would often log it and go on with a part of the app.
"""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

type Settings = Mapping[str, str]
Count = Annotated[int, msgspec.Meta(ge=1)]

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")


class Refused(Exception):
    """The app cannot be served as it is; the message is one line that says what to change.

    `trace` is the stack trace of the app's own failure, where there is one.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class Http(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """host.json, extensions.http."""

    route_prefix: str = "api"


class ServiceBus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """host.json, extensions.serviceBus, with the defaults of Azure's extension."""

    max_concurrent_calls: Count = 16
    max_message_batch_size: Count = 1000
    max_auto_lock_renewal_duration: str = "00:05:00"
    auto_complete_messages: Literal[True] = True  # a Python function cannot settle by itself


class Extensions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """host.json, extensions."""

    http: Http = Http()
    service_bus: ServiceBus = ServiceBus()


class HostJson(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The part of host.json that this host acts on; the rest is Azure's."""

    version: Literal["2.0"]
    extensions: Extensions = Extensions()

    @property
    def lock_renewal(self) -> dt.timedelta:
        """How long a message's lock is renewed while its function runs."""
        return parse_timespan(self.extensions.service_bus.max_auto_lock_renewal_duration)


def parse_timespan(text: str) -> dt.timedelta:
    """Read .NET's `[d.]hh:mm:ss`. Raises ValueError."""
    if not (match := _TIMESPAN.fullmatch(text)):
        raise ValueError(f"{text!r} is not of the form hh:mm:ss")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def read_host_json(app_folder: Path) -> HostJson:
    """Read the app's host.json. Raises Refused when it is missing or not valid."""
    path = app_folder / "host.json"
    try:
        host_json = msgspec.json.decode(path.read_bytes(), type=HostJson)
        _ = host_json.lock_renewal
    except FileNotFoundError:
        raise Refused(f"{path} is missing") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise Refused(f"{path} is not valid: {error}") from None
    return host_json


def resolve(text: str, settings: Settings) -> str:
    """Replace every %NAME% of a binding expression by that setting. Raises Refused."""

    def setting(match: re.Match[str]) -> str:
        name = match[1]
        if not settings.get(name):
            raise Refused(f"setting {name} is not set (a binding refers to it as %{name}%)")
        return settings[name]

    return re.sub(r"%([^%]+)%", setting, text)


def connection_string(name: str, function: str, settings: Settings) -> str:
    """Find the Service Bus connection that a trigger names. Raises Refused."""
    value = settings.get(name) or settings.get(f"AzureWebJobs{name}") or ""
    which = f"connection setting {name} of function {function}"
    if not value and settings.get(f"{name}__fullyQualifiedNamespace"):
        raise Refused(f"{which} names a namespace: this host takes connection strings only")
    if not value:
        raise Refused(f"{which} is not set")
    if "Endpoint=sb://" not in value:
        raise Refused(f"{which} is no connection string")
    return value
