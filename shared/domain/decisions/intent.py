"""What is durable about one endpoint: its lease, its known good, and the intents to change it.

An intent is written before the effect and ended after it: confirmed, aborted or escalated. The
lease carries a fencing number that grows with every claim. `judge` says what a reading of the
endpoint means for an intent; `shared.protocol.acting.act` does it.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.domain.decisions.decision import Authority, Plan
from shared.domain.decisions.endpoint import EndpointSnapshot
from shared.domain.decisions.release import KnownGood

KEEP_ROLLBACKS = timedelta(days=1)


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who may write to the endpoint until when. `fence` grows with every claim."""

    holder: str
    fence: int
    expires_at: datetime
    plan: str


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """A rollback, for cooldown and rate limit: under way, or one that moved traffic or may have."""

    incident: str
    plan: str
    at: datetime
    away_from: str
    back_to: str


class EndpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that must change together about one target. `rollbacks` keeps the last day's.

    `unmet` are the rules of the soak that what serves did not meet when it was last looked at.
    """

    target: str
    service: str
    fence: int = 0
    lease: Lease | None = None
    known_good: KnownGood | None = None
    rollbacks: tuple[Rollback, ...] = ()
    serving: str = ""  # the deployment that the soak watch saw serving last
    serving_since: datetime | None = None
    unmet: tuple[str, ...] = ()


class IntentState(StrEnum):
    """Where an intent stands; every intent leaves OPEN within lease + 2 min."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ABORTED = "aborted"
    ESCALATED = "escalated"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One intended change. `writes` counts the requests sent for it, identical each time.

    `policy` and its hash are those that it was decided by; `despite_freeze` is whether a change
    freeze was known then, and answered. Once it has ended, `unheard` of the
    requests had no answer, so that they may still arrive, and `settled` is the endpoint's
    fingerprint by which it was confirmed.
    """

    plan: Plan
    fence: int
    opened_at: datetime
    authority: Authority = Authority.POLICY
    despite_freeze: bool = False
    policy: str = ""
    policy_hash: str = ""
    state: IntentState = IntentState.OPEN
    writes: int = 0
    ended_at: datetime | None = None
    detail: str = ""
    unheard: int = 0
    settled: str = ""

    def yields_to_a_freeze(self) -> bool:
        """Whether a freeze stops it: one that nobody was asked about, and no emergency."""
        return self.authority is not Authority.EMERGENCY and not self.despite_freeze


def claimed_for(intent: Intent, record: EndpointRecord, lease: Lease) -> EndpointRecord:
    """The endpoint's record once an intent has claimed it, with its rollback among the recent."""
    plan, now = intent.plan, intent.opened_at
    rollback = Rollback(
        incident=plan.incident, plan=plan.id, at=now, away_from=plan.bad, back_to=plan.good
    )
    recent = [one for one in record.rollbacks if now - one.at < KEEP_ROLLBACKS]
    return msgspec.structs.replace(
        record, lease=lease, fence=lease.fence, rollbacks=(*recent, rollback)
    )


def freed_by(over: Intent, record: EndpointRecord) -> EndpointRecord:
    """The endpoint's record once an intent has ended: free, unless another plan has it by now.

    A write is counted before it is sent, so what counted none moved nothing: it was no rollback,
    and none has to wait for it. What needed no write is one, whoever moved the traffic.
    """
    if record.fence == over.fence:
        record = msgspec.structs.replace(record, lease=None)
    if over.writes or over.state is IntentState.CONFIRMED:
        return record
    others = tuple(one for one in record.rollbacks if one.plan != over.plan.id)
    return msgspec.structs.replace(record, rollbacks=others)


MAXIMUM_WRITES = 3


class Move(StrEnum):
    """What to do next about an open intent."""

    WRITE = "write"
    WAIT = "wait"
    CONFIRM = "confirm"
    ABORT = "abort"
    ESCALATE = "escalate"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The next move, and why in one sentence."""

    move: Move
    why: str


def judge(intent: Intent, snapshot: EndpointSnapshot) -> Judgement:
    """Say what a reading means for an open intent. First rule that applies wins.

    A write is counted before it is sent, so where none is counted none was sent, by whomever. A
    counted one may have come to nothing: the identical body is sent again where a reading shows
    that nobody has written since the decision, or that the operation failed. Old traffic that is
    newer than our write may be somebody's will.
    """
    plan, written = intent.plan, intent.writes > 0
    if not snapshot.idle:
        return Judgement(move=Move.WAIT, why="an operation is in flight on the endpoint")
    if snapshot.serves(plan.after):
        return Judgement(move=Move.CONFIRM, why=f"all traffic is on {plan.good}")
    if written and not snapshot.serves(plan.before):
        return Judgement(move=Move.ESCALATE, why=_raced(snapshot))
    if intent.writes >= MAXIMUM_WRITES:
        return Judgement(move=Move.ESCALATE, why=f"not applied after {intent.writes} writes")
    if snapshot.fingerprint != plan.fingerprint:
        if not written:
            return Judgement(
                move=Move.ABORT, why="the endpoint changed after the decision was made"
            )
        if snapshot.state.lower() == "succeeded":
            return Judgement(move=Move.ESCALATE, why=_PUT_BACK)
    return Judgement(move=Move.WRITE, why="the change is not applied")


def late_write(intent: Intent, snapshot: EndpointSnapshot) -> str:
    """Say what a request that came after the end may have done, or "".

    A later write that asks for the very traffic of the plan is ours as soon as somebody else's.
    """
    again = intent.settled not in ("", snapshot.fingerprint)
    if not (intent.unheard and again and snapshot.serves(intent.plan.after)):
        return ""
    return (
        f"The endpoint was written to again after all traffic was on {intent.plan.good}: a request "
        "of ours that came late may have overwritten somebody's deploy."
    )


_PUT_BACK = "the traffic was written to since, and is as before: somebody may have moved it back"


def _raced(snapshot: EndpointSnapshot) -> str:
    split = ", ".join(f"{name} {share} %" for name, share in sorted(snapshot.traffic.items()))
    return f"somebody else moved the traffic, which is now {split or 'nowhere'}"
