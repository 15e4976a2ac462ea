"""Every kind of change that an auditor asks for is recorded whole, or refused at the write.

The events are those that the product makes. Each is recorded with who, what, when, why, before and
after; without any one of them it is quarantined, and the ledger holds nothing of it.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from responders.evidence.record import record
from shared.domain.approvals.asking import ask_for_rollback
from shared.domain.approvals.steps import rule
from shared.domain.configuration import Configuration, tell_configured
from shared.domain.decisions.control import tell_turned
from shared.domain.decisions.decide import decide
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.decisions.release import tell_registered
from shared.domain.decisions.rollback import tell_end, tell_intent
from shared.domain.diagnosis.diagnosis import Health
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.freezes.freeze import Freeze, tell_frozen
from shared.domain.incidents.incident import Step
from shared.domain.incidents.requests import RollbackRequest
from shared.domain.lineage.promotion import tell_promoted
from shared.domain.lineage.unattributed import compare
from shared.domain.reviews.override import review_decision
from shared.protocol.commit import telling
from shared.protocol.kept import list_kept
from tests.fakes import FakeServices
from tests.fakes.scene import new_services
from tests.shared.domain.approvals.waiting import (
    ALICE,
    PLAN,
    incident,
    ruled,
    waiting,
    with_rulings,
)
from tests.shared.domain.decisions.worked_case import (
    CASE as AUTOMATIC,
)
from tests.shared.domain.decisions.worked_case import (
    DIAGNOSIS,
    INCIDENT,
    KILL_SWITCH,
    LIVE,
    NOW,
    alter,
)
from tests.shared.domain.lineage import looks

DANA, RITA = "tenant/dana", "tenant/rita"
FREEZE = Freeze(
    scope="*",
    on=True,
    by=DANA,
    role="Commander",
    reason="the accounts close",
    at=NOW,
    expires_at=NOW + timedelta(hours=1),
)
SAID = {"mode": "approve", "policy": "p", "policy_hash": "9a"}
BEFORE = Configuration(name="fnol-summary", says=SAID)
HOTFIX = RollbackRequest(by=RITA, role="Responder", reason="it is mended", at=NOW, to="1.5.1")
INTENT = Intent(plan=PLAN, fence=3, opened_at=NOW, policy="p", policy_hash="9a")
DECIDED = incident(sentence="Approved: traffic goes back from v2 to v1.")


def told(step: Step, kind: EventKind) -> ChangeEvent:
    return next(event for event in step.events if event.kind is kind)


def ruling(*, approve: bool) -> Step:
    given = ruled(waiting(), ALICE, approve=approve, reason="looked at it")
    return rule(incident(), with_rulings(waiting(), given), given)


def promoted() -> ChangeEvent:
    """The canary of a release gets its first share, as the release declares."""
    two = alter(looks.TWO, canary=(10,), who="tenant/pipeline", role="Deployer")
    before = looks.declared(two, looks.ONE)
    look = looks.looked(looks.NOW, two, looks.ONE, snapshot=looks.moved(v1=90, v2=10))
    event = tell_promoted(before, compare(before, look), look)
    assert event is not None
    return event


def overridden() -> ChangeEvent:
    """A person has traffic moved although nothing is broken any more."""
    asked = alter(HOTFIX, to="")
    case = alter(
        AUTOMATIC,
        incident=alter(INCIDENT, request=asked),
        diagnosis=alter(DIAGNOSIS, health=Health.HEALTHY),
    )
    reviewed = review_decision(case.incident, decide(case), case)
    return told(reviewed.step, EventKind.OVERRIDDEN)


CHANGES: dict[str, ChangeEvent] = {
    "deployment": tell_registered(alter(LIVE, who=DANA, role="Deployer"), None),
    "promotion": promoted(),
    "flag toggle": tell_registered(
        alter(LIVE, who=DANA, role="Deployer", flags_version="f2"), LIVE
    ),
    "freeze": tell_frozen(None, FREEZE),
    "freeze that is lifted": tell_frozen(FREEZE, alter(FREEZE, on=False)),
    "kill switch": tell_turned(None, alter(KILL_SWITCH, role="Commander")),
    "rollback that begins": told(tell_intent(DECIDED, INTENT), EventKind.INTENT_OPENED),
    "rollback that ended": told(
        tell_end(DECIDED, alter(INTENT, state=IntentState.CONFIRMED), PLAN.after, NOW),
        EventKind.INTENT_CONFIRMED,
    ),
    "approval": told(ruling(approve=True), EventKind.APPROVAL_GIVEN),
    "refusal": told(ruling(approve=False), EventKind.APPROVAL_REFUSED),
    "hotfix": told(ask_for_rollback(INCIDENT, HOTFIX), EventKind.ROLLBACK_REQUESTED),
    "override": overridden(),
    "mode": tell_configured(
        BEFORE, alter(BEFORE, says={**SAID, "mode": "automatic"}), NOW, by=DANA
    ),
    "configuration": tell_configured(
        BEFORE, alter(BEFORE, says={**SAID, "policy_hash": "7b"}), NOW, by=DANA
    ),
}
NAIVE = datetime(2026, 11, 23)  # noqa: DTZ001 - on purpose
WITHOUT: dict[str, dict[str, Any]] = {
    "who": {"actor": ""},
    "role": {"actor": DANA, "role": ""},
    "what": {"what": " "},
    "when it happened": {"happened_at": NAIVE},
    "when it was recorded": {"recorded_at": NAIVE},
    "why": {"why": ""},
    "before": {"before": {}},
    "after": {"after": {}},
}


def rows(services: FakeServices) -> list[str]:
    parts = services.ledger.partitions()
    return [row for part in parts for row in services.ledger.rows(part, "seq|")]


def test_who_it_was_is_a_person_or_program_by_id_and_role_or_backstop_itself() -> None:
    by_itself = {name for name, event in CHANGES.items() if event.actor == "backstop"}
    assert by_itself == {"rollback that begins", "rollback that ended"}  # policy and approvals did
    assert all("/" in CHANGES[name].actor for name in CHANGES.keys() - by_itself)


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_recorded_whole(name: str) -> None:
    services = new_services()
    await record(services, [telling(CHANGES[name])])

    assert len(rows(services)) == 1
    assert (await list_kept(services))[0] == []


@pytest.mark.parametrize("missing", WITHOUT)
@pytest.mark.parametrize("name", CHANGES)
async def test_what_lacks_anything_is_refused_at_the_write(name: str, missing: str) -> None:
    services = new_services()
    await record(services, [telling(alter(CHANGES[name], **WITHOUT[missing]))])

    assert rows(services) == []
    ((kept,), _) = await list_kept(services)
    assert kept.reason == "incomplete-event"
    assert missing.split(maxsplit=1)[0] in kept.detail


def test_a_flag_that_was_toggled_is_told_from_what_to_what() -> None:
    toggled = CHANGES["flag toggle"]
    assert toggled.what.endswith(f"; flags {LIVE.flags_version or 'none'} become f2")
    assert (toggled.before["flags_version"], toggled.after["flags_version"]) == (
        LIVE.flags_version,
        "f2",
    )
