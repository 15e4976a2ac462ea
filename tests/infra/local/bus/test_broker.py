"""The broker's rules without any wire, on a clock that stands still until it is moved."""

from typing import Any

import pytest

from infra.local.bus.broker import MAX_MESSAGE_SIZE, Broker
from infra.local.bus.clock import Clock
from infra.local.bus.content import SCHEDULED_ENQUEUE_TIME, Content, Section
from infra.local.bus.decode import decode
from infra.local.bus.encode import encode, encode_section
from infra.local.bus.faults import Fault, Faults
from infra.local.bus.messages import State, StoredMessage
from infra.local.bus.queue import DEAD_LETTER_SUFFIX, REASON, Queue
from infra.local.bus.receiving import Settlement
from infra.local.bus.refusals import Refusal
from infra.local.bus.values import DecodeError, Described, Symbol, Timestamp, UInt, ULong

START = 1_000_000.0
LOCK_S = 30
PATH = "t/Subscriptions/s"


class Reader:
    """A receiver with credit for `credit` messages, which it keeps."""

    def __init__(self, credit: int = 1_000_000, *, deletes: bool = False) -> None:
        self.credit = credit
        self.deletes = deletes
        self.messages: list[StoredMessage] = []

    def wants(self) -> bool:
        return len(self.messages) < self.credit

    def deliver(self, message: StoredMessage) -> None:
        self.messages.append(message)

    @property
    def bodies(self) -> list[str]:
        return [message.content.data_sections()[0].decode() for message in self.messages]


def raw(body: str, *, due: float | None = None, ttl_ms: int | None = None) -> bytes:
    header = encode_section(Section.HEADER, None, None, None if ttl_ms is None else UInt(ttl_ms))
    annotations = {} if due is None else {SCHEDULED_ENQUEUE_TIME: Timestamp(int(due * 1000))}
    return b"".join(
        (
            header,
            encode(Described(ULong(Section.MESSAGE_ANNOTATIONS), annotations)),
            encode(Described(ULong(Section.DATA), body.encode())),
        )
    )


@pytest.fixture
def broker() -> Broker:
    properties: dict[str, Any] = {
        "LockDuration": "PT30S",
        "MaxDeliveryCount": 3,
        "DeadLetteringOnMessageExpiration": True,
    }
    subscriptions = [{"Name": "s", "Properties": properties}, {"Name": "other"}]
    topics = [{"Name": "t", "Subscriptions": subscriptions}]
    config = {"UserConfig": {"Namespaces": [{"Name": "n", "Topics": topics}]}}
    return Broker(config, Clock(lambda: START))


@pytest.fixture
def queue(broker: Broker) -> Queue:
    return broker.queue(PATH)


@pytest.fixture
def dead(broker: Broker) -> Queue:
    return broker.queue(PATH + DEAD_LETTER_SUFFIX)


def read(queue: Queue) -> Reader:
    reader = Reader()
    queue.attach(reader)
    return reader


def token_of(message: StoredMessage) -> Any:
    assert message.token is not None
    return message.token


def test_messages_come_in_the_order_in_which_they_were_sent(broker: Broker, queue: Queue) -> None:
    broker.send("t", [raw("a"), raw("b")])
    broker.send("t", [raw("c")])

    assert read(queue).bodies == ["a", "b", "c"]


def test_paths_know_no_case(broker: Broker) -> None:
    broker.send("T", [raw("a")])

    assert read(broker.queue("T/subscriptions/S")).bodies == ["a"]


def test_receivers_take_turns(broker: Broker, queue: Queue) -> None:
    one, two = read(queue), read(queue)

    broker.send("t", [raw("a"), raw("b"), raw("c"), raw("d")])

    assert (one.bodies, two.bodies) == (["a", "c"], ["b", "d"])


def test_a_receiver_without_credit_gets_nothing(broker: Broker, queue: Queue) -> None:
    modest = Reader(credit=1)
    queue.attach(modest)

    broker.send("t", [raw("a"), raw("b")])

    assert modest.bodies == ["a"]
    assert queue.counts()[State.ACTIVE] == 1


def test_a_detached_receiver_keeps_its_lock_until_it_runs_out(broker: Broker, queue: Queue) -> None:
    gone = read(queue)
    broker.send("t", [raw("a")])
    queue.detach(gone)
    reader = read(queue)

    broker.clock.advance(LOCK_S - 1)
    assert reader.bodies == []
    broker.clock.advance(1)
    assert reader.bodies == ["a"]
    assert reader.messages[0].delivery_count == 1


