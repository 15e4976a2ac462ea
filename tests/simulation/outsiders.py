"""Everybody outside of Backstop: Azure Monitor, pipelines, people, the platform, outages."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from responders.alert.ingest import ingest
from responders.alert.signal import take_signal
from responders.people.control import set_kill_switch
from responders.people.freeze import set_freeze
from shared.domain.authority.caller import AppRole
from shared.domain.incidents.stall import STEPS
from shared.domain.message import CHANGES, WORK, Message
from shared.domain.views.http import Request
from shared.errors import Unavailable
from tests.fakes.callers import app, person
from tests.fakes.services import Outside
from tests.simulation import scenario
from tests.simulation.deciders import decide_when_asked
from tests.simulation.faults import Deploy, Faults
from tests.simulation.referee import Referee
from tests.simulation.scene import Scene
from tests.simulation.scheduler import Scheduler
from tests.simulation.world import World

REBORN_AFTER_S = 15.0
ALERTS = ((1, 0.0), (1, 3.0), (2, 9.0))  # (rule, second): one comes twice, another joins late
PAUSES_S = (5, 20, 5, 40, 5, 0)  # of an action group that was answered 503, or nothing
GARBAGE = b'{"schemaId": "azureMonitorCommonAlertSchema", "data": 7}'
ISSUED = Counter(STEPS.values()) + Counter(["diagnose"])  # a second alert asks for it as well
OPERATION_POLLS = 4  # so many readings show a pipeline's operation in flight


class Outsiders:
    """They do what the seed's faults say, to one world that a referee watches."""

    def __init__(self, scene: Scene, faults: Faults, scheduler: Scheduler) -> None:
        self.scene = scene
        self.faults = faults
        self.scheduler = scheduler
        self.outside = scenario.new_outside(scheduler, scene)
        self.referee = Referee(self.outside, scheduler, scene)
        self.world = World(
            self.outside, scheduler, scenario.KEYS, self.referee.received, faults.again
        )
        self.refused = 0
        self.posting = 0
        self._lost: Counter[tuple[str, str]] = Counter()

    def _arm(self) -> None:
        """Put the faults in their places."""
        scheduler, faults, outside = self.scheduler, self.faults, self.outside
        scheduler.kill_at = set(faults.kills)
        scheduler.stop_at = dict(faults.stops)
        outside.endpoints.fates.extend(faults.fates)
        outside.bus.loses = self._loses
        for turn in faults.lost_answers:
            self._at(turn, self._lose_answer)
        for deploy in faults.deploys:
            self._at(deploy.turn, partial(self._deploy, deploy))
        if faults.switch is not None:
            self._at(faults.switch, lambda: self.world.spawn_outside(self._turn_switch()))
        if faults.freeze is not None:
            self._at(faults.freeze, lambda: self.world.spawn_outside(self._freeze()))

    def _loses(self, topic: str, message: Message) -> bool:
        """Whether the bus loses a message: what Backstop issues by itself, not what it repeats."""
        if topic != WORK or message.subject not in self.faults.losses:
            return False
        name = (message.subject, message.body)
        self._lost[name] += 1
        return self._lost[name] <= ISSUED[message.subject]

    def _at(self, turn: int, happen: Callable[[], None]) -> None:
        self.scheduler.at_turn.setdefault(turn, []).append(happen)

    def _lose_answer(self) -> None:
        self.outside.state.lost_answers += 1
        self.scheduler.tell("outside", "the next answer of the state table is lost")

    def _deploy(self, deploy: Deploy) -> None:
        """A pipeline writes to the endpoint."""
        endpoints = self.outside.endpoints
        if not deploy.unseen:
            endpoints.start_operation(OPERATION_POLLS)
        endpoints.change(traffic=dict(deploy.traffic) or None)
        endpoints.stale = deploy.unseen
        self.scheduler.tell(
            "outside", f"a pipeline deploys; traffic {deploy.traffic or 'as it was'}"
        )

    def _actors(self) -> list[Awaitable[None]]:
        acts: list[Awaitable[None]] = [self._rebirths(), self._after(1.0, self._poison)]
        acts += [self._after(at, partial(self._post, number)) for number, at in ALERTS]
        acts += [self._outage(*outage) for outage in self.faults.outages]
        acts += [decide_when_asked(self.world, *one) for one in self.scene.people]
        return acts

    async def _after(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        self.posting += 1
        await asyncio.sleep(seconds)
        await act()
        self.posting -= 1

    async def _post(self, number: int) -> None:
        """Azure Monitor posts an alert, or the service a signal, again after 503 or silence."""
        told = scenario.signal if self.scene.by_signal else scenario.body
        delivery = await self._send(told(number))
        if delivery:
            self.referee.answered(delivery)

    async def _send(self, body: bytes) -> str:
        """The delivery's id; "" where every retry failed, or the body was refused."""
        sender = app(AppRole.SIGNAL, app_id=scenario.APP)
        request = Request(method="POST", body=body, caller=sender)
        take = take_signal if self.scene.by_signal else ingest
        for wait in PAUSES_S:
            answer = await self.world.ask(take, request)
            if answer is not None and answer.status == 202:
                return str(msgspec.json.decode(answer.body)["delivery"])
            if answer is not None and answer.status == 400:
                self.refused += 1
                return ""
            await asyncio.sleep(wait)
        return ""

    async def _poison(self) -> None:
        """What nobody can take: a body that is no alert, a command without its delivery."""
        await self._send(GARBAGE)
        for topic, subject in ((WORK, "triage"), (CHANGES, "nonsense")):
            poison = Message(subject=subject, body="261123-f0", message_id=f"poison {subject}")
            while True:
                try:
                    await self.outside.bus.publish(topic, [poison])
                except Unavailable:
                    await asyncio.sleep(5.0)
                else:
                    break

    async def _turn_switch(self) -> None:
        asked = {"scope": "*", "on": True, "reason": "a drill"}
        kim = person(AppRole.COMMANDER)
        request = Request(method="POST", body=msgspec.json.encode(asked), caller=kim)
        self.scheduler.tell("outside", "a person turns the kill switch on")
        await self.world.ask(set_kill_switch, request)

    async def _freeze(self) -> None:
        asked = {"scope": "*", "on": True, "reason": "the accounts close", "minutes": 1_440}
        kim = person(AppRole.COMMANDER)
        request = Request(method="POST", body=msgspec.json.encode(asked), caller=kim)
        self.scheduler.tell("outside", "a person freezes all changes")
        await self.world.ask(set_freeze, request)

    async def _rebirths(self) -> None:
        """The platform starts a worker again a while after its death."""
        known: set[str] = set()
        while True:
            await asyncio.sleep(REBORN_AFTER_S)
            for name in sorted(self.scheduler.dead - known):
                known.add(name)
                born = self.world.start(name.partition("-")[0])
                self.scheduler.tell(born, "starts")

    async def _outage(self, part: str, start: float, end: float) -> None:
        for at, out in ((start, True), (end, False)):
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            _set_out(self.outside, part, out=out)
            self.scheduler.tell("outside", f"{part} is {'out' if out else 'back'}")


def _set_out(outside: Outside, part: str, *, out: bool) -> None:
    trouble = Unavailable(part, "out") if out else None
    switches: dict[str, Callable[[], None]] = {
        "tables": lambda: outside.tables_out(out),
        "bus": lambda: setattr(outside.bus, "out", out),
        "teams": lambda: setattr(outside.teams, "trouble", trouble),
        "pager": lambda: setattr(outside.pager, "trouble", trouble),
        "logs": lambda: setattr(outside.logs, "out", out),
        "endpoint": lambda: setattr(outside.endpoints, "out", out),
        "app_events": lambda: setattr(outside.app_events, "out", out),
    }
    switches[part]()
