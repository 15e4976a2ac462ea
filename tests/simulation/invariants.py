"""What must hold when the world has come to rest; the `referee` asks the rest at every step."""

import math
from collections import Counter
from collections.abc import Iterator

import msgspec

from shared.domain.catalog import Mode
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.event import EventKind
from shared.domain.incidents.incident import Incident, State
from shared.domain.ledger.chain import Head
from shared.domain.ledger.record import LedgerRow
from shared.domain.ledger.verification import verify
from shared.protocol.evidence.ledger import MARKS
from shared.protocol.intake import Delivery
from tests.fakes.services import Outside
from tests.fakes.tables import FakeTable
from tests.simulation.faults import Faults
from tests.simulation.outsiders import REBORN_AFTER_S
from tests.simulation.promises import Broken, Promise, broken
from tests.simulation.referee import Referee
from tests.simulation.scenario import SHARD
from tests.simulation.scene import Scene

__all__ = ["Broken", "Rest", "check_rest", "stored"]

TROUBLES = 1  # however many rules fire about the endpoint
KNOWN_WITHIN_S = 60.0
OF_AN_APP = 2  # processes: so many must die for nobody to be there
ENDS = {EventKind.INTENT_CONFIRMED, EventKind.INTENT_ABORTED, EventKind.INTENT_ESCALATED}
ENDED = {State.MITIGATED, State.ESCALATED, State.RESOLVED}


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """A world that has come to rest, and whether it really has."""

    outside: Outside
    referee: Referee
    scene: Scene
    faults: Faults
    is_calm: bool
    bad_inputs: int

    @property
    def taken(self) -> int:
        """How many alerts are stored, those among them whose answer nobody heard."""
        return len(list(_deliveries(self.outside)))


def stored[T: msgspec.Struct](
    table: FakeTable, partition: str, prefix: str, kind: type[T]
) -> list[T]:
    """What is stored under a prefix, read without a turn."""
    return [table.peek(partition, row, kind) for row in table.rows(partition, prefix)]


def check_rest(rest: Rest) -> None:
    """Ask everything. Raises Broken."""
    if not rest.is_calm:
        raise broken(Promise.COMES_TO_REST, "it never comes to rest")
    _check_deliveries(rest)
    _check_intents(rest)
    _check_incidents(rest)
    _check_nothing_left(rest)
    _check_ledger(rest)
    _check_effects(rest)
    _check_people(rest)


def _deliveries(outside: Outside) -> Iterator[Delivery]:
    for partition in outside.deliveries.partitions():
        yield from stored(outside.deliveries, partition, "", Delivery)


def _check_deliveries(rest: Rest) -> None:
    taken = {delivery.key: delivery for delivery in _deliveries(rest.outside)}
    for key in sorted(rest.referee.promised):
        if key not in taken:
            raise broken(Promise.DURABLE, f"delivery {key} is gone")
        if taken[key].pending:
            raise broken(Promise.DURABLE, f"delivery {key} came to no end")
    quarantined = _quarantined(rest.outside)
    if quarantined < rest.bad_inputs:
        how = f"{rest.bad_inputs} bad inputs came, {quarantined} are kept for a person"
        raise broken(Promise.COMES_TO_REST, how)


def _quarantined(outside: Outside) -> int:
    """How many bad inputs wait for a person."""
    state = outside.state
    return sum(len(state.rows(part, "quarantine-kept|")) for part in state.partitions())


def _check_intents(rest: Rest) -> None:
    for intent in stored(rest.outside.state, SHARD, "intent|", Intent):
        if intent.state is IntentState.OPEN:
            raise broken(Promise.INTENT_ENDS, f"plan {intent.plan.id} was intended and never ended")


def _check_incidents(rest: Rest) -> None:
    incidents = stored(rest.outside.state, SHARD, "incident|", Incident)
    wanted = min(TROUBLES, rest.taken) or int(rest.scene.rolled_back)
    if len(incidents) != wanted:
        how = f"{rest.taken} alerts of {TROUBLES} troubles made {len(incidents)} incidents"
        raise broken(Promise.ONE_INCIDENT, how)
    counted = sum(incident.alerts for incident in incidents)
    if counted != rest.taken:
        how = f"{rest.taken} alerts are counted as {counted}"
        raise broken(Promise.ONE_INCIDENT, how)
    for incident in incidents:
        _check_incident(rest, incident)
    cured = any(incident.state is State.MITIGATED for incident in incidents)
    if rest.scene.cures and not rest.faults.count and not cured:
        raise broken(Promise.COMES_TO_REST, "nothing went wrong, and the incident is not cured")


