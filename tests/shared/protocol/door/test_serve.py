"""Serving: whatever a responder of ours ends in is an answer that says what to do."""

import msgspec
import pytest

from shared.domain.authority.permissions import PERMISSIONS, PUBLIC, Gate
from shared.domain.views.http import HTML, PROBLEM, Answer, Request
from shared.errors import BackstopError, Conflict, NotFound, RejectedInput, Unavailable
from shared.protocol.door.people import remember_name
from shared.protocol.door.serve import HttpResponder, serve
from shared.services import Services
from tests.fakes import FakeServices
from tests.fakes.callers import ALICE, person
from tests.fakes.scene import new_services

API = Gate(name="route", is_page=False)
PAGE = Gate(name="route", is_page=True)
GET = Request(method="GET")


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    monkeypatch.setitem(PERMISSIONS, "route", PUBLIC)
    return new_services()


def failing(error: BackstopError) -> HttpResponder:
    async def respond(_: Services, __: Request) -> Answer:
        raise error

    return respond


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RejectedInput("not-json", "say it in JSON"), 400),
        (NotFound("no incident"), 404),
        (Conflict("somebody was first"), 409),
        (Unavailable("tables", "out", 7.0), 503),
    ],
)
async def test_an_expected_error_is_a_problem_and_never_a_500(
    services: FakeServices, error: BackstopError, status: int
) -> None:
    answer = await serve(services, API, GET, failing(error))

    assert (answer.status, answer.content_type) == (status, PROBLEM)
    assert msgspec.json.decode(answer.body)["status"] == status


async def test_a_later_try_is_asked_for_where_it_may_help(services: FakeServices) -> None:
    answer = await serve(services, API, GET, failing(Unavailable("tables", "out", 7.0)))

    assert answer.headers["Retry-After"] == "7"


async def test_people_are_told_on_a_page(services: FakeServices) -> None:
    answer = await serve(services, PAGE, GET, failing(NotFound("no incident INC-1")))

    assert (answer.status, answer.content_type) == (404, HTML)
    assert b"no incident INC-1" in answer.body


async def test_a_mistake_of_ours_is_the_host_s_to_count(services: FakeServices) -> None:
    async def blunder(_: Services, __: Request) -> Answer:
        raise ValueError("nobody expected it")

    with pytest.raises(ValueError, match="nobody expected it"):
        await serve(services, API, GET, blunder)


async def test_a_page_leaves_with_the_names_of_people_and_the_api_with_their_ids(
    services: FakeServices,
) -> None:
    async def respond(_: Services, __: Request) -> Answer:
        return Answer(body=f"<p>{ALICE}</p>".encode(), content_type=HTML)

    await remember_name(services, person(name="Alice Adams"))
    bodies = [(await serve(services, gate, GET, respond)).body for gate in (PAGE, API)]

    assert bodies == [b"<p>Alice Adams</p>", f"<p>{ALICE}</p>".encode()]
