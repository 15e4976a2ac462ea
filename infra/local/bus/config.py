"""The topology: which topics and subscriptions exist, read from infra/servicebus.json.

The file has the format that Microsoft's own Service Bus emulator reads, so the same file starts
either. What this emulator does not do (sessions, queues, duplicate detection, SQL filters,
forwarding) is refused here instead of being ignored.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec

from infra.local.bus.content import Content, Property


class CorrelationFilter(
    msgspec.Struct, frozen=True, kw_only=True, rename="pascal", forbid_unknown_fields=True
):
    """Values that a message must have; Label is its subject, Properties the application's own."""

    message_id: str | None = None
    to: str | None = None
    label: str | None = None
    reply_to: str | None = None
    correlation_id: str | None = None
    content_type: str | None = None
    properties: dict[str, str | int | bool] = {}

    def admits(self, content: Content) -> bool:
        """Whether everything that is named here is equal in `content`."""
        own = content.application
        return self._admits_standard(content) and all(
            own.get(key) == value for key, value in self.properties.items()
        )

    def _admits_standard(self, content: Content) -> bool:
        wanted = {
            Property.MESSAGE_ID: self.message_id,
            Property.TO: self.to,
            Property.SUBJECT: self.label,
            Property.REPLY_TO: self.reply_to,
            Property.CORRELATION_ID: self.correlation_id,
            Property.CONTENT_TYPE: self.content_type,
        }
        return all(
            value is None or content.standard(field) == value for field, value in wanted.items()
        )


class RuleProperties(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The filter of a rule; only correlation filters are emulated."""

    filter_type: Literal["Correlation"]
    correlation_filter: CorrelationFilter


class Rule(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One way into a subscription."""

    name: str
    properties: RuleProperties


class SubscriptionProperties(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """How a subscription treats its messages; the defaults are the service's own."""

    lock_duration: timedelta = timedelta(seconds=60)
    max_delivery_count: int = 10
    default_message_time_to_live: timedelta | None = None
    dead_lettering_on_message_expiration: bool = False
    requires_session: bool = False
    forward_to: str = ""
    forward_dead_lettered_messages_to: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not emulated."""
        if self.requires_session or self.forward_to or self.forward_dead_lettered_messages_to:
            raise ValueError("sessions and forwarding are not emulated")


class Subscription(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A subscription; without rules it takes every message of its topic."""

    name: str
    properties: SubscriptionProperties = SubscriptionProperties()
    rules: list[Rule] = []

    def admits(self, content: Content) -> bool:
        """Whether one of the rules lets `content` in."""
        return not self.rules or any(
            rule.properties.correlation_filter.admits(content) for rule in self.rules
        )


class TopicProperties(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """How a topic treats its messages."""

    default_message_time_to_live: timedelta | None = None
    requires_duplicate_detection: bool = False

    def __post_init__(self) -> None:
        """Refuse what is not emulated."""
        if self.requires_duplicate_detection:
            raise ValueError("duplicate detection is not emulated")


class Topic(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A topic and its subscriptions."""

    name: str
    properties: TopicProperties = TopicProperties()
    subscriptions: list[Subscription] = []


class _Namespace(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    name: str
    queues: list[dict[str, object]] = []
    topics: list[Topic] = []

    def __post_init__(self) -> None:
        if self.queues:
            raise ValueError("queues are not emulated, only topics")


class _UserConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    namespaces: list[_Namespace]


class _ConfigFile(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    user_config: _UserConfig


def parse_topology(config: Mapping[str, object]) -> list[Topic]:
    """Return the topics of all namespaces in `config`.

    Raises msgspec.ValidationError, which names the place, for what is wrong or not emulated.
    """
    parsed = msgspec.convert(config, _ConfigFile)
    return [topic for namespace in parsed.user_config.namespaces for topic in namespace.topics]


def read_config(path: Path) -> dict[str, object]:
    """Read a Config.json as it stands."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, object])
