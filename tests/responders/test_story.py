"""One alert through all rooms: from the webhook to the cure, with everything told exactly once."""

from collections import Counter

import pytest

from responders.alert.ingest import ingest
from responders.people.handle import handle
from responders.watching.configure import configure
from shared.domain.authority.caller import AppRole
from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.diagnosis.diagnosis import Health
from shared.domain.incidents.incident import Incident, State
from shared.domain.keys import digest
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import verify
from shared.domain.row import Put
from shared.domain.views.http import Request
from shared.errors import Unavailable
from shared.protocol.evidence.ledger import MARKS
from shared.protocol.intake import accept
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import list_incidents
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import person
from tests.fakes.host import FakeHost
from tests.fakes.scene import (
    KEYS,
    RECORD,
    SERVICE,
    SHARD,
    TARGET,
    effects_done,
    fired,
    kinds,
    new_services,
)
from tests.shared.domain.decisions.worked_case import GOOD_RELEASE, alter
from tests.shared.domain.diagnosis import telemetry_story as story

BROKEN = story.fails(story.OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")
FIRED_S, CURED_S = 300.0, 400.0
OURS = alter(SERVICE, slos=story.SERVICE.slos, regions=story.REGIONS)


@pytest.fixture
async def services() -> FakeServices:
    """v2 took over three minutes into the story and breaks soon after; it is the fifth minute."""
    made = new_services()
    made.outside.catalog = catalog_of(OURS)
    made.outside.now = story.START + story.seconds(FIRED_S)
    record = alter(RECORD, serving_since=story.START + story.seconds(180))
    await made.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record)])
    release = Put(row=f"release|{OURS.name}|{digest('1.4.0')}", value=GOOD_RELEASE)
    await made.state.write(SHARD, [release])
    made.scoring.failing.add("v2")
    tell_logs(made, until=FIRED_S)
    await configure(made, Leftovers(messages={}, effects=[], intents=[]))
    made.bus.published["changes"].clear()  # what is configured was told long ago
    return made


def tell_logs(services: FakeServices, *, until: float) -> None:
    """What customers got until this second, v1 serving again from the alert on."""
    splits: list[tuple[float, story.Split]] = [(0, {"v1": 1}), (180, {"v2": 1})]
    served = story.serve([*splits, (FIRED_S, {"v1": 1})], until=until, trouble=BROKEN)
    services.logs.answers.update(story.answers_of(served))


async def play(services: FakeServices) -> FakeHost:
    """The alert comes, the apps work, and the logs show what became of it."""
    host = FakeHost(services)
    await accept(host.responder, fired())
    await host.run(20)
    tell_logs(services, until=CURED_S)
    await host.run(300)
    return host


async def only(services: FakeServices) -> Incident:
    (incident,), _ = await list_incidents(services)
    return incident


async def ledger(services: FakeServices) -> Counter[str]:
    """How often each event is in the ledger, whose chain must be whole."""
    (partition,) = set(services.ledger.partitions()) - {MARKS}
    rows = await services.ledger.scan(partition, "seq|", LedgerRow)
    head = await services.ledger.read(partition, "head", Head)
    assert head is not None
    assert verify([row.value for row in rows], head.value).ok
    return Counter(row.value.event_id for row in rows)


async def test_a_bad_version_is_rolled_back_and_proven_cured(services: FakeServices) -> None:
    await play(services)

    incident = await only(services)
    assert incident.state is State.MITIGATED, incident.sentence
    assert services.endpoints.traffic == {"v1": 100}
    assert len(services.endpoints.writes) == 1
    assert incident.sentence.startswith("Moved all traffic from v2 back to v1. It helped: ")


async def test_every_event_is_in_the_ledger_once_and_in_the_timeline(
    services: FakeServices,
) -> None:
    await play(services)

    recorded = await ledger(services)
    incident = await only(services)
    assert set(recorded.values()) == {1}
    assert sorted(recorded) == [
        f"{incident.id}-{number:04d}" for number in range(1, incident.sequence + 1)
    ]


