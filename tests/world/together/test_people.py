"""People: paged one after another until one acknowledges, then left in peace; and they may end it.

Each target is a spare one without telemetry: its incident is escalated at once and needs a person.
What must not happen is looked for while another incident's ladder goes up: in that time it could.
"""

import pytest

from infra.local.issuer.identities import IDENTITIES, TENANT
from tests.world.stage import Json, Stage
from tests.world.together.services import spare

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

PEOPLE = "people"
COMMANDER = f"{TENANT}/{IDENTITIES['commander'].object_id}"
FIRST, SECOND = "Claims AI on call", "Claims platform lead"


async def test_who_does_not_acknowledge_is_followed_and_who_does_is_the_last(stage: Stage) -> None:
    seen, over = await _seen(stage), await _over(stage)
    incident = await stage.fire("nobody-answers", target=spare(PEOPLE, 0))
    view = await stage.until_view("two pages", incident, lambda v: len(_pages(v)) >= 2)
    assert _contacts(view)[:2] == [FIRST, SECOND]
    await stage.until("both at the pager", lambda: stage.pages(incident), _of_two)

    await _was_left_in_peace(stage, seen)
    assert seen["incident"]["acknowledged_by"] == COMMANDER
    assert seen["incident"]["state"] == "escalated"
    await _was_left_in_peace(stage, over)
    assert over["incident"]["id"] not in [one["id"] for one in await stage.open_incidents()]
    path = f"/api/incidents/{over['incident']['id']}/acknowledge"
    reply = await stage.ask("POST", path, {})
    assert reply.status == 409
    assert reply.is_problem


async def _seen(stage: Stage) -> Json:
    """An incident that was acknowledged."""
    incident = await stage.fire("seen", target=spare(PEOPLE, 1))
    await stage.until_state(incident, "escalated")
    await stage.paged(incident)
    await _act(stage, incident, "acknowledge")
    return await stage.view(incident)


async def _over(stage: Stage) -> Json:
    """An incident that was resolved."""
    incident = await stage.fire("over", target=spare(PEOPLE, 4))
    await stage.until_state(incident, "escalated")
    await _act(stage, incident, "resolve", why="a false alarm")
    return await stage.view(incident)


async def _was_left_in_peace(stage: Stage, view: Json) -> None:
    """Nobody was paged about it since, and it stands where it stood."""
    now = await stage.view(view["incident"]["id"])
    assert _contacts(now) == _contacts(view)
    assert now["incident"]["state"] == view["incident"]["state"]


async def test_a_second_acknowledgement_is_told_of_the_first(stage: Stage) -> None:
    incident = await stage.fire("seen-twice", target=spare(PEOPLE, 2))
    await stage.paged(incident)
    await _act(stage, incident, "acknowledge")
    path = f"/api/incidents/{incident}/acknowledge"
    reply = await stage.ask("POST", path, {}, who="responder")
    assert reply.status == 409
    assert COMMANDER in reply.body["detail"]


async def test_a_person_takes_command_writes_and_resolves(stage: Stage) -> None:
    incident = await stage.fire("handled", target=spare(PEOPLE, 3))
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


async def test_the_same_trouble_after_its_end_is_a_new_incident(stage: Stage) -> None:
    first = await stage.fire("comes-back", target=spare(PEOPLE, 5))
    await _act(stage, first, "resolve", why="it was fixed")
    again = await stage.fire("comes-back", target=spare(PEOPLE, 5))
    assert again != first


async def _act(stage: Stage, incident: str, action: str, **said: str) -> None:
    await stage.post(f"/api/incidents/{incident}/{action}", said)


def _of_two(alerts: list[Json]) -> bool:
    return len({alert["contact"] for alert in alerts}) == 2


def _pages(view: Json) -> list[Json]:
    found: list[Json] = view["incident"]["pages"]
    return found


def _contacts(view: Json) -> list[str]:
    return [page["contact"] for page in _pages(view)]
