"""Echo: what the ledger took is drawn in the workspace, and the ledger waits for nobody."""

import asyncio

import pytest

from responders.evidence.record import record
from shared.domain.event import ChangeEvent, EventKind
from shared.protocol.commit import telling
from shared.protocol.evidence.echo import MOST, echo
from tests.fakes import FakeServices
from tests.fakes.scene import NOW, SERVICE, new_services


def event(number: int) -> ChangeEvent:
    return ChangeEvent(
        id=f"event-{number}",
        kind=EventKind.NOTED,
        service=SERVICE.name,
        actor="Ada",
        what=f"did {number}",
        why="a reason",
        happened_at=NOW,
        recorded_at=NOW,
        role="Responder",
    )


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def settled(services: FakeServices) -> None:
    await asyncio.gather(*services.errands.running("echo"))


async def test_what_is_recorded_is_told_to_the_workspace(services: FakeServices) -> None:
    await record(services, [telling(event(1)), telling(event(2))])
    await settled(services)

    assert services.app_events is not None
    told = {one.properties["backstop.event"]: one for one in services.app_events.sent}
    assert told.keys() == {"event-1", "event-2"}
    assert (told["event-1"].name, told["event-1"].role) == ("backstop.change", SERVICE.name)


async def test_a_workspace_that_is_out_keeps_nothing_from_the_ledger(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    assert services.app_events is not None
    services.app_events.out = True

    await record(services, [telling(event(1))])
    await settled(services)

    assert "no echo of 1 events: telemetry" in caplog.text
    assert not services.errands.running("echo")


async def test_a_slow_workspace_loses_what_is_too_much(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MOST + 1):  # nobody gives the sends a turn
        echo(services, [event(number)])

    assert len(services.errands.running("echo")) == MOST
    assert "the workspace is slow" in caplog.text
    await settled(services)
