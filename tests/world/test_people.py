"""People: paged one after another until one acknowledges, then left in peace; and they may end it.

Each target is a spare one without telemetry: its incident is escalated at once and needs a person.
"""

import msgspec
import pytest

from infra.local.issuer.identities import IDENTITIES, TENANT
from infra.local.played import spare
from tests.world.stage import QUICK, Json, Stage

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

PACE = msgspec.structs.replace(QUICK, acknowledge_within_s=10)
SPARES = 8
COMMANDER = f"{TENANT}/{IDENTITIES['commander'].object_id}"
FIRST, SECOND = "Claims AI on call", "Claims platform lead"


async def test_who_does_not_acknowledge_is_followed_by_the_next(stage: Stage) -> None:
    incident = await stage.fire("nobody-answers", target=spare(0))
    view = await stage.until_view("three pages", incident, lambda v: len(_pages(v)) >= 3)
    assert _contacts(view)[:3] == [FIRST, SECOND, FIRST]
    alerts = await stage.paged(incident)
    assert len({alert["contact"] for alert in alerts}) == 2
    assert {alert["dedup_key"] for alert in alerts} == {incident}


async def test_who_acknowledges_is_the_last_one_paged(stage: Stage) -> None:
    incident = await stage.fire("seen", target=spare(1))
    await stage.until_state(incident, "escalated")
    await stage.paged(incident)
    await _act(stage, incident, "acknowledge")
    seen = _contacts(await stage.view(incident))
    await _ladder_of_another(stage, "another-one", spare(6), rungs=3)
    view = await stage.view(incident)
    assert _contacts(view) == seen
    assert view["incident"]["acknowledged_by"] == COMMANDER
    assert view["incident"]["state"] == "escalated"


async def test_a_second_acknowledgement_is_told_of_the_first(stage: Stage) -> None:
    incident = await stage.fire("seen-twice", target=spare(2))
    await stage.paged(incident)
    await _act(stage, incident, "acknowledge")
    path = f"/api/incidents/{incident}/acknowledge"
    reply = await stage.ask("POST", path, {}, who="responder")
    assert reply.status == 409
    assert COMMANDER in reply.body["detail"]


async def test_a_person_takes_command_writes_and_resolves(stage: Stage) -> None:
    incident = await stage.fire("handled", target=spare(3))
    await stage.until_state(incident, "escalated")
    await _act(stage, incident, "command")
    await _act(stage, incident, "notes", text="The index was rebuilt.")
    await _act(stage, incident, "severity", severity="SEV2", why="few customers")
    await _act(stage, incident, "resolve", why="the index is back")
    view = await stage.view(incident)
    told = view["incident"]
    assert (told["state"], told["commander"], told["severity"]) == ("resolved", COMMANDER, "SEV2")
    assert told["notes"][0]["text"] == "The index was rebuilt."
    kinds = [event["kind"] for event in view["timeline"]]
    assert kinds[-1].endswith("resolved")
    assert [event["sequence"] for event in view["timeline"]] == list(range(1, len(kinds) + 1))


async def test_a_resolved_incident_is_not_listed_and_pages_nobody(stage: Stage) -> None:
    incident = await stage.fire("over", target=spare(4))
    await stage.until_state(incident, "escalated")
    await _act(stage, incident, "resolve", why="a false alarm")
    pages = _contacts(await stage.view(incident))
    await _ladder_of_another(stage, "not-over", spare(7), rungs=2)
    assert _contacts(await stage.view(incident)) == pages
    assert incident not in [one["id"] for one in await stage.open_incidents()]
    reply = await stage.ask("POST", f"/api/incidents/{incident}/acknowledge", {})
    assert reply.status == 409
    assert reply.is_problem


async def test_the_same_trouble_after_its_end_is_a_new_incident(stage: Stage) -> None:
    first = await stage.fire("comes-back", target=spare(5))
    await _act(stage, first, "resolve", why="it was fixed")
    again = await stage.fire("comes-back", target=spare(5))
    assert again != first


async def _act(stage: Stage, incident: str, action: str, **said: str) -> None:
    await stage.post(f"/api/incidents/{incident}/{action}", said)


async def _ladder_of_another(stage: Stage, name: str, target: str, *, rungs: int) -> None:
    """Wait while another incident's ladder goes up: in that time this one's could have, too."""
    other = await stage.fire(name, target=target)
    await stage.until_view(f"{rungs} pages", other, lambda view: len(_pages(view)) >= rungs)
    await _act(stage, other, "resolve", why="served its purpose")


def _pages(view: Json) -> list[Json]:
    found: list[Json] = view["incident"]["pages"]
    return found


def _contacts(view: Json) -> list[str]:
    return [page["contact"] for page in _pages(view)]
