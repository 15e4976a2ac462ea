"""Warm: the first tick of a process begins it once, waits for nothing and fails in no way."""

import asyncio

import pytest

from responders.watching.warm import warm_executor, warm_responder
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices
from tests.fakes.scene import new_services

NOTHING = Leftovers(messages={}, effects=[], intents=[])


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def ended(services: FakeServices) -> None:
    """Wait for what a tick began."""
    await asyncio.gather(*services.errands.running("warm"))


async def test_the_executor_opens_its_links_and_reads_an_endpoint(services: FakeServices) -> None:
    await warm_executor(services, NOTHING)
    await ended(services)

    assert services.bus.warmed == ["work", "changes"]
    assert services.endpoints.readings == 1


async def test_the_responder_opens_its_links_and_leaves_the_endpoints_alone(
    services: FakeServices,
) -> None:
    await warm_responder(services, NOTHING)
    await ended(services)

    assert services.bus.warmed == ["work", "changes"]
    assert "endpoints" not in vars(services)  # nobody has even asked for the client


async def test_the_tick_does_not_wait_for_it(services: FakeServices) -> None:
    go_on = asyncio.Event()
    services.outside.turns.once("endpoint.read", go_on.wait)

    await warm_executor(services, NOTHING)
    assert services.errands.running("warm")

    go_on.set()
    await ended(services)
    assert services.endpoints.readings == 1


async def test_it_happens_once_a_process(services: FakeServices) -> None:
    for _ in range(3):
        await warm_executor(services, NOTHING)
        await ended(services)
    another = services.another("two")
    await warm_executor(another, NOTHING)
    await ended(another)

    assert services.endpoints.readings == 2


@pytest.mark.parametrize("part", ["bus", "endpoints"])
async def test_a_part_that_is_out_is_said_and_keeps_nothing_else_from_being_warm(
    services: FakeServices, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    services.bus.out = part == "bus"
    services.endpoints.out = part == "endpoints"

    await warm_executor(services, NOTHING)
    await ended(services)

    assert "not warm" in caplog.text
    assert (services.bus.warmed == []) is (part == "bus")
    assert (services.endpoints.readings == 0) is (part == "endpoints")


async def test_a_process_that_stops_does_not_wait_for_it(services: FakeServices) -> None:
    services.outside.turns.once("endpoint.read", asyncio.Event().wait)
    await warm_executor(services, NOTHING)
    await asyncio.sleep(0)

    assert services.errands.running("warm")

    await services.close()

    assert not services.errands.running("warm")
