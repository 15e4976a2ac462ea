"""No seeded secret or personal datum comes out: of rows, messages, cards, pages, log or answers.

Seeds are sown on every road into Backstop, the real responders take an incident from the alert to
the ledger, and then everything is searched that was stored, sent, logged or answered.
"""

import logging
from collections.abc import Iterator

import msgspec
import pytest

from responders.reading.console import show_home, show_incident_page, show_quarantine_page
from responders.reading.show import show_changes, show_incident, show_incidents
from responders.repair.quarantine import show_quarantine
from shared.domain.authority.permissions import EVERYBODY_INSIDE, Gate
from shared.domain.event import EventKind
from shared.domain.keys import digest
from shared.domain.redaction import redactor
from shared.domain.redaction.redactor import DETECTORS
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.errors import RejectedInput
from shared.protocol.door.log_lines import redact_log_lines
from shared.protocol.door.turn_away import answer_trouble
from shared.protocol.listing import list_incidents
from tests.batteries import sown
from tests.batteries.seeds import ALL, SEEDS, found_in, nested
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.host import FakeHost
from tests.fakes.scene import RECORD, SHARD, TARGET, new_services
from tests.fakes.tables import FakeTable
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, SERVICE, alter
from tests.shared.domain.diagnosis import telemetry_story as story

INSIDE = person(*EVERYBODY_INSIDE)  # sees every form
BROKEN = story.fails(story.OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")
OURS = alter(SERVICE, slos=story.SERVICE.slos, regions=story.REGIONS)


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The lines of this process as its handlers see them."""
    make = logging.getLogRecordFactory()
    caplog.set_level(logging.DEBUG)
    yield caplog
    logging.setLogRecordFactory(make)


async def new_town() -> FakeServices:
    """v2 took over three minutes into the story and breaks soon after; it is the fifth minute."""
    services = new_services()
    services.outside.catalog = catalog_of(OURS)
    services.outside.now = story.START + story.seconds(300)
    record = alter(RECORD, serving_since=story.START + story.seconds(180))
    release = Put(row=f"release|{OURS.name}|{digest('1.4.0')}", value=GOOD_RELEASE)
    await services.state.write(
        SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record), release]
    )
    services.scoring.failing.add("v2")
    return services


def tell_logs(services: FakeServices, until: float) -> None:
    splits: list[tuple[float, story.Split]] = [(0, {"v1": 1}), (180, {"v2": 1}), (300, {"v1": 1})]
    served = story.serve(splits, until=until, trouble=BROKEN)
    services.logs.answers.update(story.answers_of(served))
    at = story.START + story.seconds(178)
    services.logs.answer("activity", [{"TimeGenerated": at, **row} for row in sown.deeds(ALL)])


async def live_through_it(services: FakeServices) -> str:
    """Everything comes in with all seeds, and the apps work; the incident's id."""
    host = FakeHost(services)
    tell_logs(services, 300)
    await sown.post(host.responder, ALL)
    await host.run(20)
    (incident,), _ = await list_incidents(services)
    await sown.say(host.responder, incident.id, ALL)
    await sown.release(host.responder, OURS.name, ALL)
    tell_logs(services, 400)
    await host.run(100)
    return incident.id


async def answers(services: FakeServices, incident: str) -> str:
    """What programs and people are answered."""
    one = Request(path={"id": incident}, caller=INSIDE)
    found = [
        await show_incident(services, one),
        await show_incidents(services, Request()),
        await show_changes(services, Request(query={"service": OURS.name})),
        await show_quarantine(services, Request()),
        await show_home(services, Request(caller=INSIDE)),
        await show_incident_page(services, one),
        await show_quarantine_page(services, Request(caller=INSIDE)),
    ]
    assert all(answer.status == 200 for answer in found)
    return "\n".join(answer.body.decode() for answer in found)


def stored(services: FakeServices) -> str:
    """Every row of every table, as it lies there, and bytes as what they are."""
    tables: list[FakeTable] = [services.state, services.deliveries, services.ledger, services.index]
    rows = [(key, row.body) for table in tables for key, row in table.everything()]
    bodies = [msgspec.json.decode(body).get("content") for _, body in rows]
    kept = [msgspec.json.decode(f'"{one}"', type=bytes) for one in bodies if one]
    assert rows
    text = "\n".join(f"{key} {body.decode()}" for key, body in rows)
    return text + "\n".join(body.decode("utf-8", "replace") for body in kept)


def sent(services: FakeServices) -> str:
    """Every message, card and page."""
    told = [*services.bus.published["work"], *services.bus.published["changes"]]
    return msgspec.json.encode((told, services.teams.cards, services.pager.sent)).decode()


async def test_nothing_that_was_sown_comes_out(log_lines: pytest.LogCaptureFixture) -> None:
    services = await new_town()
    redact_log_lines(lambda: services.redactor)
    incident = await live_through_it(services)
    details = await sown.post_rubbish(services, ALL)

    everything = {
        "rows": stored(services),
        "messages, cards and pages": sent(services),
        "answers": await answers(services, incident),
        "log lines": log_lines.text,
        "refusals": "\n".join(details),
    }
    leaks = {where: found_in(text) for where, text in everything.items()}
    assert not any(leaks.values()), leaks
    kinds = {EventKind(message.subject) for message in services.bus.published["changes"]}
    steps = {EventKind.INCIDENT_OPENED, EventKind.DIAGNOSED, EventKind.DECIDED, EventKind.NOTED}
    assert steps <= kinds
    assert services.teams.cards
    assert services.pager.sent
    assert services.ledger.partitions()


async def sow_briefly(services: FakeServices, text: str) -> str:
    """An alert in its row and bad input in quarantine: what a single seed takes to be seen."""
    await sown.post(services, text)
    await sown.post_rubbish(services, text)
    return stored(services)


@pytest.mark.parametrize("name", SEEDS)
async def test_no_seed_is_stored(name: str) -> None:
    assert found_in(await sow_briefly(new_services(), SEEDS[name].text)) == []


@pytest.mark.parametrize("name", SEEDS)
async def test_a_seed_is_found_where_its_detector_is_taken_away(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tuple(one for one in DETECTORS if one.name != name)
    monkeypatch.setattr(redactor, "DETECTORS", left)
    assert found_in(await sow_briefly(new_services(), SEEDS[name].text)) == [name]


def test_every_detector_has_its_seed() -> None:
    assert set(SEEDS) == {one.name for one in DETECTORS}


async def test_a_log_line_and_its_exception_are_redacted(
    log_lines: pytest.LogCaptureFixture,
) -> None:
    redact_log_lines(lambda: new_services().redactor)
    log = logging.getLogger("azure.core.deep")
    try:
        int(ALL)
    except ValueError:
        log.exception("called %s with %s", "it", nested(ALL))

    assert "called it with" in log_lines.text
    assert "ValueError" in log_lines.text
    assert found_in(log_lines.text) == []


def test_a_problem_quotes_nothing_that_was_sown() -> None:
    gate = Gate(name="resubmit", is_page=False)
    problem = answer_trouble(new_services(), gate, RejectedInput("wrong-field", f"no {ALL}"))
    assert problem.status == 400
    assert found_in(problem.body.decode()) == []
