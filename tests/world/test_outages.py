"""A part is out: what it means is said, somebody is called, and all goes on when it is back.

Nobody lends a hand: each story ends where the part's return alone must lead.
"""

from datetime import UTC, datetime

import pytest

from infra.local.played import spare
from tests.world.alerts import alert
from tests.world.stage import SERVICE, Json, Reply, Stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

SPARES = 7


async def test_without_the_bus_an_alert_is_taken_and_goes_its_way_later(stage: Stage) -> None:
    await stage.drill("bus-out")
    delivery = await stage.send(an_alert("bus-out", 0))
    assert (await stage.get(f"/api/deliveries/{delivery}"))["state"] == "accepted"
    await stage.drill("heal")
    await _ends_complete(stage, await stage.incident_of(delivery))


async def test_without_the_bus_a_person_can_still_act(stage: Stage) -> None:
    incident = await stage.fire("noted", target=spare(1))
    await _ends_complete(stage, incident)
    await stage.drill("bus-out")
    await stage.post(f"/api/incidents/{incident}/notes", {"text": "I look"})
    await stage.drill("heal")
    await _recorded(stage, incident)


async def test_without_tables_nothing_is_promised(stage: Stage) -> None:
    before = await stage.incident_of(await stage.send(an_alert("before", 2)))
    azurite = stage.world.azurite
    azurite.interrupt()
    azurite.wait_gone()
    replies = [
        await stage.ask("POST", "/api/alerts", an_alert("tables-out", 3)),
        await stage.ask("GET", "/api/incidents"),
        await stage.ask("GET", f"/api/incidents/{before}"),
        await stage.ask("POST", f"/api/incidents/{before}/acknowledge", {}),
    ]
    azurite.start()
    azurite.wait_ready()
    for reply in replies:
        _comes_later(reply)
    await _ends_complete(stage, before)
    delivery = await stage.send(an_alert("tables-out", 3))
    await _ends_complete(stage, await stage.incident_of(delivery))


async def test_without_teams_the_cards_come_later_and_once(stage: Stage) -> None:
    await stage.break_inbox(teams="outage")
    incident = await stage.fire("teams-out", target=spare(4))
    await stage.until_state(incident, "escalated")
    await stage.paged(incident)
    assert await stage.cards(incident) == []
    await stage.break_inbox(teams="none")
    await stage.until("a card", lambda: stage.cards(incident), bool)
    await _ends_complete(stage, incident)
    texts = [str(card["body"]) for card in await stage.cards(incident)]
    assert len(texts) == len(set(texts))


async def test_without_the_pager_the_fallback_is_told(stage: Stage) -> None:
    await stage.break_inbox(pager="outage")
    incident = await stage.fire("pager-out", target=spare(5))
    told = await stage.until("a webhook", lambda: stage.webhooks(incident), bool)
    await stage.break_inbox(pager="none")
    assert told[-1]["action"] == "trigger"
    assert "routing_key" not in told[-1]
    assert await stage.pages(incident) == []


async def test_without_any_pager_the_page_comes_when_one_is_back(stage: Stage) -> None:
    await stage.break_inbox(pager="outage", webhook="outage")
    incident = await stage.fire("all-pagers-out", target=spare(6))
    await stage.until_state(incident, "escalated")
    await stage.break_inbox(pager="none", webhook="none")
    await stage.paged(incident)


def an_alert(name: str, number: int) -> Json:
    """An alert about a spare target, for which no telemetry is there to judge by."""
    return alert(name, rule=name, target=spare(number), fired_at=datetime.now(UTC), severity="Sev1")


async def _ends_complete(stage: Stage, incident: str) -> None:
    """Wait until it is escalated for want of telemetry, and all of it is told and recorded."""
    await stage.until_state(incident, "escalated")
    await stage.paged(incident)
    await stage.until("a card", lambda: stage.cards(incident), bool)
    await _recorded(stage, incident)


async def _recorded(stage: Stage, incident: str) -> None:
    """Wait until the ledger has every event of the incident, each once."""

    async def look() -> tuple[set[str], list[str]]:
        view = await stage.view(incident)
        found = await stage.get(f"/api/changes?service={SERVICE}&limit=200")
        ids = [change["event"]["id"] for change in found["changes"]]
        return {event["id"] for event in view["timeline"]}, [i for i in ids if incident in i]

    _, kept = await stage.until("the ledger", look, lambda both: both[0] <= set(both[1]))
    assert len(kept) == len(set(kept))


def _comes_later(reply: Reply) -> None:
    assert reply.status == 503, reply
    assert reply.is_problem
    assert int(reply.headers["retry-after"]) >= 1
