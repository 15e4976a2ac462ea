"""However often and in whatever order alerts come: one incident a target, and nothing is lost."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest

from tests.world.alerts import NOBODYS, alert
from tests.world.stage import Json, Stage
from tests.world.together.services import spare

pytestmark = [pytest.mark.world, pytest.mark.timeout(240)]

CALLERS = 32
SETTLED_S = 120.0
STORM = 10  # different alerts of one service
FINAL = {"opened", "joined", "resolved", "remembered", "suppressed"}
BEGAN = datetime.now(UTC) - timedelta(hours=2)


async def test_two_hundred_deliveries_of_one_alert_are_one_incident(stage: Stage) -> None:
    body = alert("again", rule="again", target=f"{NOBODYS}-again", fired_at=BEGAN)
    answers = await _post_all(stage, [body] * 200)
    assert Counter(answer["status"] for answer in answers) == {"accepted": 1, "duplicate": 199}
    assert len({answer["delivery"] for answer in answers}) == 1
    incident = await stage.incident_of(answers[0]["delivery"])
    view = await stage.view(incident)
    assert view["incident"]["alerts"] == 1
    assert len(view["timeline"]) == 1


async def test_a_storm_of_twenty_targets_is_twenty_incidents_and_none_is_lost(
    stage: Stage,
) -> None:
    bodies = [
        _trouble(key, turn, target=f"{NOBODYS}-{key}") for key in range(20) for turn in range(5)
    ]
    answers = await _post_all(stage, _shuffled(bodies, copies=4))
    new = {answer["delivery"] for answer in answers if answer["status"] == "accepted"}
    assert len(new) == len({answer["delivery"] for answer in answers}) == 100
    deliveries = [await _settled(stage, key) for key in sorted(new)]
    assert {found["state"] for found in deliveries} <= FINAL
    incidents = {found["incident"] for found in deliveries}
    assert len(incidents) == 20
    views = await asyncio.gather(*(stage.view(incident) for incident in incidents))
    assert sum(view["incident"]["alerts"] for view in views) == 100
    await _is_listed(stage, incidents)


async def test_all_that_is_told_of_one_target_is_one_incident(stage: Stage) -> None:
    bodies = [_trouble(key, turn, target=spare("rain", 0)) for key in range(5) for turn in range(4)]
    answers = await _post_all(stage, _shuffled(bodies, copies=3))
    keys = {answer["delivery"] for answer in answers}
    deliveries = [await _settled(stage, key) for key in sorted(keys)]
    (incident,) = {found["incident"] for found in deliveries}
    view = await stage.until_view("a decision", incident, lambda v: v["decision"], SETTLED_S)
    assert view["decision"]["verdict"] != "roll_back"
    assert view["incident"]["alerts"] == 20
    assert view["intent"] is None


async def test_a_storm_at_one_service_has_one_page_and_freezes_it(stage: Stage) -> None:
    now = datetime.now(UTC)
    bodies = [
        alert(
            f"raging-{key}",
            rule=f"raging-{key}",
            target=spare("storms", 0),
            fired_at=now,
            severity="Sev3",
        )
        for key in range(STORM)
    ]
    answers = await _post_all(stage, bodies)
    deliveries = [await _settled(stage, answer["delivery"]) for answer in answers]
    told = [found["rule"] for found in deliveries if "storm: " in found["rule"]]
    assert told
    telling = await stage.until("the storm's incident", lambda: _storms(stage), bool)
    assert len(telling) == 1
    await stage.paged(telling[0]["id"])
    (trouble,) = {found["incident"] for found in deliveries}
    held = (await stage.view(trouble))["incident"]["quiet"]
    assert [quiet["rule"] for quiet in held] == ["storm"]


async def _storms(stage: Stage) -> list[Json]:
    return [
        one for one in await stage.open_incidents() if one["storm"] and one["service"] == "storms"
    ]


@pytest.mark.parametrize("order", [1, 2, 3])
async def test_ends_that_overtake_their_beginnings_leave_nothing_open(
    stage: Stage, order: int
) -> None:
    rule = f"overtaken-{order}"
    bodies = [
        alert(
            f"{rule}-{turn}",
            rule=rule,
            target=f"{NOBODYS}-{rule}",
            fired_at=BEGAN + turn * timedelta(minutes=10),
            resolved_at=BEGAN + turn * timedelta(minutes=10) + after if after else None,
        )
        for turn in range(6)
        for after in (None, timedelta(minutes=5))
    ]
    Random(order).shuffle(bodies)  # noqa: S311 - repeatable
    answers = await _post_all(stage, bodies)
    found = [await _settled(stage, answer["delivery"]) for answer in answers]
    incidents = {one["incident"] for one in found if one["incident"]}
    views = [await stage.view(incident) for incident in incidents]
    assert [v["incident"]["state"] for v in views] == ["resolved"] * len(views)


def _trouble(key: int, turn: int, *, target: str = NOBODYS) -> Json:
    """The same trouble for the same key, told again at each turn."""
    name = target.rsplit("/", 1)[-1]
    return alert(
        f"storm-{name}-{key}-{turn}",
        rule="storm",
        target=target,
        dimensions={"shard": str(key)},
        fired_at=BEGAN + turn * timedelta(minutes=1),
    )


def _shuffled(bodies: list[Json], *, copies: int) -> list[Json]:
    """All bodies so many times, out of order."""
    found = bodies * copies
    Random(5).shuffle(found)  # noqa: S311 - repeatable
    return found


async def _post_all(stage: Stage, bodies: list[Json]) -> list[Json]:
    """Post all, some at a time; each must be accepted."""
    lanes = asyncio.Semaphore(CALLERS)

    async def one(body: bytes) -> Json:
        async with lanes:
            reply = await stage.ask("POST", "/api/alerts", raw=body)
            assert reply.status == 202, reply
            found: Json = reply.body
            return found

    return await asyncio.gather(*(one(msgspec.json.encode(body)) for body in bodies))


async def _settled(stage: Stage, delivery: str) -> Json:
    """Where the alert went, once that is known."""
    found: Json = await stage.until(
        f"delivery {delivery} to be taken",
        lambda: stage.get(f"/api/deliveries/{delivery}"),
        lambda answer: answer["state"] != "accepted",
        SETTLED_S,
    )
    return found


async def _is_listed(stage: Stage, incidents: set[str]) -> None:
    """Page through the list: each incident is in it once."""
    listed: list[str] = []
    after = ""
    while True:
        page = await stage.get(f"/api/incidents?limit=20&after={after}")
        listed += [one["id"] for one in page["incidents"]]
        after = page["next"]
        if not after:
            break
    assert len(listed) == len(set(listed))
    assert incidents <= set(listed)
