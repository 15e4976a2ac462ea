"""What the app's bindings ask for, as values: one trigger a function.

The worker library hands over bindings as JSON text. Each becomes one of three triggers that this
host can serve; anything else is refused, so that no function is silently never called.
"""

import re
from typing import Any

import msgspec
from croniter import croniter

from infra.local.host.configuration import Refused, Settings, connection_string, resolve

ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_ROUTE_PARAMETER = re.compile(r"{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<kind>[^}]*))?}")
_ROOT = re.compile(r"{\w+:maxlength\(0\)\?}")  # how Azure names a function of the root
_ROUTE_KINDS = {"": "", "alpha": "", "int": ":int", "long": ":int", "guid": ":uuid"}


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """What every trigger has: the function it calls, and the parameter that takes its data."""

    function: str
    parameter: str


class HttpTrigger(Trigger, frozen=True, kw_only=True):
    """Call on a request. `route` is without the prefix, in Starlette's notation."""

    route: str
    methods: tuple[str, ...]


class TopicTrigger(Trigger, frozen=True, kw_only=True):
    """Call on a message of a subscription, or on a batch of them."""

    connection: str
    topic: str
    subscription: str
    batch: bool


class TimerTrigger(Trigger, frozen=True, kw_only=True):
    """Call on schedule: NCRONTAB, five fields or six with the seconds first, UTC."""

    schedule: str
    on_startup: bool


type AnyTrigger = HttpTrigger | TopicTrigger | TimerTrigger


def parse_triggers(functions: dict[str, list[str]], settings: Settings) -> list[AnyTrigger]:
    """Read the bindings of all functions (name -> JSON texts). Raises Refused."""
    if not functions:
        raise Refused("the app has no functions (is the setting that chooses its role set?)")
    return [parse_trigger(name, bindings, settings) for name, bindings in functions.items()]


def parse_trigger(function: str, raw_bindings: list[str], settings: Settings) -> AnyTrigger:
    """Read the bindings of one function. Raises Refused for what this host cannot serve."""
    bindings = [_resolved(msgspec.json.decode(raw), settings) for raw in raw_bindings]
    trigger = next(binding for binding in bindings if binding["direction"] == "IN")
    for binding in bindings:
        if binding is not trigger and binding["type"] != "http":
            raise Refused(f"function {function}: binding {binding['type']} is not served here")
    match trigger["type"]:
        case "httpTrigger":
            return _http(function, trigger)
        case "serviceBusTrigger":
            return _topic(function, trigger, settings)
        case "timerTrigger":
            return _timer(function, trigger)
        case kind:
            raise Refused(f"function {function}: trigger {kind} is not served here")


def _resolved(binding: dict[str, Any], settings: Settings) -> dict[str, Any]:
    return {
        name: resolve(value, settings) if isinstance(value, str) else value
        for name, value in binding.items()
    }


def _http(function: str, binding: dict[str, Any]) -> HttpTrigger:
    return HttpTrigger(
        function=function,
        parameter=binding["name"],
        route=_starlette_route(function, binding.get("route") or function),
        methods=tuple(binding.get("methods") or ALL_METHODS),
    )


def _starlette_route(function: str, route: str) -> str:
    def parameter(match: re.Match[str]) -> str:
        kind = ":path" if match["rest"] else _ROUTE_KINDS.get(match["kind"] or "")
        if kind is None:
            raise Refused(f"function {function}: route constraint {match[0]} is not served here")
        return f"{{{match['name']}{kind}}}"

    if _ROOT.fullmatch(route):
        return ""
    translated = _ROUTE_PARAMETER.sub(parameter, route)
    if translated.count("{") != len(_ROUTE_PARAMETER.findall(route)):
        raise Refused(f"function {function}: route {route} is not served here")
    return translated.strip("/")


def _topic(function: str, binding: dict[str, Any], settings: Settings) -> TopicTrigger:
    if "topicName" not in binding or binding.get("isSessionsEnabled"):
        raise Refused(f"function {function}: queues and sessions are not served here")
    return TopicTrigger(
        function=function,
        parameter=binding["name"],
        connection=connection_string(binding["connection"], function, settings),
        topic=binding["topicName"],
        subscription=binding["subscriptionName"],
        batch=binding.get("cardinality", "ONE").upper() == "MANY",
    )


def _timer(function: str, binding: dict[str, Any]) -> TimerTrigger:
    schedule = binding["schedule"]
    fields = len(schedule.split())
    if fields not in {5, 6} or not croniter.is_valid(schedule, second_at_beginning=fields == 6):
        raise Refused(f"function {function}: schedule {schedule!r} is no NCRONTAB expression")
    return TimerTrigger(
        function=function,
        parameter=binding["name"],
        schedule=schedule,
        on_startup=bool(binding.get("runOnStartup")),
    )
