"""A part is out: what it means is said, somebody is called, and all goes on when it is back.

Nobody posts again and nobody lends a hand: each story ends where the part's return alone must lead.
"""

from datetime import UTC, datetime

import pytest

from tests.world.alerts import alert
from tests.world.stage import Json, Reply, Stage
from tests.world.together.services import spare

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

OUTAGES = "outages"
UNPROMISED, LOST = spare(OUTAGES, 7), spare(OUTAGES, 8)


async def test_without_any_pager_tables_or_the_bus_somebody_is_woken_and_nothing_is_lost(
    stage: Stage,
) -> None:
    """What no table took cannot be promised, and what no bus brings to triage is late."""
    unheard = await _without_any_pager(stage)
    unpromised = await _without_tables(stage)
    await _without_the_bus(stage)
    await stage.until_view("the direct page in its timeline", unpromised, _tells_directly)
    await stage.until_state(unpromised, "escalated")
    await stage.paged(unheard)


async def _without_any_pager(stage: Stage) -> str:
    """Answer the incident of which nobody could be told: it is told again after a while."""
    await stage.break_inbox(pager="outage", webhook="outage")
    incident = await stage.fire("all-pagers-out", target=spare(OUTAGES, 6))
    await stage.until_state(incident, "escalated")
    await stage.break_inbox(pager="none", webhook="none")
    return incident


async def _without_tables(stage: Stage) -> str:
    """Answer the incident of the alert that was not taken: it is there once the tables are."""
    before = await stage.incident_of(await stage.send(an_alert("before", spare(OUTAGES, 0))))
    azurite = stage.world.azurite
    azurite.interrupt()
    azurite.wait_gone()
    replies = [
        await stage.ask("POST", "/api/alerts", an_alert("tables-lost", UNPROMISED)),
        await stage.ask("GET", "/api/incidents"),
        await stage.ask("GET", f"/api/incidents/{before}"),
        await stage.ask("POST", f"/api/incidents/{before}/acknowledge", {}),
    ]
    page = await _page_for(stage, UNPROMISED)
    azurite.start()
    azurite.wait_ready()
    for reply in replies:
        _comes_later(reply)
    assert "directly" in page["payload"]["custom_details"]["paged"]
    incident: str = page["dedup_key"]
    view = await stage.until("the incident", lambda: _incident(stage, incident), _is_there)
    assert view.body["incident"]["severity"] == "SEV1"
    await _ends_complete(stage, before)
    await _ends_complete(stage, await stage.fire("tables-back", target=spare(OUTAGES, 1)))
    return incident


async def _without_the_bus(stage: Stage) -> None:
    noted = await stage.fire("noted", target=spare(OUTAGES, 2))
    await _ends_complete(stage, noted)
    await stage.drill("bus-out")
    delivery = await stage.send(an_alert("bus-out", spare(OUTAGES, 3)))
    assert (await stage.get(f"/api/deliveries/{delivery}"))["state"] == "accepted"
    await stage.send(an_alert("bus-lost", LOST, severity="Sev0"))
    await stage.post(f"/api/incidents/{noted}/notes", {"text": "I look"})
    page = await _page_for(stage, LOST)
    early = await _incident(stage, page["dedup_key"])
    await stage.drill("heal")
    assert "directly" in page["payload"]["custom_details"]["paged"]
    assert early.status == 404
    await stage.until("the incident", lambda: _incident(stage, page["dedup_key"]), _is_there)
    await _ends_complete(stage, await stage.incident_of(delivery))
    await _recorded(stage, noted)


async def test_without_teams_the_cards_come_later_and_once(stage: Stage) -> None:
    await stage.break_inbox(teams="outage")
    incident = await stage.fire("teams-out", target=spare(OUTAGES, 4))
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
    incident = await stage.fire("pager-out", target=spare(OUTAGES, 5))
    told = await stage.until("a webhook", lambda: stage.webhooks(incident), bool)
    await stage.break_inbox(pager="none")
    assert told[-1]["action"] == "trigger"
    assert "routing_key" not in told[-1]
    assert await stage.pages(incident) == []


def an_alert(name: str, target: str, severity: str = "Sev1") -> Json:
    """A grave alert about a target that has no telemetry to judge by."""
    return alert(name, rule=name, target=target, fired_at=datetime.now(UTC), severity=severity)


async def _page_for(stage: Stage, target: str) -> Json:
    """The first of the pager's alerts about a target."""
    source = target.rsplit("/", 1)[-1]

    async def look() -> list[Json]:
        told: list[Json] = (await stage.get(f"{stage.at.inbox}/api/pages"))["alerts"]
        return [one for one in told if one["payload"]["source"] == source]

    return (await stage.until(f"a page about {source}", look, bool))[-1]


async def _incident(stage: Stage, name: str) -> Reply:
    return await stage.ask("GET", f"/api/incidents/{name}")


def _is_there(reply: Reply) -> bool:
    return reply.status == 200


def _tells_directly(view: Json) -> bool:
    return any(event["kind"] == "incident.paged-directly" for event in view["timeline"])


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
        found = await stage.get(f"/api/changes?service={OUTAGES}&limit=200")
        ids = [change["event"]["id"] for change in found["changes"]]
        return {event["id"] for event in view["timeline"]}, [i for i in ids if incident in i]

    _, kept = await stage.until("the ledger", look, lambda both: both[0] <= set(both[1]))
    assert len(kept) == len(set(kept))


def _comes_later(reply: Reply) -> None:
    assert reply.status == 503, reply
    assert reply.is_problem
    assert int(reply.headers["retry-after"]) >= 1
