"""Guards taken away one by one: the simulation must notice each, or the guard is not proven."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import pytest

from responders import record as recording
from responders import triage as triaging
from shared.domain.endpoint import EndpointSnapshot
from shared.domain.intent import Intent, Judgement, Move
from shared.domain.message import Message
from shared.domain.row import Put, Write
from shared.domain.triage import triage as judge_alert
from shared.protocol import actor, leftovers, settle
from shared.services import Services
from tests.fakes.tables import FakeTable
from tests.simulation.spine import play

MOST_SEEDS = 250

type Mutant = Callable[[pytest.MonkeyPatch], None]


def without_judgement(patch: pytest.MonkeyPatch) -> None:
    """Write whatever the endpoint says."""

    def judge(intent: Intent, snapshot: EndpointSnapshot) -> Judgement:
        done = snapshot.serves(intent.plan.after) and intent.writes > 3
        return Judgement(move=Move.CONFIRM if done else Move.WRITE, why="mutant")

    patch.setattr(actor, "judge", judge)


def without_versions(patch: pytest.MonkeyPatch) -> None:
    """The last writer of an incident wins."""
    write = FakeTable.write

    async def blind(table: FakeTable, partition: str, writes: Sequence[Write]) -> None:
        await write(table, partition, [_blind(one) for one in writes])

    patch.setattr(FakeTable, "write", blind)


def _blind(write: Write) -> Write:
    return msgspec.structs.replace(write, etag=None) if isinstance(write, Put) else write


def without_outbox(patch: pytest.MonkeyPatch) -> None:
    """Messages are sent after the transaction and remembered nowhere."""
    patch.setattr(
        leftovers.OutboxEntry, "row", property(lambda entry: f"!{entry.message.message_id}")
    )


def without_relay(patch: pytest.MonkeyPatch) -> None:
    """What the bus did not take stays where it is."""

    async def nothing(*_: object) -> None:
        return None

    patch.setattr("tests.simulation.world.relay", nothing)


def without_reconcile(patch: pytest.MonkeyPatch) -> None:
    """Open intents are left to their dead worker, and repeats of the command to nobody."""

    async def nothing(*_: object) -> None:
        return None

    patch.setattr("tests.simulation.world.reconcile", nothing)
    patch.setattr("responders.enforce.resume", nothing)


def without_uniqueness_in_the_ledger(patch: pytest.MonkeyPatch) -> None:
    """Every copy of an event is appended."""

    async def never(*_: object) -> bool:
        return False

    rows = recording._row

    def unnamed(row: object) -> tuple[Put, ...]:
        return tuple(put for put in rows(row) if put.row.startswith("seq|"))  # type: ignore[arg-type]

    patch.setattr(recording, "_is_recorded", never)
    patch.setattr(recording, "_row", unnamed)


def without_retries(patch: pytest.MonkeyPatch) -> None:
    """What could not be done now is tried again tomorrow."""

    def tomorrow(services: Services, message: Message, _: float) -> Message:
        return msgspec.structs.replace(message, due=services.now() + timedelta(days=1))

    patch.setattr(settle, "_again", tomorrow)


def without_pending_deliveries(patch: pytest.MonkeyPatch) -> None:
    """A delivery that triage never heard of is not looked for."""

    async def nothing(*_: object) -> None:
        return None

    patch.setattr("tests.simulation.world.relay_deliveries", nothing)


def without_claims(patch: pytest.MonkeyPatch) -> None:
    """Every firing opens an incident of its own."""
    judge = judge_alert

    def forgetful(alert: object, **known: object) -> object:
        unique = msgspec.structs.replace(alert, delivery_key=str(id(known)))  # type: ignore[type-var]
        return judge(unique, **{**known, "claim": None, "open_incident": None})  # type: ignore[arg-type]

    patch.setattr(triaging, "judge", forgetful)


MUTANTS: list[Mutant] = [
    without_judgement,
    without_versions,
    without_outbox,
    without_relay,
    without_reconcile,
    without_uniqueness_in_the_ledger,
    without_retries,
    without_pending_deliveries,
    without_claims,
]


@pytest.mark.parametrize("mutate", MUTANTS, ids=lambda mutate: mutate.__name__)
def test_a_missing_guard_is_noticed(mutate: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)

    found = next((run.broken for run in map(play, range(MOST_SEEDS)) if run.broken), "")

    assert found, f"{mutate.__doc__} Nobody noticed in {MOST_SEEDS} runs."
