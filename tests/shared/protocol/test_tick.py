"""The tick: a job that cannot be done leaves the others alone, and nothing is swallowed."""

import msgspec
import pytest

from shared.errors import RejectedInput, Unavailable
from shared.protocol.leftovers import Leftovers
from shared.protocol.tick import run_tick
from shared.services import Services
from tests.fakes import FakeServices
from tests.fakes.scene import new_services


class Job(msgspec.Struct):
    """A job that notes its turns, and may end in an error."""

    name: str
    error: Exception | None = None
    turns: int = 0

    async def __call__(self, _: Services, __: Leftovers, /) -> None:
        self.turns += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def test_every_job_has_its_turn(services: FakeServices) -> None:
    jobs = [Job("one"), Job("two")]

    await run_tick(services, jobs, None)

    assert [job.turns for job in jobs] == [1, 1]


async def test_a_job_whose_part_is_out_is_said_and_leaves_the_others_alone(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [Job("sealing", Unavailable("blobs", "out")), Job("keeping", RejectedInput("no", "no"))]
    last = Job("last")

    await run_tick(services, [*jobs, last], None)

    assert last.turns == 1
    assert "tick: sealing: " in caplog.text
    assert "tick: keeping: " in caplog.text


async def test_a_mistake_in_a_job_stops_no_other_and_fails_the_tick(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    blunder = Job("blunder", ValueError("a card of a kind that this version does not know"))
    last = Job("last")

    with pytest.raises(ExceptionGroup) as failed:
        await run_tick(services, [blunder, Job("fail", RejectedInput("no", "no")), last], None)

    assert last.turns == 1
    assert failed.value.exceptions == (blunder.error,)
    assert "tick: blunder: ValueError" in caplog.text


async def test_without_tables_no_job_is_begun_and_who_wakes_people_is_told(
    services: FakeServices,
) -> None:
    told: list[Unavailable] = []
    job = Job("any")

    async def tell(_: Services, error: Unavailable) -> None:
        told.append(error)

    services.outside.tables_out(out=True)
    await run_tick(services, [job], tell)
    await run_tick(services, [job], None)  # an app that wakes nobody waits for the next tick

    assert job.turns == 0
    assert [error.part for error in told] == ["tables"]
