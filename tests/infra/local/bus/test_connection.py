"""One connection on a wire of memory: order of sign-in, refusals, and peers that send nonsense."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.local.bus.broker import Broker
from infra.local.bus.connection import Connection
from infra.local.bus.content import Section
from infra.local.bus.encode import encode
from infra.local.bus.frames import (
    FRAME_SASL,
    MAX_FRAME_SIZE,
    PROTOCOL_AMQP,
    PROTOCOL_SASL,
    take_frames,
    write_frame,
)
from infra.local.bus.performatives import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Outcome,
    Performative,
    SaslInit,
    SaslOutcome,
    Terminus,
    Transfer,
    parse,
    write,
)
from infra.local.bus.values import DecodeError, Described, Symbol, UByte, UInt, ULong

SUBSCRIPTION = "t/Subscriptions/s"
BODY = encode(Described(ULong(Section.DATA), b"hello"))
SIGN_IN = PROTOCOL_SASL + write(0, SaslInit(Symbol("ANONYMOUS")), kind=FRAME_SASL) + PROTOCOL_AMQP
OPENING = write(0, Open("peer", "host", UInt(MAX_FRAME_SIZE))) + write(
    0, Begin(None, UInt(0), UInt(100), UInt(100))
)


class MemoryTransport(asyncio.Transport):
    """Collects what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Peer:
    """The other end of a connection to `broker`."""

    def __init__(self, broker: Broker) -> None:
        self.transport = MemoryTransport()
        self.connection = Connection(broker, set())
        self.connection.connection_made(self.transport)

    async def hears(self, *data: bytes) -> list[Performative]:
        """Send `data` and return what the broker answers, its protocol headers left out."""
        self.transport.written.clear()
        self.connection.data_received(b"".join(data))
        await asyncio.sleep(0)
        answer = self.transport.written
        for header in (PROTOCOL_SASL, PROTOCOL_AMQP):
            answer = bytearray(answer.replace(header, b""))
        return [parse(frame.body)[0] for frame in take_frames(answer) if frame.body]


@pytest.fixture
def broker() -> Broker:
    topics = [{"Name": "t", "Subscriptions": [{"Name": "s"}]}]
    return Broker({"UserConfig": {"Namespaces": [{"Name": "n", "Topics": topics}]}})


@pytest.fixture
async def peer(broker: Broker) -> AsyncIterator[Peer]:
    peer = Peer(broker)
    yield peer
    peer.connection.connection_lost(None)


def sending(name: str = "out", address: str = "t", handle: int = 0) -> bytes:
    source, target = Described(Terminus.SOURCE, []), Described(Terminus.TARGET, [address])
    return write(0, Attach(name, UInt(handle), False, UByte(0), UByte(0), source, target))


def receiving(address: str = SUBSCRIPTION, handle: int = 1) -> bytes:
    source, target = Described(Terminus.SOURCE, [address]), Described(Terminus.TARGET, [])
    return write(0, Attach("in", UInt(handle), True, UByte(0), UByte(0), source, target))


def credit(count: int, *, drain: bool = False) -> bytes:
    flow = Flow(UInt(1), UInt(100), UInt(0), UInt(100), UInt(1), UInt(0), UInt(count), drain=drain)
    return write(0, flow)


def transfer(*, delivery: int = 0, more: bool = False, payload: bytes = BODY) -> bytes:
    return write(0, Transfer(UInt(0), UInt(delivery), b"tag", UInt(0), False, more), payload)


def of_kind[T](performatives: list[Performative], kind: type[T]) -> list[T]:
    return [performative for performative in performatives if isinstance(performative, kind)]


def stored(broker: Broker) -> int:
    return len(broker.queue(SUBSCRIPTION).peek(0, 100))


def error_of(state: Any) -> str:
    return str(state.value[0])


async def test_a_peer_is_welcome_whatever_it_signs_in_with(peer: Peer) -> None:
    answers = await peer.hears(SIGN_IN, OPENING)

    assert of_kind(answers, SaslOutcome)[0].code == 0
    assert of_kind(answers, Open)
    assert of_kind(answers, Begin)[0].remote_channel == 0


async def test_bytes_may_come_one_by_one(peer: Peer, broker: Broker) -> None:
    for byte in SIGN_IN + OPENING + sending() + transfer():
        peer.connection.data_received(bytes([byte]))

    assert stored(broker) == 1


async def test_another_protocol_is_answered_with_ours_and_closed(peer: Peer) -> None:
    peer.connection.data_received(b"GET / HTTP/1.1\r\n\r\n")

    assert peer.transport.written == PROTOCOL_SASL
    assert peer.transport.closed


async def test_a_message_in_two_frames_is_one_message(peer: Peer, broker: Broker) -> None:
    await peer.hears(SIGN_IN, OPENING, sending())

    assert not of_kind(await peer.hears(transfer(more=True, payload=BODY[:3])), Disposition)
    (disposition,) = of_kind(await peer.hears(transfer(payload=BODY[3:])), Disposition)

    assert disposition.state == Described(Outcome.ACCEPTED, [])
    assert stored(broker) == 1


