"""Guards around the write to an endpoint, and after it."""

from typing import Any

import msgspec

from responders.alert import verify as verifying
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.intent import EndpointRecord, Intent, Judgement, Lease, Move
from shared.domain.decisions.intent import judge as judge_reading
from shared.domain.diagnosis.recovery import Recovery, RecoveryVerdict, recovered
from shared.domain.row import Put, Stored
from shared.protocol.acting import act, actor
from shared.protocol.acting.actor import Actor
from shared.services import Services
from tests.simulation.faults import Deploy, Faults
from tests.simulation.guards.guard import Patch, guard, nothing
from tests.simulation.guards.trials import at, scene
from tests.simulation.promises import Promise


@guard(Promise.RESTRAINT, trials=at("scoring.probe", 1, lambda turn: Faults(switch=turn, again=0)))
def no_kill_switch_at_act(patch: Patch) -> None:
    """The kill switch is not asked again before the write."""

    async def off(_: Actor) -> str:
        return ""

    patch.setattr(Actor, "_stopped", off)


@guard(Promise.RESTRAINT, trials=at("scoring.probe", 1, lambda turn: Faults(freeze=turn, again=0)))
def no_freeze_at_act(patch: Patch) -> None:
    """A freeze that began since the decision is not asked about before the write."""
    patch.setattr(actor, "frozen_now", lambda *_: None)


@guard(Promise.INTENT_FIRST, trials=scene("a bad release"))
def no_count_before_the_write(patch: Patch) -> None:
    """The write is sent without being written down before."""

    async def uncounted(*_: object) -> bool:
        return True

    patch.setattr(Actor, "_count", uncounted)


@guard(
    Promise.ONE_CHANGE,
    trials=at("endpoint.write", 1, lambda turn: Faults(stops=((turn, 50.0),))),
)
def no_lease(patch: Patch) -> None:
    """An intent is taken over while its holder is at it."""
    claim = act._claim

    def free(services: Services, record: EndpointRecord, plan: str) -> Lease:
        return claim(services, msgspec.structs.replace(record, lease=None), plan)

    patch.setattr(act, "_claim", free)


@guard(
    Promise.ONE_CHANGE,
    trials=at("endpoint.read", 2, lambda turn: Faults(stops=((turn, 200.0),)), then="state.write"),
)
def no_fence(patch: Patch) -> None:
    """A worker that was thought dead goes on as if it still held intent and endpoint."""

    async def mine(self: Actor) -> Stored[Intent]:
        return await actor.read_intent(self._services, self._shard, self._plan.id)

    async def count(self: Actor, stored: Stored[Intent]) -> bool:
        counted = msgspec.structs.replace(stored.value, writes=stored.value.writes + 1)
        await self._services.state.write(self._shard, [Put(row=stored.row, value=counted)])
        return True

    patch.setattr(Actor, "_mine", mine)
    patch.setattr(Actor, "_count", count)


@guard(
    Promise.NO_STOMP,
    trials=at("endpoint.read", 2, lambda turn: Faults(deploys=(Deploy(turn=turn, unseen=0),))),
)
def no_comparison_of_the_fingerprint(patch: Patch) -> None:
    """What somebody else did since the decision is not looked at."""

    def judge(intent: Intent, snapshot: EndpointSnapshot) -> Judgement:
        plan = msgspec.structs.replace(intent.plan, fingerprint=snapshot.fingerprint)
        return judge_reading(msgspec.structs.replace(intent, plan=plan), snapshot)

    patch.setattr(actor, "judge", judge)


@guard(Promise.ONE_CHANGE, Promise.NO_STOMP, trials=scene("a bad release"))
def no_judgement(patch: Patch) -> None:
    """Write whatever the endpoint says."""

    def judge(intent: Intent, snapshot: EndpointSnapshot) -> Judgement:
        done = snapshot.serves(intent.plan.after) and intent.writes > 3
        return Judgement(move=Move.CONFIRM if done else Move.WRITE, why="mutant")

    patch.setattr(actor, "judge", judge)


@guard(
    Promise.NO_STOMP,
    trials=at("endpoint.read", 1, lambda turn: Faults(deploys=(Deploy(turn=turn),))),
)
def no_waiting_for_an_operation(patch: Patch) -> None:
    """Somebody's operation in flight is not waited for."""
    patch.setattr(EndpointSnapshot, "idle", True)


def _late_deploy(turn: int) -> Faults:
    return Faults(deploys=(Deploy(turn=turn, traffic={"v3": 100}, unseen=1),))


@guard(Promise.PROVEN_CURE, trials=at("endpoint.read", 3, _late_deploy))
def no_reading_back(patch: Patch) -> None:
    """One reading is believed."""

    async def believed(*_: object) -> bool:
        return True

    patch.setattr(Actor, "_read_back", believed)


@guard(
    Promise.INTENT_ENDS,
    Promise.COMES_TO_REST,
    trials=at("endpoint.write", 1, lambda turn: Faults(kills=(turn,))),
)
def no_reconcile(patch: Patch) -> None:
    """Open intents are left to their dead worker, and repeats of the command to nobody."""
    patch.setattr("tests.simulation.world.reconcile", nothing)
    patch.setattr("responders.alert.enforce.resume", nothing)


@guard(Promise.PROVEN_CURE, trials=scene("the rollback does not help"))
def no_verification(patch: Patch) -> None:
    """What was done is said to have helped."""

    def helped(*arguments: Any, **known: Any) -> Recovery:
        found = recovered(*arguments, **known)
        return msgspec.structs.replace(found, verdict=RecoveryVerdict.GOOD)

    patch.setattr(verifying, "recovered", helped)
