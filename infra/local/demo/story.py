"""The first incident, four acts; then the second and the evidence, told in rooms of their own.

Everything said here was observed: from the API, the customers, or the ledger.
"""

import asyncio
from datetime import datetime
from typing import Any

from infra.local.demo.approving import Approving, release
from infra.local.demo.client import Client
from infra.local.demo.exporting import Exporting
from infra.local.demo.proof import Proof, prove
from infra.local.demo.screen import Screen
from infra.local.demo.seen import Seen
from infra.local.foundry.seed import BAD_REGION, SERVICE
from infra.local.world import World

DONE = ("mitigated", "escalated", "resolved")


class Story:
    """Plays one incident in a running world."""

    def __init__(self, world: World, client: Client, screen: Screen, began: datetime) -> None:
        self._world = world
        self._client = client
        self._screen = screen
        self._began = began
        self.seen = Seen()

    async def play(self) -> Seen:
        """Play all acts; without a cure of the first incident, its four alone.

        Raises Stuck where something never happened.
        """
        await self._it_breaks()
        await self._it_is_found()
        await self._the_plug_is_pulled()
        await self._the_proof()
        if self.seen.outcome == "mitigated":
            await self._the_second_incident()
        return self.seen

    async def _the_second_incident(self) -> None:
        seen, parts = self.seen, (self._world, self._client, self._screen)
        await Approving(*parts, seen.second).play()
        assert seen.proof is not None, "the first incident was proven"
        incidents = [seen.incident, seen.second.incident]
        await Exporting(*parts, seen.evidence).play(incidents, self._began, seen.proof.key)

    async def _it_breaks(self) -> None:
        say, client = self._screen.fact, self._client
        self._screen.act(1, "It breaks")
        await client.start_load()
        await client.post("/api/releases", _release("v1", "p12", "the version of last month"))
        await client.post("/api/releases", release("v1", "r4", "all desks"))
        soak = self._world.pace.soak_s
        say(f"customers call; v1 serves and soaks ({soak} s here, 24 h in production)")
        await client.until("v1 to earn the known good", self._changes, _earned, 90)
        say("v1 has earned the known good: requests, objectives and probes", "green")
        await client.post("/api/releases", _release("v2", "p13", "shorter summaries"))
        await client.drill("ship-v2")
        await client.until("v2 to take traffic", client.status, _v2_serves, 20)
        say("the release pipeline has moved all traffic to v2")
        status = await client.until("v2 to fail", client.status, _failing, 60)
        self.seen.first_bad_at = status["first_bad_at"]
        say(f"{BAD_REGION} begins to fail; {_tolerable(status)}", "yellow")

    async def _it_is_found(self) -> None:
        say, client = self._screen.fact, self._client
        self._screen.act(2, "It is found")
        found = await client.until("an alert", self._open, bool, 60)
        self.seen.incident = found[0]["id"]
        say(f"the burn-rate rule fired for one region: {self.seen.incident}, {found[0]['title']}")
        view = await client.until("a decision", self._view, lambda v: bool(v["decision"]), 40)
        diagnosis, decision = view["diagnosis"], view["decision"]
        say(diagnosis["sentence"], "yellow")
        for sentence in diagnosis["ruled_out"][:4]:
            say(f"ruled out: {sentence}", "dim")
        passed = sum(rule["passed"] for rule in decision["rules"])
        verdict = decision["verdict"].replace("_", " ")
        say(f"decided: {verdict}; {passed} of {len(decision['rules'])} rules pass", "bold")
        for rule in decision["rules"]:
            if rule["rule"] in SHOWN or not rule["passed"]:
                mark = "pass" if rule["passed"] else "FAIL"
                say(f"  {mark} {rule['rule']}: {rule['observed']} (required {rule['required']})")

    async def _the_plug_is_pulled(self) -> None:
        say, client = self._screen.fact, self._client
        self._screen.act(3, "The plug is pulled")
        view = await self._view()
        if view["decision"]["verdict"] == "roll_back":
            await client.until("the intent", self._view, _intended, 30)
            await client.until("the write to reach ARM", client.status, _written, 15)
            self._world.executor.kill()
            self.seen.killed = True
            say("the executor is killed (SIGKILL) between intent and confirm", "red")
            self._world.executor.start()
            say("a new one starts; it waits for the dead one's lease, then reads before it writes")
        view = await client.until("the end of the intent", self._view, _ended, 60)
        say(view["incident"]["sentence"], "bold")
        state = (view["intent"] or {}).get("state", "none")
        self.seen.intended_changes = len(self._rollbacks(await client.status()))
        say(f"intent {state}; intended changes: {self.seen.intended_changes}")
        view = await client.until(
            "verification", self._view, lambda v: v["incident"]["state"] in DONE, 60
        )
        self.seen.view = view
        say(f"verified: {view['incident']['state']}. {view['timeline'][-1]['why']}")

    async def _the_proof(self) -> None:
        say, client = self._screen.fact, self._client
        self._screen.act(4, "The proof")
        view, incident = self.seen.view, self.seen.incident
        after = _epoch(view["incident"]["opened_at"])
        self.seen.restored_at = await client.recovered(after, "v1", BAD_REGION)
        was, now = view["incident"]["before"], view["incident"]["after"]
        say(f"traffic before: {_split(was)}; after: {_split(now)}")
        affected = await client.get(f"/api/incidents/{incident}/affected?limit=1000")
        self.seen.affected = sum(not row["success"] for row in affected["operations"])
        await client.until("the cards", client.cards, lambda cards: len(cards) >= 2, 20)
        self.seen.proof = await self._wait_for_ledger()
        proof = self.seen.proof
        say(
            f"ledger: {proof.events} events, chain {'verified' if proof.verified else 'BROKEN'}, "
            f"{len(proof.missing)} of the incident's missing"
        )
        say(f"{proof.seals} seals vouch for it, signed by key {proof.key}")
        say(f"one byte of record {proof.altered} is altered: {_caught(proof)}")
        self.seen.cards = len(await client.cards())
        self.seen.pages = len(await client.pages())
        self.seen.view = await self._view()
        self.seen.status = await client.status()

    async def _wait_for_ledger(self) -> Proof:
        """The ledger follows the fan-out: give the last events a moment, and let it stand still."""
        for _ in range(40):
            proof = await prove(self._world, self.seen.incident)
            if proof.verified and not proof.missing:
                break
            await asyncio.sleep(0.25)
        return proof

    async def _changes(self) -> dict[str, Any]:
        return await self._client.get(f"/api/changes?service={SERVICE}")

    async def _open(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._client.get("/api/incidents"))["incidents"]
        return found

    async def _view(self) -> dict[str, Any]:
        return await self._client.get(f"/api/incidents/{self.seen.incident}")

    @staticmethod
    def _rollbacks(status: dict[str, Any]) -> list[dict[str, Any]]:
        """The distinct bodies of the traffic writes that followed the pipeline's own."""
        bodies = [change["traffic"] for change in status["changes"][1:]]
        return [body for n, body in enumerate(bodies) if body not in bodies[:n]]


