"""Guards of the write protocol taken away one by one: the schedules must notice each, in words."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from shared.domain.decisions import intent as intents
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.intent import (
    EndpointRecord,
    Intent,
    IntentState,
    Judgement,
    Lease,
    Move,
)
from shared.domain.row import Put, Stored, Write
from shared.protocol.acting import act, actor
from shared.protocol.acting.actor import Actor, read_intent
from tests.simulation.writing.endpoints import StageEndpoints
from tests.simulation.writing.explore import Explorer
from tests.simulation.writing.parts import StageTable
from tests.simulation.writing.replay import replay, report, run_seed
from tests.simulation.writing.schedule import Kind, Schedule
from tests.simulation.writing.shrink import shrink

MOST_SEEDS = 20_000

type Mutate = Callable[[pytest.MonkeyPatch], None]


def answering(value: object) -> Callable[..., Awaitable[object]]:
    async def answer(*_: object) -> object:
        return value

    return answer


def without_the_fence(patch: pytest.MonkeyPatch) -> None:
    """A worker does not see that its intent is in other hands."""

    async def anybodys(this: Actor) -> Stored[Intent]:
        return await read_intent(this._services, this._shard, this._plan.id)

    patch.setattr(Actor, "_mine", anybodys)


def without_the_endpoints_fence(patch: pytest.MonkeyPatch) -> None:
    """A worker does not see that another plan has claimed its endpoint."""

    async def count(this: Actor, stored: Stored[Intent]) -> bool:
        counted = msgspec.structs.replace(stored.value, writes=stored.value.writes + 1)
        put = Put(row=stored.row, value=counted, etag=stored.etag)
        await this._services.state.write(this._shard, [put])
        return True

    patch.setattr(Actor, "_count", count)


def writing(patch: pytest.MonkeyPatch, change: Callable[[Sequence[Write]], list[Write]]) -> None:
    write = StageTable.write

    async def changed(table: StageTable, partition: str, writes: Sequence[Write]) -> None:
        await write(table, partition, change(writes))

    patch.setattr(StageTable, "write", changed)


def without_versions(patch: pytest.MonkeyPatch) -> None:
    """The last writer of an intent or of an endpoint's record wins."""

    def blind(write: Write) -> Write:
        if isinstance(write, Put) and isinstance(write.value, Intent | EndpointRecord):
            return msgspec.structs.replace(write, etag=None)
        return write

    writing(patch, lambda writes: [blind(write) for write in writes])


def without_manners(patch: pytest.MonkeyPatch) -> None:
    """An end releases the endpoint's lease, whoever holds it by now."""

    def freed(write: Write) -> Write:
        if not isinstance(write, Put) or not isinstance(write.value, EndpointRecord):
            return write
        record: EndpointRecord = msgspec.structs.replace(write.value, lease=None)
        return msgspec.structs.replace(write, value=record)

    def rude(writes: Sequence[Write]) -> list[Write]:
        intents = [w.value for w in writes if isinstance(w, Put) and isinstance(w.value, Intent)]
        ended = any(intent.state is not IntentState.OPEN for intent in intents)
        return [freed(write) if ended else write for write in writes]

    writing(patch, rude)


