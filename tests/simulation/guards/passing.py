"""Guards where messages and rows pass from one worker to another."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from shared.domain.message import Message
from shared.domain.row import Write
from shared.protocol import leftovers, settle
from shared.services import Services
from tests.fakes.tables import FakeTable
from tests.simulation.guards.guard import Patch, guard, nothing, whatever_version
from tests.simulation.guards.trials import losing, seeds
from tests.simulation.promises import Promise


@guard(
    Promise.COMES_TO_REST, Promise.LEDGER, Promise.A_HUMAN_KNOWS, Promise.DURABLE, trials=seeds()
)
def no_outbox(patch: Patch) -> None:
    """Messages are sent after the transaction and remembered nowhere."""
    patch.setattr(
        leftovers.OutboxEntry, "row", property(lambda entry: f"!{entry.message.message_id}")
    )


@guard(Promise.COMES_TO_REST, Promise.LEDGER, trials=seeds())
def no_relay(patch: Patch) -> None:
    """What the bus did not take stays where it is."""
    patch.setattr("tests.simulation.world.relay", nothing)


@guard(Promise.COMES_TO_REST, Promise.LEDGER, trials=seeds())
def no_retries(patch: Patch) -> None:
    """What could not be done now is tried again tomorrow."""

    def tomorrow(services: Services, message: Message, _: float) -> Message:
        return msgspec.structs.replace(message, due=services.now() + timedelta(days=1))

    patch.setattr(settle, "_again", tomorrow)


@guard(Promise.COMES_TO_REST, trials=losing("enforce"))
def no_reminder(patch: Patch) -> None:
    """An incident whose next step was lost waits for it for ever."""
    patch.setattr("tests.simulation.world.remind", nothing)


@guard(Promise.ONE_INCIDENT, Promise.COMES_TO_REST, Promise.LEDGER, trials=seeds())
def no_versions(patch: Patch) -> None:
    """The last writer of a row wins."""
    write = FakeTable.write

    async def blind(table: FakeTable, partition: str, writes: Sequence[Write]) -> None:
        await write(table, partition, [whatever_version(one) for one in writes])

    patch.setattr(FakeTable, "write", blind)
