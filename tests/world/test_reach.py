"""A grave alert reaches a human while a part is out, and becomes an incident when it is back.

Nobody posts again and nobody lends a hand: the part's return alone must lead there.
"""

from datetime import UTC, datetime

import pytest

from tests.world.alerts import FNOL, SEARCH, alert
from tests.world.stage import Json, Reply, Stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

WITHIN_S = 60.0


async def test_without_tables_and_then_without_the_bus_somebody_is_woken(stage: Stage) -> None:
    """What no table took cannot be promised, and what no bus brings to triage is late."""
    unpromised = await _is_woken_without_tables(stage)
    await _is_woken_without_the_bus(stage, but_for=unpromised)

    await stage.until_view("the direct page in its timeline", unpromised, _tells_directly)
    await stage.until_state(unpromised, "escalated")


async def _is_woken_without_tables(stage: Stage) -> str:
    """Answer the incident, which is there once the tables are."""
    azurite = stage.world.azurite
    azurite.interrupt()
    azurite.wait_gone()
    reply = await stage.ask("POST", "/api/alerts", grave("tables-lost"))
    page = await _page(stage)
    name: str = page["dedup_key"]
    azurite.start()
    azurite.wait_ready()

    assert (reply.status, int(reply.headers["retry-after"]) >= 1) == (503, True)
    assert "directly" in page["payload"]["custom_details"]["paged"]
    view = await stage.until("the incident", lambda: _incident(stage, name), _is_there)
    assert view.body["incident"]["severity"] == "SEV1"
    return name


async def _is_woken_without_the_bus(stage: Stage, *, but_for: str) -> None:
    await stage.drill("bus-out")
    await stage.send(grave("bus-lost", target=SEARCH, severity="Sev0"))

    page = await _page(stage, but_for)
    name = page["dedup_key"]
    early = await _incident(stage, name)
    await stage.drill("heal")

    assert "directly" in page["payload"]["custom_details"]["paged"]
    assert early.status == 404
    await stage.until("the incident", lambda: _incident(stage, name), _is_there)


def grave(name: str, *, target: str = FNOL, severity: str = "Sev1") -> Json:
    """An alert that is SEV1 for the service that owns the target."""
    return alert(name, rule=name, target=target, fired_at=datetime.now(UTC), severity=severity)


async def _page(stage: Stage, but_for: str = "") -> Json:
    """The first alert at the pager about another incident, within the time that is promised."""

    async def look() -> list[Json]:
        told: list[Json] = (await stage.get(f"{stage.at.inbox}/api/pages"))["alerts"]
        return [one for one in told if one["dedup_key"] != but_for]

    return (await stage.until("a page", look, bool, WITHIN_S))[-1]


async def _incident(stage: Stage, name: str) -> Reply:
    return await stage.ask("GET", f"/api/incidents/{name}")


def _is_there(reply: Reply) -> bool:
    return reply.status == 200


def _tells_directly(view: Json) -> bool:
    return any(event["kind"] == "incident.paged-directly" for event in view["timeline"])
