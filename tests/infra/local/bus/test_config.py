"""The topology file: what it says is what exists, and what is not emulated is refused."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.local.bus import read_config
from infra.local.bus.config import Subscription, Topic, parse_topology
from infra.local.bus.content import Content, Section
from infra.local.bus.encode import encode, encode_section
from infra.local.bus.values import Described, ULong

TOPOLOGY = Path("infra/servicebus.json")


@pytest.fixture
def config() -> dict[str, Any]:
    return copy.deepcopy(read_config(TOPOLOGY))


def content(*, subject: str | None = None, **application: str) -> Content:
    properties = encode_section(Section.PROPERTIES, None, None, None, subject)
    own = encode(Described(ULong(Section.APPLICATION_PROPERTIES), application))
    return Content(properties + own)


def subscription(topics: list[Topic], name: str) -> Subscription:
    return next(sub for topic in topics for sub in topic.subscriptions if sub.name == name)


def correlation(**wanted: Any) -> Subscription:
    rule = {
        "Name": "r",
        "Properties": {"FilterType": "Correlation", "CorrelationFilter": wanted},
    }
    return msgspec.convert({"Name": "s", "Rules": [rule]}, Subscription)


def test_every_subject_of_work_has_one_app(config: dict[str, Any]) -> None:
    apps = [subscription(parse_topology(config), name) for name in ("responder", "executor")]
    subjects = [rule.properties.correlation_filter.label for app in apps for rule in app.rules]

    assert {"triage", "diagnose", "enforce", "verify"} <= set(subjects)
    for subject in subjects:
        assert sum(app.admits(content(subject=subject)) for app in apps) == 1


def test_work_that_no_app_does_goes_nowhere(config: dict[str, Any]) -> None:
    for name in ("responder", "executor"):
        assert not subscription(parse_topology(config), name).admits(content(subject="x"))


@pytest.mark.parametrize("name", ["record", "notify"])
def test_changes_go_to_everybody(config: dict[str, Any], name: str) -> None:
    assert subscription(parse_topology(config), name).admits(content(subject="whatever"))


@pytest.mark.parametrize("name", ["responder", "executor", "record", "notify"])
def test_a_message_is_locked_for_half_a_minute_and_tried_ten_times(
    config: dict[str, Any], name: str
) -> None:
    properties = subscription(parse_topology(config), name).properties

    assert properties.lock_duration.total_seconds() == 30
    assert properties.max_delivery_count == 10
    assert properties.dead_lettering_on_message_expiration


def test_an_application_property_can_be_asked_for() -> None:
    picky = correlation(Properties={"region": "westeurope"})

    assert picky.admits(content(region="westeurope"))
    assert not picky.admits(content(region="northeurope"))
    assert not picky.admits(content())


def test_all_that_a_rule_names_must_be_equal() -> None:
    picky = correlation(Label="a", Properties={"region": "x"})

    assert picky.admits(content(subject="a", region="x"))
    assert not picky.admits(content(subject="b", region="x"))
    assert not picky.admits(content(subject="a", region="y"))


def test_a_misspelt_field_of_a_filter_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="Lable"):
        correlation(Lable="a")


def change_topic(config: dict[str, Any], **properties: Any) -> None:
    config["UserConfig"]["Namespaces"][0]["Topics"][0]["Properties"].update(properties)


def change_subscription(config: dict[str, Any], **properties: Any) -> None:
    topic = config["UserConfig"]["Namespaces"][0]["Topics"][0]
    topic["Subscriptions"][0]["Properties"].update(properties)


def test_duplicate_detection_is_refused(config: dict[str, Any]) -> None:
    change_topic(config, RequiresDuplicateDetection=True)

    with pytest.raises(msgspec.ValidationError, match="duplicate detection is not emulated"):
        parse_topology(config)


@pytest.mark.parametrize("properties", [{"RequiresSession": True}, {"ForwardTo": "work"}])
def test_sessions_and_forwarding_are_refused(
    config: dict[str, Any], properties: dict[str, Any]
) -> None:
    change_subscription(config, **properties)

    with pytest.raises(msgspec.ValidationError, match="sessions and forwarding are not emulated"):
        parse_topology(config)


def test_queues_are_refused(config: dict[str, Any]) -> None:
    config["UserConfig"]["Namespaces"][0]["Queues"] = [{"Name": "q"}]

    with pytest.raises(msgspec.ValidationError, match="queues are not emulated"):
        parse_topology(config)


def test_sql_filters_are_refused(config: dict[str, Any]) -> None:
    topic = config["UserConfig"]["Namespaces"][0]["Topics"][0]
    topic["Subscriptions"][0]["Rules"][0]["Properties"] = {
        "FilterType": "Sql",
        "SqlFilter": {"SqlExpression": "1=1"},
    }

    with pytest.raises(msgspec.ValidationError):
        parse_topology(config)


def test_a_bad_duration_is_refused_with_its_place(config: dict[str, Any]) -> None:
    change_subscription(config, LockDuration="30 seconds")

    with pytest.raises(msgspec.ValidationError, match="LockDuration"):
        parse_topology(config)
