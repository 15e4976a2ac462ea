"""Bindings become triggers that this host serves; whatever it cannot serve is refused by name."""

import json
from typing import Any

import pytest

from infra.local.host.configuration import Refused
from infra.local.host.triggers import (
    ALL_METHODS,
    AnyTrigger,
    HttpTrigger,
    TimerTrigger,
    TopicTrigger,
    parse_trigger,
    parse_triggers,
)

BUS = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k"
SETTINGS = {"BUS": BUS, "TOPIC": "work", "EVERY": "*/5 * * * * *"}
HTTP_OUT = {"direction": "OUT", "type": "http", "name": "$return"}


def parsed(*bindings: dict[str, Any]) -> AnyTrigger:
    return parse_trigger("f", [json.dumps(binding) for binding in bindings], SETTINGS)


def http(**more: object) -> dict[str, Any]:
    return {"direction": "IN", "type": "httpTrigger", "name": "req", **more}


def topic(**more: object) -> dict[str, Any]:
    return {
        "direction": "IN",
        "type": "serviceBusTrigger",
        "name": "msg",
        "connection": "BUS",
        "topicName": "%TOPIC%",
        "subscriptionName": "all",
        **more,
    }


def timer(schedule: str) -> dict[str, Any]:
    return {"direction": "IN", "type": "timerTrigger", "name": "timer", "schedule": schedule}


def test_an_http_trigger_without_route_and_methods_is_reached_by_its_name_and_any_method() -> None:
    expected = HttpTrigger(function="f", parameter="req", route="f", methods=ALL_METHODS)
    assert parsed(http(), HTTP_OUT) == expected


@pytest.mark.parametrize(
    ("azure", "starlette"),
    [
        ("alerts", "alerts"),
        ("{ignored:maxlength(0)?}", ""),
        ("/alerts/", "alerts"),
        ("incidents/{id}", "incidents/{id}"),
        ("incidents/{id}/steps/{n:int}", "incidents/{id}/steps/{n:int}"),
        ("drills/{id:guid}", "drills/{id:uuid}"),
        ("files/{*path}", "files/{path:path}"),
    ],
)
def test_a_route_keeps_its_meaning(azure: str, starlette: str) -> None:
    trigger = parsed(http(route=azure), HTTP_OUT)
    assert isinstance(trigger, HttpTrigger)
    assert trigger.route == starlette


@pytest.mark.parametrize("route", ["x/{id:regex(a+)}", "x/{id?}", "x/{id=1}"])
def test_a_route_that_cannot_be_served_is_refused(route: str) -> None:
    with pytest.raises(Refused, match="function f: route"):
        parsed(http(route=route), HTTP_OUT)


def test_a_topic_trigger_takes_one_message_with_its_settings_filled_in() -> None:
    assert parsed(topic()) == TopicTrigger(
        function="f",
        parameter="msg",
        connection=BUS,
        topic="work",
        subscription="all",
        batch=False,
    )


def test_a_topic_trigger_with_cardinality_many_takes_batches() -> None:
    trigger = parsed(topic(cardinality="MANY"))
    assert isinstance(trigger, TopicTrigger)
    assert trigger.batch


@pytest.mark.parametrize("schedule", ["0 */5 * * * *", "*/5 * * * *", "%EVERY%", "0 0 9 1 * MON"])
def test_a_timer_has_an_ncrontab_schedule(schedule: str) -> None:
    assert isinstance(parsed(timer(schedule)), TimerTrigger)


@pytest.mark.parametrize("schedule", ["", "every minute", "61 * * * * *", "* * * *", "00:05:00"])
def test_an_invalid_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(Refused, match="no NCRONTAB expression"):
        parsed(timer(schedule))


@pytest.mark.parametrize(
    ("binding", "complaint"),
    [
        ({"direction": "IN", "type": "blobTrigger", "name": "b"}, "trigger blobTrigger"),
        ({**topic(), "topicName": None, "isSessionsEnabled": True}, "queues and sessions"),
        (
            {"direction": "IN", "type": "serviceBusTrigger", "name": "m", "queueName": "q"},
            "queues and sessions",
        ),
    ],
)
def test_a_trigger_of_another_kind_is_refused(binding: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        parsed(binding)


def test_an_output_other_than_http_is_refused() -> None:
    output = {"direction": "OUT", "type": "serviceBus", "name": "out"}
    with pytest.raises(Refused, match="function f: binding serviceBus"):
        parsed(topic(), output)


def test_an_app_without_functions_is_refused() -> None:
    with pytest.raises(Refused, match="no functions"):
        parse_triggers({}, SETTINGS)