async def test_people_see_two_cards_and_one_page(services: FakeServices) -> None:
    await play(services)

    done = [effect.name for effect in effects_done(services, (await only(services)).id)]
    assert done == ["card-opened", "card-outcome", "page-0"]
    assert len(services.teams.cards) == 2
    assert [action for _, action in services.pager.did()] == ["trigger"]


async def test_who_resolves_it_calms_the_pager_and_ends_the_story(services: FakeServices) -> None:
    host = await play(services)
    incident = await only(services)
    path = {"id": incident.id, "action": "resolve"}
    body = b'{"why": "customers are well"}'

    caller = person(AppRole.COMMANDER)
    await handle(host.responder, Request(method="POST", path=path, body=body, caller=caller))
    await host.run(10)

    assert (await only(services)).state is State.RESOLVED
    assert services.pager.did()[-1] == (KEYS["a" * 32], "resolve")
    assert len(services.teams.cards) == 3
    assert services.state.rows(SHARD, "~") == []


@pytest.mark.parametrize("part", ["bus", "teams", "pager"])
async def test_a_part_that_is_out_for_a_while_changes_nothing_in_the_end(
    services: FakeServices, part: str
) -> None:
    services.bus.out = part == "bus"
    services.teams.trouble = Unavailable("teams", "503") if part == "teams" else None
    services.pager.trouble = Unavailable("pager", "503") if part == "pager" else None
    host = FakeHost(services)
    await accept(host.responder, fired())
    await host.run(12)
    services.bus.out, services.teams.trouble, services.pager.trouble = False, None, None
    await host.run(30)
    tell_logs(services, until=CURED_S)
    await host.run(500)

    incident = await only(services)
    assert incident.state is State.MITIGATED, incident.sentence
    assert set((await ledger(services)).values()) == {1}
    assert len(services.teams.cards) == 2
    assert [action for _, action in services.pager.did()] == ["trigger"]
    assert services.state.rows(SHARD, "~") == []


async def test_logs_that_are_out_move_nothing_and_page(services: FakeServices) -> None:
    for name in ("onset", "burn_rates"):
        services.logs.fail(name)
    host = FakeHost(services)
    await accept(host.responder, fired())

    await host.run(20)
    assert (await only(services)).state is State.OPENED  # the logs may come back in a moment
    await host.run(300)

    assert (await only(services)).state is State.ESCALATED
    assert services.endpoints.writes == []
    assert services.pager.did()[0] == (KEYS["a" * 32], "trigger")
    told = "".join(message.body for message in services.bus.published["changes"])
    assert Health.INCONCLUSIVE in told


async def fail_the_test() -> None:
    pytest.fail("the executor wrote to an endpoint that it may only read")


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.RECOMMEND])
async def test_what_is_only_watched_is_decided_and_told_and_never_written(
    services: FakeServices, mode: Mode
) -> None:
    services.outside.catalog = catalog_of(alter(OURS, mode=mode))
    services.outside.turns.once("endpoint.write", fail_the_test)
    host = FakeHost(services)
    await accept(host.responder, fired())

    await host.run(300)  # long enough for every job that acts, verifies or reconciles

    incident = await only(services)
    found = await services.state.read(SHARD, f"decision|{incident.id}", Decision)
    assert found is not None
    decided = found.value
    assert (decided.verdict, decided.would_be) == (Verdict.HOLD, Verdict.ROLL_BACK), decided.reason
    assert incident.state is State.HELD
    assert incident.sentence == f"Traffic would go back from v2 to v1, but the mode is {mode}."
    assert incident.sentence in str(services.teams.cards[1])
    assert "incident.decided" in kinds(services)
    assert kinds(services).count("configuration.changed") == 1  # of the mode, told once
    assert (await ledger(services)).total() == incident.sequence + 1
    assert services.endpoints.readings > 0  # it did look
    assert services.endpoints.traffic == {"v2": 100}


async def test_what_is_no_alert_troubles_nobody(services: FakeServices) -> None:
    host = FakeHost(services)
    with pytest.raises(Exception, match="not-json"):
        await ingest(host.responder, Request(method="POST", body=b"{"))

    await host.run(10)

    assert services.teams.cards == []
    assert (await list_incidents(services))[0] == []