async def test_a_batch_with_a_broken_message_is_rejected_whole(peer: Peer, broker: Broker) -> None:
    await peer.hears(SIGN_IN, OPENING, sending())
    batch = BODY + encode(Described(ULong(Section.DATA), BODY))

    answers = await peer.hears(write(0, Transfer(UInt(0), UInt(0), b"t", UInt(0x80013700)), batch))

    assert error_of(of_kind(answers, Close)[0].error) == "amqp:decode-error"
    assert stored(broker) == 0


async def test_an_unknown_entity_is_attached_and_detached_with_the_reason(peer: Peer) -> None:
    await peer.hears(SIGN_IN, OPENING)

    answers = await peer.hears(sending(address="nowhere"))

    assert of_kind(answers, Attach)[0].target is None
    detach = of_kind(answers, Detach)[0]
    assert detach.closed
    assert error_of(detach.error) == "amqp:not-found"


async def test_draining_gives_the_credit_back(peer: Peer) -> None:
    await peer.hears(SIGN_IN, OPENING, receiving())

    (flow,) = of_kind(await peer.hears(credit(5, drain=True)), Flow)

    assert (flow.drain, flow.link_credit, flow.delivery_count) == (True, 0, 5)


async def test_one_disposition_settles_a_range(peer: Peer, broker: Broker) -> None:
    await peer.hears(SIGN_IN, OPENING, sending(), receiving(), credit(10))
    answers = await peer.hears(*(transfer(delivery=number) for number in range(3)))
    deliveries = [got.delivery_id for got in of_kind(answers, Transfer)]
    accepted = Described(Outcome.ACCEPTED, [])

    huge = UInt(2**32 - 1)
    await peer.hears(write(0, Disposition(True, UInt(0), huge, settled=True, state=accepted)))

    assert deliveries == [1, 2, 3]
    assert stored(broker) == 0


async def test_a_link_that_was_detached_gets_nothing_more(peer: Peer, broker: Broker) -> None:
    await peer.hears(SIGN_IN, OPENING, receiving(), credit(10))
    await peer.hears(write(0, Detach(UInt(1), closed=True)))

    broker.send("t", [BODY])

    assert not of_kind(await peer.hears(write(0, Begin())), Transfer)
    assert stored(broker) == 1


async def test_late_frames_of_an_ended_session_are_ignored(peer: Peer) -> None:
    await peer.hears(SIGN_IN, OPENING, sending())

    answers = await peer.hears(write(0, End()), transfer(), credit(1))

    assert len(answers) == 1
    assert of_kind(answers, End)


async def test_goodbye_is_answered(peer: Peer) -> None:
    await peer.hears(SIGN_IN, OPENING)

    assert of_kind(await peer.hears(write(0, Close())), Close)
    assert peer.transport.closed


async def test_a_frame_larger_than_agreed_ends_the_connection(peer: Peer) -> None:
    await peer.hears(SIGN_IN, OPENING)

    answers = await peer.hears((2**31).to_bytes(4) + b"\x02\x00\x00\x00")

    assert error_of(of_kind(answers, Close)[0].error) == "amqp:decode-error"


@pytest.mark.parametrize("body", ["40", "00 53 99 45", "00 53 10 40"])
def test_what_is_no_performative_is_refused(body: str) -> None:
    with pytest.raises(DecodeError):
        parse(bytes.fromhex(body))


def test_nulls_mean_the_defaults_of_the_standard() -> None:
    performative, payload = parse(encode(Described(ULong(0x10), [None, "host"])) + b"rest")

    assert performative == Open(hostname="host")
    assert payload == b"rest"


def test_an_empty_frame_is_a_heartbeat() -> None:
    (frame,) = take_frames(bytearray(write_frame(0, b"")))

    assert frame.body == b""


@pytest.mark.parametrize("seed", range(4))
async def test_nonsense_costs_a_peer_its_connection_and_the_broker_nothing(
    broker: Broker, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    chance = random.Random(seed)  # noqa: S311 - repeatable nonsense
    for _ in range(150):
        talker = Peer(broker)
        conversation = bytearray(
            SIGN_IN + OPENING + sending() + receiving() + credit(5) + transfer()
        )
        for _ in range(chance.randrange(1, 5)):
            conversation[chance.randrange(len(conversation))] = chance.randrange(256)
        talker.connection.data_received(bytes(conversation))
        await asyncio.sleep(0)
        talker.connection.connection_lost(None)

    honest = Peer(broker)
    (disposition,) = of_kind(
        await honest.hears(SIGN_IN, OPENING, sending(), transfer()), Disposition
    )
    assert disposition.state == Described(Outcome.ACCEPTED, [])
    honest.connection.connection_lost(None)
