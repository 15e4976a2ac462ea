"""The second incident: a service in mode `approve` waits for a person, who is not the one who asks.

No alert rule sees this trouble. A responder asks for a rollback, policy makes the plan and lets it
wait, and somebody else decides about that very plan on its page: whoever watches the terminal, or
the scripted person where nobody does.
"""

import asyncio
from typing import Any

import msgspec

from infra.local.demo import person
from infra.local.demo.client import Client
from infra.local.demo.screen import Screen
from infra.local.foundry.seed import SECOND
from infra.local.issuer.identities import PEOPLE, TENANT
from infra.local.world import World

ENDED = ("mitigated", "escalated", "resolved")
CURED = "incident.mitigated"
REASON = "storm claims reach the wrong desk"
PATIENCE_S = 60  # for somebody at the terminal


class Approved(msgspec.Struct, kw_only=True):
    """What was seen of it; filled in step by step. `by_script`: nobody came to the page in time."""

    incident: str = ""
    link: str = ""
    by_script: bool = False
    view: dict[str, Any] = {}
    traffic: dict[str, int] = {}

    @property
    def approved_by(self) -> str:
        """The id of who approved, as the incident's timeline tells it; "" where nobody did."""
        told = self.view.get("timeline", [])
        return next((one["actor"] for one in told if one["kind"] == "approval.given"), "")

    @property
    def outcome(self) -> str:
        """How it ended; "none" where it never began."""
        return outcome_of(self.view.get("incident", {}))


class Approving:
    """Plays the second incident; what is seen is written into `seen`."""

    def __init__(self, world: World, client: Client, screen: Screen, seen: Approved) -> None:
        self._world = world
        self._client = client
        self._screen = screen
        self._seen = seen

    async def play(self) -> None:
        """Play it to its end. Raises Stuck where something never happened."""
        self._screen.act(5, "A person decides")
        self._client.shown = SECOND
        await self._ship()
        await self._ask()
        await self._decide()
        await self._watch()

    async def _ship(self) -> None:
        say, client = self._screen.fact, self._client
        await client.until("claim-routing's known good", self._changes, _earned, 40)
        await client.post("/api/releases", release("v2", "r5", "fewer desks to choose from"))
        await client.drill("ship-second-v2")
        await client.until("v2 to take traffic", self._status, _v2_serves, 20)
        say(f"{SECOND} is in mode approve; its pipeline has moved all traffic to v2")

    async def _ask(self) -> None:
        say, client = self._screen.fact, self._client
        wanted = {"service": SECOND, "reason": REASON}
        asked = await client.post("/api/rollbacks", wanted, who="responder")
        self._seen.incident = asked["incident"]
        say(f"no alert fires, but a responder asks for a rollback: {REASON}")
        found = await client.until("a plan that waits", self._view, _waits, 40)
        decision = found["decision"]
        for rule in decision["rules"]:
            if not rule["passed"]:
                say(f"  FAIL {rule['rule']}: {rule['observed']} (required {rule['required']})")
        self._seen.link = f"/approvals/{await self._approval()}"
        say("the plan waits for another person; nothing is moved until then:", "bold")
        say(f"  {self._world.addresses.api}{self._seen.link}", "bold")

    async def _decide(self) -> None:
        say = self._screen.fact
        if self._screen.is_terminal:
            say(f"open it and sign in as Local approver; after {PATIENCE_S} s a script does it")
            await self._wait_for_somebody()
            self._screen.still()
        if _waits(await self._view()):
            say("a scripted second person signs in, opens the page and sends its form")
            self._seen.by_script = True
            api, reason = self._world.addresses.api, "I have seen the misrouted claims"
            await person.approve(api, self._seen.link, person="approver", reason=reason)

    async def _wait_for_somebody(self) -> None:
        for left in range(PATIENCE_S, 0, -1):
            if not _waits(await self._view()):
                return
            self._screen.waits(left, "for a decision on that page")
            await asyncio.sleep(1)

    async def _watch(self) -> None:
        say, client = self._screen.fact, self._client
        view = await client.until("an end", self._view, _ended, 60)
        self._seen.view, self._seen.traffic = view, (await self._status())["traffic"]
        for told in view["timeline"]:
            if told["kind"].startswith("approval.") and told["kind"] != "approval.requested":
                who = f"{name_of(told['actor'])} as {told['role']}"
                say(f"{told['what']}, by {who}: {told['why']}", "green")
        last = next((one for one in view["timeline"] if one["kind"] == CURED), view["timeline"][-1])
        say(f"then: {self._seen.outcome}. {last['why']}")

    async def _approval(self) -> str:
        every = (await self._client.get("/api/approvals"))["approvals"]
        return str(next(one["id"] for one in every if one["incident"] == self._seen.incident))

    async def _changes(self) -> dict[str, Any]:
        return await self._client.get(f"/api/changes?service={SECOND}")

    async def _status(self) -> dict[str, Any]:
        return await self._client.status(SECOND)

    async def _view(self) -> dict[str, Any]:
        return await self._client.get(f"/api/incidents/{self._seen.incident}")


def release(deployment: str, prompt: str, why: str) -> dict[str, Any]:
    """What the pipeline of the second service declares."""
    return {
        "service": SECOND,
        "version": f"{deployment}-{prompt}",
        "deployment": deployment,
        "why": why,
        "prompt_revision": prompt,
        "model": "gpt-4.1-2025-04-14",
    }


def outcome_of(incident: dict[str, Any]) -> str:
    """Where an incident stands; one that was mitigated stays so when it is resolved after that."""
    state = str(incident.get("state", "none"))
    return "mitigated" if state == "resolved" and incident.get("recovered_at") else state


def name_of(person: str) -> str:
    """The name of a local person by the id that events carry; the id of anybody else."""
    return next((p.name for p in PEOPLE if f"{TENANT}/{p.object_id}" == person), person)


def _earned(changes: dict[str, Any]) -> bool:
    return any(one["event"]["kind"] == "known-good.earned" for one in changes["changes"])


def _v2_serves(status: dict[str, Any]) -> bool:
    return bool(status["by_deployment"].get("v2"))


def _waits(view: dict[str, Any]) -> bool:
    return bool(view["incident"]["state"] == "waiting")


def _ended(view: dict[str, Any]) -> bool:
    return view["incident"]["state"] in ENDED