def test_a_renewed_lock_runs_its_full_time_again(broker: Broker, queue: Queue) -> None:
    reader = read(queue)
    broker.send("t", [raw("a")])
    token = token_of(reader.messages[0])
    broker.clock.advance(LOCK_S - 1)

    assert queue.renew(token) == broker.clock.now() + LOCK_S

    broker.clock.advance(LOCK_S - 1)
    queue.settle(token, Settlement.COMPLETE)
    assert sum(queue.counts().values()) == 0


@pytest.mark.parametrize("settlement", [Settlement.COMPLETE, Settlement.DEAD_LETTER])
def test_a_settled_lock_is_lost(broker: Broker, queue: Queue, settlement: Settlement) -> None:
    reader = read(queue)
    broker.send("t", [raw("a")])
    token = token_of(reader.messages[0])
    queue.settle(token, settlement)

    with pytest.raises(Refusal) as refused:
        queue.settle(token, settlement)

    assert refused.value.condition == "com.microsoft:message-lock-lost"


def test_a_released_message_is_not_counted(broker: Broker, queue: Queue) -> None:
    reader = Reader(credit=2)
    queue.attach(reader)
    broker.send("t", [raw("a")])

    queue.settle(token_of(reader.messages[0]), Settlement.RELEASE)

    assert reader.bodies == ["a", "a"]
    assert reader.messages[1].delivery_count == 0


def test_abandoning_three_times_kills_and_says_so(
    broker: Broker, queue: Queue, dead: Queue
) -> None:
    reader = Reader()
    queue.attach(reader)
    broker.send("t", [raw("a")])

    for _ in range(3):
        queue.settle(token_of(reader.messages[-1]), Settlement.ABANDON)

    assert len(reader.messages) == 3
    (letter,) = dead.peek(0, 10)
    assert letter.added[REASON] == "MaxDeliveryCountExceeded"
    assert letter.dead_letter_source == PATH


def test_properties_set_on_abandoning_travel_on(broker: Broker, queue: Queue) -> None:
    reader = Reader(credit=2)
    queue.attach(reader)
    broker.send("t", [raw("a")])

    queue.settle(token_of(reader.messages[0]), Settlement.ABANDON, {"why": "busy"})

    delivered = Content(reader.messages[1].encode())
    assert delivered.application == {"why": "busy"}


def test_a_dead_letter_comes_back_for_ever(broker: Broker, queue: Queue, dead: Queue) -> None:
    reader = read(queue)
    broker.send("t", [raw("a")])
    queue.settle(token_of(reader.messages[0]), Settlement.DEAD_LETTER)
    undertaker = Reader(credit=20)
    dead.attach(undertaker)

    for _ in range(9):
        dead.settle(token_of(undertaker.messages[-1]), Settlement.ABANDON)

    assert len(undertaker.messages) == 10


def test_a_dead_letter_cannot_die_again(broker: Broker, queue: Queue, dead: Queue) -> None:
    reader = read(queue)
    broker.send("t", [raw("a")])
    queue.settle(token_of(reader.messages[0]), Settlement.DEAD_LETTER)
    undertaker = read(dead)

    with pytest.raises(Refusal, match="cannot be dead-lettered"):
        dead.settle(token_of(undertaker.messages[0]), Settlement.DEAD_LETTER)


def test_deferred_messages_come_by_number_only(broker: Broker, queue: Queue) -> None:
    reader = read(queue)
    broker.send("t", [raw("a")])
    message = reader.messages[0]
    queue.settle(token_of(message), Settlement.DEFER)
    broker.clock.advance(10 * LOCK_S)
    assert reader.bodies == ["a"]

    (deferred,) = queue.receive_deferred([message.sequence_number], delete=False)
    queue.settle(token_of(deferred), Settlement.COMPLETE)

    with pytest.raises(Refusal, match="does not exist"):
        queue.receive_deferred([message.sequence_number], delete=False)


def test_a_message_that_is_taken_with_deletion_is_gone(broker: Broker, queue: Queue) -> None:
    reader = Reader(deletes=True)
    queue.attach(reader)

    broker.send("t", [raw("a")])

    assert reader.messages[0].token is None
    assert sum(queue.counts().values()) == 0


def test_an_expired_message_is_buried_where_the_subscription_wants_it(
    broker: Broker, dead: Queue
) -> None:
    broker.send("t", [raw("a", ttl_ms=1000)])

    broker.clock.advance(1)

    assert [letter.added[REASON] for letter in dead.peek(0, 9)] == ["TTLExpiredException"]
    assert broker.queue("t/Subscriptions/other").peek(0, 9) == []


