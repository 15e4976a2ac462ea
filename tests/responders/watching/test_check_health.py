"""Check health: asked as customers ask, told as a signal, and never one of the customers."""

from datetime import timedelta

import msgspec
import pytest

from responders.alert.triage import triage
from responders.reading.health import show_health
from responders.watching.check_health import MOST, check_health
from shared.domain.catalog import Dependency
from shared.domain.health.chain import Watermark
from shared.domain.health.golden import GoldenCase, GoldenCases
from shared.domain.health.report import HealthReport, Part, Verdict
from shared.domain.views.http import Request
from shared.errors import NotFound, RejectedInput
from shared.memory import NEVER
from shared.protocol.health import read_health
from shared.protocol.intake import read_delivery
from shared.protocol.leftovers import find_leftovers
from shared.protocol.listing import list_incidents
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import NOW, SERVICE, new_services

INDEX = Dependency(name="wordings", kind="index", endpoint="https://s.example", watermark="at")
LOOKUP = Dependency(name="lookup", kind="tool")
CHECKED = msgspec.structs.replace(SERVICE, dependencies=(LOOKUP, INDEX))
CASES = GoldenCases(
    service=SERVICE.name,
    cases=tuple(
        GoldenCase(name=f"c{n}", request={"claim_id": f"G-{n}"}, contains=(f"G-{n}",))
        for n in range(20)
    ),
)
FRESH = Watermark(documents=48_000, newest=NOW)
STALE = Watermark(documents=48_000, newest=NOW - timedelta(hours=2))


@pytest.fixture
def services() -> FakeServices:
    made = new_services()
    made.outside.catalog = catalog_of(CHECKED)
    made.golden[SERVICE.name] = CASES
    made.search.indexes["wordings"] = FRESH
    return made


async def run(services: FakeServices) -> HealthReport:
    await check_health(services, await find_leftovers(services))
    found = await read_health(services, SERVICE.name)
    assert found is not None
    return found.value


async def signals(services: FakeServices) -> list[str]:
    """What was told, by the summaries of the deliveries."""
    keys = [m.body for m in services.bus.published["work"] if m.subject == "triage"]
    return [(await read_delivery(services, key)).value.alert.summary for key in keys]


async def test_a_service_that_answers_rightly_is_well(services: FakeServices) -> None:
    report = await run(services)

    assert report.verdict is Verdict.PASSED
    assert [(one.about, one.verdict) for one in report.findings] == [
        ("answers", "passed"),
        ("deployment v1", "passed"),
        ("deployment v2", "passed"),
        ("deployment old", "passed"),
        ("dependency lookup", "unknown"),
        ("dependency wordings", "passed"),
    ]
    assert await signals(services) == []


async def test_answers_that_are_wrong_with_200_are_a_signal(services: FakeServices) -> None:
    services.scoring.says["v2"] = {"summary": "something else"}

    report = await run(services)

    assert report.verdict is Verdict.FAILED
    (told,) = await signals(services)
    assert told.startswith("health-check: answers: 0 of 20 known questions are answered rightly")


async def test_an_indexer_that_has_stopped_fails_while_every_answer_is_right(
    services: FakeServices,
) -> None:
    services.search.indexes["wordings"] = STALE

    report = await run(services)

    assert (report.verdict, report.first_failing) == (Verdict.FAILED, "wordings")
    (told,) = await signals(services)
    assert told.startswith("health-check: dependency wordings: index wordings: 48,000 documents")


async def test_a_version_that_serves_and_does_not_answer_is_a_signal_an_idle_one_is_none(
    services: FakeServices,
) -> None:
    services.scoring.failing = {"v1", "old"}
    report = await run(services)
    assert (report.verdict, await signals(services)) == (Verdict.PASSED, [])

    services.scoring.failing = {"v2"}
    services.outside.wait(300)
    await run(services)
    assert [said.split(":")[1].strip() for said in await signals(services)] == [
        "answers",
        "deployment v2",
    ]


async def test_the_signal_takes_the_road_of_every_other_one(services: FakeServices) -> None:
    services.search.indexes["wordings"] = STALE
    await run(services)
    (command,) = services.bus.published["work"]

    await triage(services, command)

    delivery = (await read_delivery(services, command.body)).value
    (incident,), _ = await list_incidents(services)
    assert (delivery.source, delivery.state) == ("health-check", "opened")
    assert incident.signals_only
    assert "wordings" in incident.title


async def test_what_is_well_again_ends_it(services: FakeServices) -> None:
    services.search.indexes["wordings"] = STALE
    await run(services)
    services.outside.wait(300)
    services.search.indexes["wordings"] = msgspec.structs.replace(FRESH, newest=services.now())
    await run(services)

    for command in list(services.bus.published["work"]):
        if command.subject == "triage":
            await triage(services, command)

    assert [one.state for one in (await list_incidents(services))[0]] == ["resolved"]


async def ended(services: FakeServices) -> bool:
    """Whether nothing is open once triage has taken all that was told."""
    for command in list(services.bus.published["work"]):
        if command.subject == "triage":
            await triage(services, command)
    return {one.state for one in (await list_incidents(services))[0]} == {"resolved"}


