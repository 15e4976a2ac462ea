"""The customers come, v1 earns the known good, and a pipeline ships v2: how most stories begin."""

from tests.world.stage import SERVICE, Json, Stage

ARRIVED = 75  # requests that v2 has served when it counts as the version that serves
REGION = "swedencentral"


async def earn_v1(stage: Stage) -> None:
    """Let customers come and v1 become the known good."""
    await stage.post(f"{stage.at.control}/load")
    await stage.post("/api/releases", release("v1", "p12"))
    await stage.until("v1 to earn the known good", lambda: _changes(stage), _has_earned)


async def ship_v2(stage: Stage, drill: str = "ship-v2") -> None:
    """Let the pipeline give v2 all traffic, or with another drill a share of it."""
    await stage.post("/api/releases", release("v2", "p13"))
    await stage.drill(drill)
    await stage.until("v2 to serve", stage.status, _v2_serves)


async def bad_answers(stage: Stage, count: int = 12) -> Json:
    """Wait until customers have got so many bad answers."""
    what = f"{count} bad answers"
    return await stage.until(what, stage.status, lambda status: status["bad"] >= count)


async def fired_incident(stage: Stage, rule: str = "") -> str:
    """Wait for the alert rule (or one whose name holds this) to open an incident; answer it."""

    async def look() -> list[str]:
        found = await stage.open_incidents()
        return [one["id"] for one in found if rule in one["title"]]

    return (await stage.until("an incident", look, bool))[-1]


def release(deployment: str, prompt: str) -> Json:
    """What the pipeline says of a release."""
    return {
        "service": SERVICE,
        "version": f"{deployment}-{prompt}",
        "deployment": deployment,
        "why": "as planned",
        "prompt_revision": prompt,
        "model": "gpt-4.1-2025-04-14",
        "index_version": "policy-wordings-41",
    }


async def _changes(stage: Stage) -> list[Json]:
    found: list[Json] = (await stage.get(f"/api/changes?service={SERVICE}"))["changes"]
    return found


def _has_earned(changes: list[Json]) -> bool:
    return any(change["event"]["kind"] == "known-good.earned" for change in changes)


def _v2_serves(status: Json) -> bool:
    return bool(status["by_deployment"].get("v2", 0) >= ARRIVED)