def test_a_message_that_expires_while_locked_is_still_its_receivers(
    broker: Broker, queue: Queue
) -> None:
    reader = read(queue)
    broker.send("t", [raw("a", ttl_ms=1000)])

    broker.clock.advance(2)

    queue.settle(token_of(reader.messages[0]), Settlement.COMPLETE)
    assert sum(queue.counts().values()) == 0


def test_scheduled_messages_come_when_they_are_due(broker: Broker, queue: Queue) -> None:
    reader = read(queue)
    broker.send("t", [raw("later", due=START + 20), raw("now"), raw("late", due=START - 1)])
    assert reader.bodies == ["now", "late"]
    assert broker.scheduled_count() == 1

    broker.clock.advance(20)

    assert reader.bodies == ["now", "late", "later"]


def test_cancelling_forgets_all_or_none(broker: Broker, queue: Queue) -> None:
    reader = read(queue)
    numbers = [broker.schedule("t", Content(raw(body, due=START + 60))) for body in "ab"]

    with pytest.raises(Refusal, match="does not exist"):
        broker.cancel([numbers[0], 999])
    broker.cancel([numbers[0]])
    broker.clock.advance(60)

    assert reader.bodies == ["b"]


def test_peeking_starts_where_it_is_told(broker: Broker, queue: Queue) -> None:
    broker.send("t", [raw("a"), raw("b"), raw("c")])
    numbers = [message.sequence_number for message in queue.peek(0, 10)]

    assert [message.sequence_number for message in queue.peek(numbers[1], 1)] == [numbers[1]]


def test_a_batch_with_one_message_too_large_is_not_stored_at_all(
    broker: Broker, queue: Queue
) -> None:
    with pytest.raises(Refusal, match="the limit is"):
        broker.send("t", [raw("a"), raw("x" * MAX_MESSAGE_SIZE)])

    assert queue.peek(0, 9) == []


@pytest.mark.parametrize("path", ["nowhere", "t/Subscriptions/nobody", PATH])
def test_only_topics_can_be_sent_to(broker: Broker, path: str) -> None:
    with pytest.raises(Refusal, match="could not be found"):
        broker.send(path, [raw("a")])


def test_a_throttled_broker_stores_nothing(broker: Broker, queue: Queue) -> None:
    broker.faults.arm(Fault.SERVER_BUSY, "t")

    with pytest.raises(Refusal, match="throttled"):
        broker.send("t", [raw("a")])
    broker.send("t", [raw("b")])

    assert read(queue).bodies == ["b"]


def test_a_fault_happens_as_often_as_ordered_and_where() -> None:
    faults = Faults()
    faults.arm(Fault.SERVER_BUSY, "t", times=2)

    assert not faults.take(Fault.SERVER_BUSY, "other")
    taken = [faults.take(Fault.SERVER_BUSY, "T") for _ in range(3)]

    assert taken == [True, True, False]


def test_the_receiver_sees_what_the_broker_knows(broker: Broker, queue: Queue) -> None:
    reader = read(queue)
    broker.send("t", [raw("a")])

    delivered = Content(reader.messages[0].encode())

    annotations = delivered.annotations
    assert annotations[Symbol("x-opt-locked-until")] == (START + LOCK_S) * 1000
    assert annotations[Symbol("x-opt-enqueued-time")] == START * 1000
    assert annotations[Symbol("x-opt-sequence-number")] == reader.messages[0].sequence_number
    assert delivered.data_sections() == [b"a"]


def test_sections_that_the_broker_does_not_read_stay_as_they_are() -> None:
    odd = bytes.fromhex("00 80 0000000000000074 d1 0000000a 00000002 a1 01 61 a1 01 62")
    body = encode(Described(ULong(Section.DATA), b"x"))

    sent = Content(odd + body)

    assert odd + body in sent.encode(delivery_count=0, annotations={}, added={})
    assert decode(odd)[0].value == {"a": "b"}


@pytest.mark.parametrize("noise", ["00", "40", "00 a1 01 61 40", "00 53 70 40 ff", "00 53 73 41"])
def test_what_is_no_message_is_not_stored(broker: Broker, queue: Queue, noise: str) -> None:
    with pytest.raises(DecodeError):
        broker.send("t", [raw("a"), bytes.fromhex(noise)])

    assert queue.peek(0, 9) == []