SHOWN = ("cause-is-version", "target-probe-passes", "burn-rate", "known-good-exists")


def _release(version: str, prompt: str, why: str) -> dict[str, Any]:
    return {
        "service": SERVICE,
        "version": f"{version}-{prompt}",
        "deployment": version,
        "why": why,
        "prompt_revision": prompt,
        "model": "gpt-4.1-2025-04-14",
        "index_version": "policy-wordings-41",
    }


def _earned(changes: dict[str, Any]) -> bool:
    return any(c["event"]["kind"] == "known-good.earned" for c in changes["changes"])


def _v2_serves(status: dict[str, Any]) -> bool:
    return bool(status["by_deployment"].get("v2"))


def _failing(status: dict[str, Any]) -> bool:
    recent = status["recent"].get(BAD_REGION, {"all": 0, "good": 0})
    return bool(status["first_bad_at"]) and recent["all"] - recent["good"] >= 3


def _tolerable(status: dict[str, Any]) -> str:
    every = sum(counts["all"] for counts in status["recent"].values())
    good = sum(counts["good"] for counts in status["recent"].values())
    return f"over all regions {100 * good / every:.1f} % of answers are still good"


def _intended(view: dict[str, Any]) -> bool:
    return bool(view["intent"]) or view["incident"]["state"] in DONE


def _written(status: dict[str, Any]) -> bool:
    return len(status["changes"]) > 1 or status["refused_writes"] > 0


def _ended(view: dict[str, Any]) -> bool:
    intent = view["intent"]
    return view["incident"]["state"] in DONE or (bool(intent) and intent["state"] != "open")


def _caught(proof: Proof) -> str:
    if proof.named == proof.altered:
        return "the verification names that very record"
    return f"the verification names {proof.named or 'nothing'}"


def _split(traffic: dict[str, int]) -> str:
    served = sorted((name, share) for name, share in traffic.items() if share)
    return ", ".join(f"{name} {share} %" for name, share in served) or "unknown"


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
