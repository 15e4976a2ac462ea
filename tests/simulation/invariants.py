"""What must hold, in one line each that a newcomer understands.

The safety invariants are asked after every turn, so a breach is caught at the call that made it;
the others once the world has come to rest.
"""

from collections import Counter

import msgspec

from shared.domain.event import ChangeEvent
from shared.domain.incident import Incident, State
from shared.domain.intent import Intent, IntentState
from shared.domain.ledger import Head, LedgerRow, verify
from tests.fakes.services import FakeServices, Outside
from tests.fakes.tables import FakeTable
from tests.simulation.scenario import SHARD

TROUBLES = 2  # rules that fire about the endpoint; one of them fires twice


class Broken(AssertionError):
    """An invariant does not hold; the message says which."""


def stored[T: msgspec.Struct](
    table: FakeTable, partition: str, prefix: str, kind: type[T]
) -> list[T]:
    """What is stored under a prefix, read without a turn."""
    return [table.peek(partition, row, kind) for row in table.rows(partition, prefix)]


def check_safety(outside: Outside) -> None:
    """Asked after every turn. Raises Broken."""
    bodies = {tuple(sorted(body.items())) for body in outside.endpoints.writes}
    if len(bodies) > 1:
        raise Broken(f"two different changes were sent to the endpoint: {sorted(bodies)}")
    intents = stored(outside.state, SHARD, "intent|", Intent)
    if outside.endpoints.writes and not any(intent.writes for intent in intents):
        raise Broken("the endpoint was written to without a durable intent before it")
    if any(intent.writes > 3 for intent in intents):
        raise Broken("one plan was written more than three times")
    incidents = stored(outside.state, SHARD, "incident|", Incident)
    if any(incident.automatic_rollbacks > 1 for incident in incidents):
        raise Broken("one incident was rolled back automatically more than once")
    per_plan = Counter(intent.plan.incident for intent in intents)
    if any(count > 1 for count in per_plan.values()):
        raise Broken("one incident has two intents")


async def check_rest(services: FakeServices) -> None:
    """Asked when the world has come to rest. Raises Broken."""
    outside = services.outside
    _check_intents(outside)
    _check_incidents(outside)
    _check_nothing_left(outside)
    _check_ledger(outside)


def _check_intents(outside: Outside) -> None:
    for intent in stored(outside.state, SHARD, "intent|", Intent):
        if intent.state is IntentState.OPEN:
            raise Broken(f"plan {intent.plan.id} was intended and never ended")


def _check_incidents(outside: Outside) -> None:
    incidents = stored(outside.state, SHARD, "incident|", Incident)
    if len(incidents) != TROUBLES:
        raise Broken(f"{TROUBLES} troubles made {len(incidents)} incidents")
    for incident in incidents:
        _check_incident(outside, incident)
    if not outside.pager.sent:
        raise Broken("a SEV0 or SEV1 reached nobody")
    if not outside.teams.cards:
        raise Broken("the commander's channel was told nothing")


def _check_incident(outside: Outside, incident: Incident) -> None:
    if incident.state not in {State.MITIGATED, State.ESCALATED, State.RESOLVED}:
        raise Broken(f"the incident stays {incident.state.value} and nobody was asked")
    if incident.state is State.MITIGATED and outside.endpoints.traffic != {"v1": 100}:
        raise Broken("the incident is mitigated, but the endpoint does not serve the known good")


def _check_nothing_left(outside: Outside) -> None:
    left = outside.state.rows(SHARD, "~")
    if left:
        raise Broken(f"something was left behind for ever: {left}")


def _check_ledger(outside: Outside) -> None:
    told = {event.id for event in stored(outside.state, SHARD, "event|", ChangeEvent)}
    recorded: list[str] = []
    for partition in outside.ledger.partitions():
        rows = stored(outside.ledger, partition, "seq|", LedgerRow)
        head = outside.ledger.peek(partition, "head", Head)
        if not verify(rows, head).ok:
            raise Broken(f"the ledger does not verify: {verify(rows, head).problem}")
        recorded += [row.event_id for row in rows]
    missing = told - set(recorded)
    if missing:
        raise Broken(f"events happened that the ledger lacks: {sorted(missing)}")
    twice = [event for event, count in Counter(recorded).items() if count > 1]
    if twice:
        raise Broken(f"events stand in the ledger twice: {twice}")
