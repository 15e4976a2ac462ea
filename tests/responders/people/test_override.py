"""Overrides: a person's word against the rules is told, and another person looks at it."""

import pytest

from responders.alert.enforce import enforce
from shared.domain.catalog import Mode
from shared.domain.diagnosis.diagnosis import Attribution, Cause, Health
from shared.domain.event import EventKind
from shared.domain.incidents.incident import State
from shared.domain.ledger.completeness import complete
from shared.domain.reviews.review import ReviewKind
from shared.errors import NotAllowed
from shared.protocol.acting.approve import decide_about
from shared.protocol.reviews import open_reviews
from tests.fakes import FakeServices
from tests.fakes.scene import message, new_services, store_case, told
from tests.fakes.waiting import ALICE, RITA, approval_now, approving
from tests.responders.people.test_ask import diagnosed, in_mode, want
from tests.responders.people.test_review import close

CALM = {"health": Health.HEALTHY, "attribution": Attribution(cause=Cause.UNKNOWN)}
SET_ASIDE = ("still-breached", "cause-is-version")


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made, state=State.HELD)
    return made


async def asked_and_enforced(services: FakeServices, **found: object) -> None:
    await want(services)
    await diagnosed(services, **found)
    await enforce(services, message("enforce"))


def overridden(services: FakeServices) -> list[str]:
    return [one.id for one in told(services) if one.kind is EventKind.OVERRIDDEN]


async def test_one_person_alone_against_the_rules_is_told_and_reviewed(
    services: FakeServices,
) -> None:
    await asked_and_enforced(services, **CALM)

    (event,) = (one for one in told(services) if one.kind is EventKind.OVERRIDDEN)
    assert complete(event) == ()
    assert (event.actor, event.role, event.why) == (RITA.id, "Responder", "customers call")
    assert event.before == {"failed_rules": list(SET_ASIDE)}
    assert event.after == {"verdict": "roll_back", "traffic": {"v1": 100, "v2": 0, "old": 0}}
    assert event.policy_hash
    (review,) = await open_reviews(services)
    assert (review.kind, review.opened_by) == (ReviewKind.MANUAL_OVERRIDE, RITA.id)
    assert review.why == f"One person alone set aside {', '.join(SET_ASIDE)}: customers call"


async def test_who_did_it_does_not_close_the_review(services: FakeServices) -> None:
    await asked_and_enforced(services, **CALM)
    (review,) = await open_reviews(services)
    with pytest.raises(NotAllowed):
        await close(services, review.id, RITA)
    assert (await close(services, review.id, ALICE))["closed_by"] == ALICE.id


async def test_what_the_rules_agree_with_is_no_override(services: FakeServices) -> None:
    await asked_and_enforced(services)
    assert services.endpoints.traffic == {"v1": 100}
    assert overridden(services) == []
    assert await open_reviews(services) == []


async def test_what_a_second_person_approved_is_told_and_needs_no_review(
    services: FakeServices,
) -> None:
    await in_mode(services, Mode.APPROVE)
    await asked_and_enforced(services, **CALM)
    assert overridden(services) == []  # nothing is done yet

    found = await approval_now(services)
    await decide_about(services, found.request.id, approving(found), ALICE)
    await enforce(services, message("enforce"))

    assert services.endpoints.traffic == {"v1": 100}
    assert len(overridden(services)) == 1
    assert await open_reviews(services) == []


async def test_what_is_not_done_is_no_override(services: FakeServices) -> None:
    services.scoring.failing.add("v1")
    await asked_and_enforced(services, **CALM)
    assert services.endpoints.writes == []
    assert overridden(services) == []
