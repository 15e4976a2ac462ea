"""Settle: returning is always right, whatever became of the message."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.domain.alerts.quarantine import Quarantined
from shared.domain.message import Message
from shared.errors import BackstopError, Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.kept import list_kept, read_body
from shared.protocol.settle import settle, settle_batch
from shared.services import Services
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, message, new_services


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def end_in(
    services: FakeServices, error: BackstopError | None, taken: Message | None = None
) -> None:
    async def handle(_: Services, __: Message) -> None:
        if error is not None:
            raise error

    await settle(services, "work", "responder", taken or message("triage", "key"), handle)


async def kept(services: FakeServices) -> Quarantined:
    (found,), _ = await list_kept(services)
    return found


async def test_what_was_done_is_done(services: FakeServices) -> None:
    await end_in(services, None)

    assert services.bus.published["work"] == []
    assert services.state.partitions() == []


async def test_bad_input_is_kept_with_its_reason(services: FakeServices) -> None:
    await end_in(services, RejectedInput("not-an-event", "no id"))

    found = await kept(services)
    assert (found.source, found.reason, found.detail) == ("work/triage", "not-an-event", "no id")
    assert await read_body(services, found.id) == b"key"
    assert services.bus.published["work"] == []


async def test_a_key_of_nothing_is_bad_input(services: FakeServices) -> None:
    await end_in(services, NotFound("no delivery key"))

    assert (await kept(services)).reason == "not-found"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Unavailable("logs", "out", 0.2), 1.0),
        (Unavailable("logs", "out", 30.0), 30.0),
        (Unavailable("logs", "out", 9_999.0), 300.0),
        (Conflict("somebody was first"), 1.0),
    ],
)
async def test_what_cannot_be_done_now_comes_again_when_it_may_help(
    services: FakeServices, error: BackstopError, seconds: float
) -> None:
    await end_in(services, error)

    (copy,) = services.bus.published["work"]
    assert (copy.subject, copy.body, copy.attempt) == ("triage", "key", 2)
    assert copy.message_id == "triage:key#2"
    assert copy.due == NOW + timedelta(seconds=seconds)


async def test_the_wait_doubles_up_to_five_minutes_and_every_copy_has_its_own_id(
    services: FakeServices,
) -> None:
    taken = message("triage", "key")
    for _ in range(12):
        await end_in(services, Unavailable("logs", "out", 0.0), taken)
        taken = services.bus.published["work"][-1]

    copies = services.bus.published["work"]
    waits = [(copy.due - NOW).total_seconds() for copy in copies if copy.due]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert [copy.message_id for copy in copies] == [f"triage:key#{n}" for n in range(2, 14)]


@pytest.mark.parametrize("attempt", [1_025, 100_000])
async def test_a_part_that_is_out_for_days_is_tried_all_the_same(
    services: FakeServices, attempt: int
) -> None:
    await end_in(services, Unavailable("logs", "out"), message("triage", "key", attempt=attempt))

    (copy,) = services.bus.published["work"]
    assert (copy.attempt, copy.due) == (attempt + 1, NOW + timedelta(seconds=300))


async def test_only_where_no_copy_can_be_sent_the_host_must_try_again(
    services: FakeServices,
) -> None:
    services.bus.out = True

    with pytest.raises(Unavailable, match="bus"):
        await end_in(services, Unavailable("logs", "out"))


async def test_a_mistake_of_ours_is_not_hidden(services: FakeServices) -> None:
    async def handle(_: Services, __: Message) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await settle(services, "work", "responder", message("triage"), handle)


async def test_a_batch_whose_part_is_out_comes_again_message_by_message(
    services: FakeServices,
) -> None:
    async def handle(_: Services, __: Sequence[Message]) -> None:
        raise Unavailable("tables", "out", 2.0)

    batch = [message("a", "1"), message("b", "2")]
    await settle_batch(services, "changes", "record", batch, handle)

    copies = services.bus.published["changes"]
    assert [copy.message_id for copy in copies] == ["a:1#2", "b:2#2"]
    assert {copy.due for copy in copies} == {NOW + timedelta(seconds=2)}


async def test_bad_input_that_cannot_be_kept_now_comes_again(services: FakeServices) -> None:
    services.outside.tables_out(out=True)

    await end_in(services, RejectedInput("not-an-event", "no id"))

    (copy,) = services.bus.published["work"]
    assert copy.attempt == 2


async def fail(*_: object) -> None:
    raise Unavailable("tables", "out", 0.0)


async def test_two_subscriptions_that_fail_together_have_one_copy_each_on_its_way(
    services: FakeServices,
) -> None:
    """A topic hands every copy to both: each would double what the other makes of it."""
    bus = services.bus
    await bus.publish("changes", [message("incident.opened", "1")])

    for _ in range(600):
        for one in bus.take("changes", "notify", services.now()):
            await settle(services, "changes", "notify", one, fail)
        for one in bus.take("changes", "record", services.now()):
            await settle_batch(services, "changes", "record", [one], fail)
        services.outside.wait(1)

    waits = [copy for copy in bus.published["changes"] if copy.due and copy.due > services.now()]
    assert {copy.only_for for copy in waits} == {"notify", "record"}
    assert len(waits) == 2


async def test_a_copy_is_left_to_whom_it_is_for(services: FakeServices) -> None:
    copy = message("incident.opened", "1", only_for="record")

    await settle(services, "changes", "notify", copy, fail)

    assert services.bus.published["changes"] == []