def without_the_lease(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes takes the endpoint."""
    claim = act._claim

    def grab(services: object, record: object, plan: str) -> Lease:
        free = msgspec.structs.replace(record, lease=None)  # type: ignore[type-var]
        return claim(services, free, plan)  # type: ignore[arg-type]

    patch.setattr(act, "_claim", grab)


def judging(patch: pytest.MonkeyPatch, judge: Callable[..., Judgement]) -> None:
    patch.setattr(actor, "judge", judge)


def without_the_fingerprint(patch: pytest.MonkeyPatch) -> None:
    """It is the same endpoint whoever has written to it."""

    def blind(intent: Intent, snapshot: EndpointSnapshot) -> Judgement:
        plan = msgspec.structs.replace(intent.plan, fingerprint=snapshot.fingerprint)
        return intents.judge(msgspec.structs.replace(intent, plan=plan), snapshot)

    judging(patch, blind)


def without_respect(patch: pytest.MonkeyPatch) -> None:
    """What a pipeline moves back is moved again."""

    def stubborn(intent: Intent, snapshot: EndpointSnapshot) -> Judgement:
        judged = intents.judge(intent, snapshot)
        again = judged.why == intents._PUT_BACK
        return Judgement(move=Move.WRITE, why="mutant") if again else judged

    judging(patch, stubborn)


def without_the_last_look(patch: pytest.MonkeyPatch) -> None:
    """The adapter sends what it is told, whatever the endpoint is by now."""
    send = StageEndpoints._send

    async def blind(
        this: StageEndpoints, traffic: dict[str, int], deadline_s: float, _: str | None
    ) -> object:
        return await send(this, traffic, deadline_s, None)

    patch.setattr(StageEndpoints, "_send", blind)


def without_the_read_back(patch: pytest.MonkeyPatch) -> None:
    """One reading is believed."""
    patch.setattr(Actor, "_read_back", answering(value=True))


def without_a_limit(patch: pytest.MonkeyPatch) -> None:
    """It is tried until it works."""
    patch.setattr(intents, "MAXIMUM_WRITES", 99)


def without_the_count(patch: pytest.MonkeyPatch) -> None:
    """Nothing is durable about a write before it is sent."""
    patch.setattr(Actor, "_count", answering(value=True))


def without_the_kill_switch(patch: pytest.MonkeyPatch) -> None:
    """The kill switch was off when it was decided."""
    patch.setattr(Actor, "_stopped", answering(""))


def without_resuming(patch: pytest.MonkeyPatch) -> None:
    """What a dead worker left open stays open."""
    for name in ("responders.repair.reconcile.resume", "tests.simulation.writing.workers.resume"):
        patch.setattr(name, answering(None))


def without_a_memory(patch: pytest.MonkeyPatch) -> None:
    """A write without an answer is forgotten with the plan's end."""
    begin = Actor.__init__

    def forgetful(this: Actor, *given: object) -> None:
        begin(this, *given)  # type: ignore[arg-type]
        this._answered = 99

    patch.setattr(Actor, "__init__", forgetful)


MUTANTS: list[tuple[Mutate, str]] = [
    (without_the_fence, "an intent that another worker had taken over"),
    (without_the_endpoints_fence, "an endpoint that another plan had claimed"),
    (without_versions, "an intent that had ended was changed"),
    (without_manners, "released the lease that another plan holds"),
    (without_the_lease, "while another worker's lease still ran"),
    (without_the_fingerprint, "visibly changed since the decision"),
    (without_respect, "deploy was overwritten"),
    (without_the_last_look, "was overwritten, and the endpoint had shown it before"),
    (without_the_read_back, "confirmed that the endpoint did not show"),
    (without_a_limit, "more than 3 times"),
    (without_the_count, "no durable intent had counted"),
    (without_the_kill_switch, "without a look at the kill switch"),
    (without_resuming, "left to nobody"),
    (without_a_memory, "came late overwrote a deploy, and nothing tells of it"),
]


@pytest.mark.parametrize(
    ("mutate", "says"), MUTANTS, ids=[mutate.__name__ for mutate, _ in MUTANTS]
)
def test_a_missing_guard_is_noticed(
    mutate: Mutate, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    broken = (run.broken for run in map(run_seed, range(MOST_SEEDS)) if run.broken)

    noticed = next((what for what in broken if says in what), "")

    assert noticed, f"{mutate.__doc__} Nobody noticed in {MOST_SEEDS} schedules."


def test_a_missing_fence_is_found_by_exploring_too(monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_fence(monkeypatch)

    explored = Explorer(Schedule(workers=2), [Kind.SLEEP], 2).run()

    assert "taken over" in explored.broken[0].broken


def test_what_is_noticed_is_told_in_one_line_by_its_shortest_schedule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_the_kill_switch(monkeypatch)
    run = run_seed(3)

    line = report(run, 3)

    short = shrink(run)
    assert line.startswith("a write was sent without a look at the kill switch. make replay SEED=")
    assert line.endswith(f"make replay SEED=act:{short.schedule.spell()}")
    assert (short.schedule.faults, short.schedule.choices) == ((), ())
    assert short.turns < run.turns
    assert replay(f"act:{short.schedule.spell()}")[-1] == f"broken: {run.broken}"
