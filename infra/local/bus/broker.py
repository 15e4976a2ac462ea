"""The broker: topics that fan out to subscriptions, and messages that are scheduled for later.

It knows no wire: `session`, `settlement` and `management` translate. Everything runs on one event
loop, so nothing here locks.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping

from infra.local.bus.clock import Clock
from infra.local.bus.config import Subscription, Topic, parse_topology
from infra.local.bus.content import Content
from infra.local.bus.faults import Fault, Faults
from infra.local.bus.messages import NEVER, new_message
from infra.local.bus.queue import DEAD_LETTER_SUFFIX, Queue
from infra.local.bus.refusals import entity_not_found, message_not_found, server_busy, too_large

MAX_MESSAGE_SIZE = 256 * 1024


def subscription_path(topic: str, subscription: str) -> str:
    """Return the address of a subscription."""
    return f"{topic}/Subscriptions/{subscription}"


class Broker:
    """All entities of one namespace; paths are compared without regard to case."""

    def __init__(self, config: Mapping[str, object], clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.faults = Faults()
        self._numbers = itertools.count(1)
        self._scheduled: dict[int, Callable[[], None]] = {}
        self._topics: dict[str, Topic] = {}
        self._queues: dict[str, Queue] = {}
        for topic in parse_topology(config):
            self._topics[topic.name.lower()] = topic
            for subscription in topic.subscriptions:
                self._add_queues(topic, subscription)

    def _add_queues(self, topic: Topic, subscription: Subscription) -> None:
        path = subscription_path(topic.name, subscription.name)
        dead = Queue(path + DEAD_LETTER_SUFFIX, subscription.properties, self.clock)
        live = Queue(path, subscription.properties, self.clock, dead_letters=dead)
        self._queues[path.lower()] = live
        self._queues[dead.path.lower()] = dead

    def topic(self, path: str) -> Topic:
        """Return a topic; raises Refusal when there is none."""
        topic = self._topics.get(path.lower())
        if topic is None:
            raise entity_not_found(path)
        return topic

    def queue(self, path: str) -> Queue:
        """Return a subscription's queue or its dead-letter queue; raises Refusal without one."""
        queue = self._queues.get(path.lower())
        if queue is None:
            raise entity_not_found(path)
        return queue

    def check_entity(self, path: str) -> None:
        """Raise Refusal unless `path` is a topic, a subscription or a dead-letter queue."""
        if path.lower() not in self._topics:
            self.queue(path)

    def send(self, path: str, messages: Iterable[bytes]) -> None:
        """Store all `messages` for all subscriptions that admit them, or none with a Refusal."""
        topic = self.topic(path)
        if self.faults.take(Fault.SERVER_BUSY, path):
            raise server_busy()
        contents = [_content(raw) for raw in messages]
        for content in contents:
            if content.due is not None and content.due > self.clock.now():
                self.schedule(path, content)
            else:
                self._fan_out(topic, content)

    def schedule(self, path: str, content: Content) -> int:
        """Store `content` once its time has come; the number returned can cancel that."""
        topic = self.topic(path)
        number = next(self._numbers)
        self._scheduled[number] = lambda: self._fan_out(topic, content)
        self.clock.at(content.due or 0.0, lambda: self._release(number))
        return number

    def _release(self, number: int) -> None:
        enqueue = self._scheduled.pop(number, None)
        if enqueue is not None:  # it was not cancelled
            enqueue()

    def cancel(self, numbers: Iterable[int]) -> None:
        """Forget scheduled messages; raises Refusal, and forgets none, when one is unknown."""
        numbers = list(numbers)
        for number in numbers:
            if number not in self._scheduled:
                raise message_not_found(number)
        for number in numbers:
            del self._scheduled[number]

    def scheduled_count(self) -> int:
        """Return how many messages wait for their time."""
        return len(self._scheduled)

    def _fan_out(self, topic: Topic, content: Content) -> None:
        topic_ttl = topic.properties.default_message_time_to_live
        for subscription in topic.subscriptions:
            if subscription.admits(content):
                message = new_message(
                    content,
                    number=next(self._numbers),
                    now=self.clock.now(),
                    properties=subscription.properties,
                    ttl_s=topic_ttl.total_seconds() if topic_ttl else NEVER,
                )
                self.queue(subscription_path(topic.name, subscription.name)).accept(message)


def _content(raw: bytes) -> Content:
    if len(raw) > MAX_MESSAGE_SIZE:
        raise too_large(len(raw), MAX_MESSAGE_SIZE)
    return Content(raw)