def _check_incident(rest: Rest, incident: Incident) -> None:
    held = incident.state is State.HELD and rest.scene.mode is not Mode.AUTOMATIC
    idle = rest.scene.rolled_back and not rest.taken
    if incident.state not in ENDED and not held and not idle:
        how = f"{incident.id} stays {incident.state.value} and nobody was asked"
        raise broken(Promise.COMES_TO_REST, how)
    if incident.state is State.MITIGATED and rest.scene.no_cure:
        raise broken(Promise.PROVEN_CURE, f"{incident.id} is mitigated, and customers still fail")
    moved = any(deploy.traffic for deploy in rest.faults.deploys)
    if incident.state is State.MITIGATED and not moved and _traffic(rest) != {"v1": 100}:
        how = f"{incident.id} is mitigated, but the endpoint serves {_traffic(rest)}"
        raise broken(Promise.PROVEN_CURE, how)


def _traffic(rest: Rest) -> dict[str, int]:
    return rest.outside.endpoints.traffic


def _check_nothing_left(rest: Rest) -> None:
    left = rest.outside.state.rows(SHARD, "~")
    if left:
        raise broken(Promise.COMES_TO_REST, f"left behind for ever: {left}")


def _check_ledger(rest: Rest) -> None:
    ledger, recorded = rest.outside.ledger, list[str]()
    for partition in set(ledger.partitions()) - {MARKS}:
        rows = stored(ledger, partition, "seq|", LedgerRow)
        found = verify(rows, ledger.peek(partition, "head", Head))
        if not found.ok:
            raise broken(Promise.LEDGER, f"it does not verify: {found.problem}")
        recorded += [row.event_id for row in rows]
    missing = sorted(set(rest.referee.events) - set(recorded))
    if missing:
        raise broken(Promise.LEDGER, f"it lacks {missing}")
    twice = sorted(event for event, count in Counter(recorded).items() if count > 1)
    if twice:
        raise broken(Promise.LEDGER, f"it has {twice} twice")


def _check_effects(rest: Rest) -> None:
    """Every plan that was sent, and every page, is told of in one event."""
    events = rest.referee.events.values()
    ends = Counter(event.evidence["plan"] for event in events if event.kind in ENDS)
    for plan in sorted({sent.plan for sent in rest.referee.sent}):
        if ends[plan] != 1:
            raise broken(Promise.LEDGER, f"plan {plan} was sent and has {ends[plan]} ends")
    paged = Counter(event.incident for event in events if event.kind is EventKind.PAGED)
    for event in events:
        if event.kind is EventKind.PAGED_DIRECTLY:
            paged[event.incident] += len(event.evidence["added"])
    for incident in stored(rest.outside.state, SHARD, "incident|", Incident):
        if paged[incident.id] != len(incident.pages):
            how = f"{len(incident.pages)} pages of {incident.id} have {paged[incident.id]} records"
            raise broken(Promise.LEDGER, how)


def _check_people(rest: Rest) -> None:
    told = rest.referee.told_at
    if not told and (rest.taken or _known_within(rest.faults) < math.inf):
        raise broken(Promise.A_HUMAN_KNOWS, "nobody was told anything")
    first = min(told, default=0.0)  # the first alert is posted as the run begins
    if first > _known_within(rest.faults):
        raise broken(Promise.A_HUMAN_KNOWS, f"the first card or page came after {first:.0f} s")
    twice = sorted(name for name, count in rest.referee.told.items() if count > 1)
    if twice and rest.faults.spares_senders:
        raise broken(Promise.TOLD_ONCE, f"twice: {twice}")
    _check_escalation(rest)


def _known_within(faults: Faults) -> float:
    """Seconds by which somebody must know, whatever one part does and whoever dies.

    What a process alone knew dies with it: where no other one of its app is alive, it must be
    started again first. A process that is stopped promises nothing, as nobody starts another one.
    """
    parts = {part for part, _, _ in faults.outages}
    if len(parts) > 1 or faults.stops:
        return math.inf
    return KNOWN_WITHIN_S + REBORN_AFTER_S * (len(faults.kills) // OF_AN_APP)


def _check_escalation(rest: Rest) -> None:
    """Where nobody answers, the next contact is asked; a quiet pager tells of none."""
    if not rest.scene.patience or not rest.faults.spares_senders:
        return
    incidents = stored(rest.outside.state, SHARD, "incident|", Incident)
    asked = {page.contact for incident in incidents for page in incident.pages}
    if len(asked) < 2:
        raise broken(Promise.A_HUMAN_KNOWS, f"nobody answered, and only {sorted(asked)} were paged")
