"""Names of people: kept once, read where people read, erased without harm."""

from shared.domain.authority.caller import AppRole
from shared.domain.keys import digest
from shared.domain.row import Remove
from shared.domain.views.http import HTML, Answer, json_answer
from shared.protocol.door.people import (
    KEEP_S,
    PEOPLE,
    name_card,
    name_page,
    read_names,
    remember_name,
)
from tests.fakes import FakeServices
from tests.fakes.callers import ALICE, BEN, app, person
from tests.fakes.scene import new_services

ADA = person(AppRole.RESPONDER, name="Ada <b>")


def writes(services: FakeServices) -> int:
    return services.outside.turns.passed.count("state.write")


async def test_a_name_is_written_when_it_is_news_and_not_again() -> None:
    services = new_services()
    for _ in range(3):
        await remember_name(services, ADA)
    assert writes(services) == 1
    await remember_name(services, person(name="Ada Lovelace"))
    assert await read_names(services, [ALICE]) == {ALICE: "Ada Lovelace"}
    assert writes(services) == 2


async def test_another_process_that_reads_the_same_name_writes_nothing() -> None:
    services = new_services()
    await remember_name(services, ADA)
    await remember_name(services.another("two"), ADA)
    assert writes(services) == 1


async def test_nothing_is_kept_of_apps_nor_of_who_has_no_name() -> None:
    services = new_services()
    await remember_name(services, app(AppRole.DEPLOYER))
    await remember_name(services, person(name=""))
    assert services.state.partitions() == []


async def test_without_tables_nobody_is_kept_from_acting_and_ids_are_shown() -> None:
    services = new_services()
    services.outside.tables_out(out=True)
    await remember_name(services, ADA)
    assert await read_names(services, [ALICE]) == {}


async def test_erasing_the_row_erases_the_person_everywhere_within_a_minute() -> None:
    services = new_services()
    await remember_name(services, ADA)
    await services.state.write(PEOPLE, [Remove(row=digest(ALICE))])
    services.outside.wait(KEEP_S)
    page = Answer(body=ALICE.encode(), content_type=HTML)
    assert (await name_page(services, page)).body == ALICE.partition("/")[2].encode()


async def test_a_page_shows_names_that_cannot_break_it() -> None:
    services = new_services()
    await remember_name(services, ADA)
    page = Answer(body=f"<p>{ALICE} and {BEN}</p>".encode(), content_type=HTML)
    named = await name_page(services, page)
    assert named.body == f"<p>Ada &lt;b&gt; and {BEN.partition('/')[2]}</p>".encode()


async def test_what_programs_read_keeps_the_id() -> None:
    services = new_services()
    await remember_name(services, ADA)
    answer = json_answer({"by": ALICE})
    assert await name_page(services, answer) == answer


async def test_a_card_shows_names() -> None:
    services = new_services()
    await remember_name(services, ADA)
    assert await name_card(services, {"text": [f"by {ALICE}"]}) == {"text": ["by Ada <b>"]}