async def check_later(services: FakeServices) -> HealthReport:
    services.outside.wait(300)
    services.search.indexes["wordings"] = msgspec.structs.replace(FRESH, newest=services.now())
    return await run(services)


async def test_an_end_is_told_although_the_endpoint_could_not_be_read_meanwhile(
    services: FakeServices,
) -> None:
    services.scoring.failing = {"v2"}
    await run(services)
    services.outside.endpoints.out = True
    hidden = await check_later(services)
    services.outside.endpoints.out = False
    services.scoring.failing = set()
    await check_later(services)

    assert [(one.about, one.verdict) for one in hidden.findings if one.told_at] == [
        ("answers", "unknown"),
        ("deployment v2", "unknown"),
    ]
    assert await ended(services)


async def test_a_broken_version_that_serves_nobody_any_more_is_over(
    services: FakeServices,
) -> None:
    services.scoring.failing = {"v2"}
    await run(services)
    services.outside.endpoints.move({"v1": 100})
    await check_later(services)
    assert (await signals(services))[-1].endswith("; no customer feels it")
    assert await ended(services)


async def test_each_endpoint_of_a_service_is_asked(services: FakeServices) -> None:
    first = CHECKED.targets[0]
    second = msgspec.structs.replace(first, id=f"{first.id}-two")
    services.outside.catalog = catalog_of(
        msgspec.structs.replace(CHECKED, targets=(*CHECKED.targets, second))
    )

    report = await run(services)

    name = first.id.rpartition("/")[2]
    answers = [(one.name, one.verdict) for one in report.findings if one.part is Part.ANSWERS]
    assert answers == [(name, "passed"), (f"{name}-two", "unknown")]  # there is only the first
    assert report.finding(f"deployment {name}/v2") is not None


async def test_each_finding_is_an_event_that_is_no_customers(services: FakeServices) -> None:
    report = await run(services)

    sent = services.app_events.sent
    assert len(sent) == len(report.findings)
    assert {one.name for one in sent} == {"backstop.health_check"}
    assert {one.role for one in sent} == {SERVICE.name}
    assert {one.properties["backstop.probe"] for one in sent} == {"true"}
    assert sent[0].measurements == {"good": 20, "total": 20, "low": 0.8389, "high": 1.0}


async def test_a_service_is_asked_as_often_as_its_cases_say(services: FakeServices) -> None:
    first = await run(services)
    services.outside.wait(299)
    assert await run(services) == first
    services.outside.wait(1)
    assert (await run(services)).at == services.now()


def asked(services: FakeServices) -> list[str]:
    """The services that had their turn."""
    turns = services.memory.turns
    return [name for name in services.catalog.services if turns.last("check_health", name) > NEVER]


async def test_only_so_many_services_are_asked_at_once(services: FakeServices) -> None:
    others = [msgspec.structs.replace(CHECKED, name=f"s{n}") for n in range(MOST + 2)]
    services.outside.catalog = catalog_of(*others)

    await check_health(services, await find_leftovers(services))
    assert len(asked(services)) == MOST
    await check_health(services, await find_leftovers(services))
    assert len(asked(services)) == MOST + 2


async def test_a_service_of_which_there_is_nothing_to_ask_is_left_alone(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of(SERVICE)
    services.golden[SERVICE.name] = None

    await check_health(services, await find_leftovers(services))

    assert asked(services) == []


@pytest.mark.parametrize("part", ["endpoints", "scoring"])
async def test_what_does_not_answer_is_found_out(services: FakeServices, part: str) -> None:
    getattr(services.outside, part).out = True

    report = await run(services)

    dependency = report.finding("dependency wordings")
    assert dependency is not None
    assert dependency.verdict is Verdict.PASSED


async def test_tables_that_are_out_leave_the_check_to_the_next_time(
    services: FakeServices,
) -> None:
    services.search.indexes["wordings"] = STALE
    leftovers = await find_leftovers(services)
    services.outside.tables_out(out=True)
    await check_health(services, leftovers)
    services.outside.tables_out(out=False)
    assert services.app_events.sent == []

    services.outside.wait(300)
    await run(services)
    assert len(await signals(services)) == 1


async def test_telemetry_that_is_out_holds_nothing_up(services: FakeServices) -> None:
    services.app_events.out = True

    assert (await run(services)).verdict is Verdict.PASSED


async def test_the_last_report_is_shown(services: FakeServices) -> None:
    services.search.indexes["wordings"] = STALE
    await run(services)

    answer = await show_health(services, Request(query={"service": SERVICE.name}))

    said = msgspec.json.decode(answer.body)
    assert (said["verdict"], said["first_failing"]) == ("failed", "wordings")
    assert said["findings"][0]["low"] == 0.8389


async def test_who_was_not_checked_or_is_not_known_is_said_to_be_so(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await show_health(services, Request(query={"service": SERVICE.name}))
    with pytest.raises(RejectedInput):
        await show_health(services, Request())


async def test_a_service_that_hangs_is_known_by_the_questions_that_were_asked(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.protocol.checking.ASK_FOR_S", -1.0)

    report = await run(services)

    answers = report.finding("answers")
    assert answers is not None
    assert (answers.verdict, answers.total) == (Verdict.UNKNOWN, 0)
