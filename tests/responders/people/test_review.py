"""Mandatory reviews: opened with what is done, closed by another person, told until they are."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.people.notify import notify
from responders.people.press import press
from responders.people.review import close_review, remind_reviewers, show_reviews
from responders.reading.console import show_home
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.catalog import Emergency, Mode
from shared.domain.incidents.incident import Severity, State
from shared.domain.reviews.review import Opening, ReviewKind, open_review, open_row
from shared.domain.row import Put
from shared.domain.views.http import Answer, Request
from shared.errors import Conflict, NotAllowed, NotFound, RejectedInput
from shared.protocol.commit import telling
from shared.protocol.leftovers import find_leftovers
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import ALICE, BEN, person
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    SERVICE,
    SHARD,
    incident_now,
    kinds,
    message,
    new_services,
    store_case,
    told,
)

AUDITOR = person(AppRole.AUDITOR, id=ALICE)
COMMANDER = person(AppRole.COMMANDER, id=BEN)
EMERGENCY = msgspec.structs.replace(
    SERVICE,
    mode=Mode.APPROVE,
    policy=msgspec.structs.replace(
        SERVICE.policy, emergency=Emergency(severity=Severity.SEV1, burn_rate=10)
    ),
)
DAY_S = 86_400.0


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    made.outside.catalog = catalog_of(EMERGENCY)
    await store_case(made)
    return made


async def alone(services: FakeServices, by: str = BEN) -> str:
    """A commander approved alone; the id of the review."""
    opening = Opening(
        kind=ReviewKind.LONE_APPROVAL,
        about="plan-1",
        why="Nobody else was awake.",
        by=by,
        role="Commander",
        days=5,
        zone="Europe/Amsterdam",
    )

    def take(incident: Any) -> Revision:
        opened = open_review(incident, opening, services.now())
        return Revision(step=opened.step, writes=opened.writes)

    await revise(services, INCIDENT.id, take)
    (review,) = await listed(services)
    return str(review["id"])


async def listed(services: FakeServices) -> list[dict[str, Any]]:
    body = msgspec.json.decode((await show_reviews(services, Request())).body)
    found: list[dict[str, Any]] = body["reviews"]
    return found


async def close(
    services: FakeServices, review: str, caller: Caller = AUDITOR, conclusion: str = "was right"
) -> dict[str, Any]:
    body = msgspec.json.encode({"conclusion": conclusion})
    request = Request(path={"id": review}, body=body, caller=caller)
    found: dict[str, Any] = msgspec.json.decode((await close_review(services, request)).body)
    return found


async def tick(services: FakeServices) -> None:
    await remind_reviewers(services, await find_leftovers(services))


class Foreign(msgspec.Struct, frozen=True, kw_only=True, tag="of-tomorrow"):
    """What another version has written."""


async def test_one_that_cannot_be_read_hides_no_other(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    review, spoilt = await alone(services), open_row(f"{INCIDENT.id}-RV-0")
    await services.state.write(SHARD, [Put(row=spoilt, value=Foreign())])

    assert [one["id"] for one in await listed(services)] == [review]
    assert (await show_home(services, Request(caller=AUDITOR))).status == 200
    assert f"a row cannot be read and is left out: state/{SHARD}/{spoilt}" in caplog.text


async def test_the_first_page_lists_it_with_a_form_to_close_it(services: FakeServices) -> None:
    assert "Reviews due" not in (await show_home(services, Request(caller=AUDITOR))).body.decode()
    review = await alone(services)
    shown = (await show_home(services, Request(caller=AUDITOR))).body.decode()

    assert f'action="/reviews/{review}/close"' in shown
    assert "Approved by one person alone" in shown


async def test_a_waived_approval_opens_a_review_with_the_decision(services: FakeServices) -> None:
    await enforce(services, message("enforce"))

    (review,) = await listed(services)
    assert (await incident_now(services)).state is State.VERIFYING
    assert (review["kind"], review["incident"]) == ("emergency-waiver", INCIDENT.id)
    assert review["why"] == "Rolled back without approval, waived: SEV1 and burn 50x >= 10x."
    assert review["due_at"] == "2026-11-30T14:05:00Z"  # five working days
    assert review["overdue"] is False
    assert kinds(services)[:2] == ["incident.decided", "review.opened"]


async def test_a_rollback_that_needed_no_waiver_opens_none(services: FakeServices) -> None:
    services.outside.catalog = catalog_of(SERVICE)
    await enforce(services, message("enforce"))

    assert "rollback.confirmed" in kinds(services)
    assert await listed(services) == []


async def test_what_is_asked_for_twice_is_reviewed_once(services: FakeServices) -> None:
    assert await alone(services) == await alone(services)
    assert kinds(services) == ["review.opened"]


async def test_another_person_closes_it_and_it_is_listed_no_more(services: FakeServices) -> None:
    review = await alone(services)
    closed = await close(services, review)

    assert (closed["closed_by"], closed["conclusion"]) == (AUDITOR.id, "was right")
    assert await listed(services) == []
    assert (await incident_now(services)).reviews == ()
    event = told(services)[-1]
    assert (event.kind, event.actor, event.role) == ("review.closed", AUDITOR.id, "Auditor")
    assert (event.why, event.after["review"]) == ("was right", review)


async def press_form(services: FakeServices, review: str, who: Caller = AUDITOR) -> Answer:
    """The form of the first page, as a browser sends it."""
    sent = Request(
        method="POST",
        path={"id": review},
        headers={
            "content-type": "application/x-www-form-urlencoded",
            "origin": services.settings.public_url,
        },
        body=b"conclusion=it+was+right",
        caller=who,
    )
    return await press(close_review, "/")(services, sent)


async def test_the_form_of_the_first_page_closes_it(services: FakeServices) -> None:
    review = await alone(services)
    answer = await press_form(services, review)

    assert (answer.status, answer.headers["Location"]) == (303, "/?did=done")
    assert await listed(services) == []


async def test_the_form_says_on_a_page_why_it_was_not_closed(services: FakeServices) -> None:
    review = await alone(services, by=COMMANDER.id)

    assert (await press_form(services, review, COMMANDER)).status == 403
    assert (await press_form(services, f"{INCIDENT.id}-R00000000")).status == 404


async def test_whoever_acted_does_not_close_it(services: FakeServices) -> None:
    review = await alone(services, by=COMMANDER.id)
    with pytest.raises(NotAllowed, match="another person"):
        await close(services, review, COMMANDER)
    assert len(await listed(services)) == 1


async def test_it_is_closed_once(services: FakeServices) -> None:
    review = await alone(services)
    await close(services, review)
    with pytest.raises(Conflict, match="closed already"):
        await close(services, review)


async def test_of_two_who_close_it_at_once_one_is_told_so(services: FakeServices) -> None:
    review = await alone(services)

    async def meanwhile() -> None:
        await close(services, review, conclusion="the other one")

    services.outside.turns.once("state.write", meanwhile)
    with pytest.raises(Conflict, match="closed already"):
        await close(services, review)
    assert kinds(services).count("review.closed") == 1


@pytest.mark.parametrize("said", ["", "  ", "x" * 4_001])
async def test_a_conclusion_is_needed(services: FakeServices, said: str) -> None:
    review = await alone(services)
    with pytest.raises(RejectedInput, match="conclusion"):
        await close(services, review, conclusion=said)


@pytest.mark.parametrize("unknown", ["x", "INC-07-261123-0A1B2C3D-R00000000", f"{INCIDENT.id}-R1"])
async def test_what_is_no_review_is_not_found(services: FakeServices, unknown: str) -> None:
    with pytest.raises(NotFound):
        await close(services, unknown)


async def test_a_review_that_is_due_is_told_once_a_day_until_it_is_closed(
    services: FakeServices,
) -> None:
    review = await alone(services)
    services.outside.wait(7 * DAY_S - 1)
    await tick(services)
    assert "review.overdue" not in kinds(services)

    services.outside.wait(1)
    for _ in range(3):
        await tick(services)
        services.outside.wait(DAY_S / 2)
    assert kinds(services).count("review.overdue") == 2  # at once, and a day later
    assert [one["overdue"] for one in await listed(services)] == [True]

    await close(services, review)
    services.outside.wait(DAY_S)
    await tick(services)
    assert kinds(services).count("review.overdue") == 2


async def test_two_workers_tell_of_it_once(services: FakeServices) -> None:
    await alone(services)
    services.outside.wait(7 * DAY_S)
    leftovers = await find_leftovers(services)

    async def meanwhile() -> None:
        await tick(services)

    services.outside.turns.once("state.write", meanwhile)
    await remind_reviewers(services, leftovers)
    await remind_reviewers(services, leftovers)

    assert kinds(services).count("review.overdue") == 1


async def test_a_reminder_is_a_card_for_the_commander(services: FakeServices) -> None:
    await alone(services)
    for _ in range(2):
        services.outside.wait(7 * DAY_S)
        await tick(services)
    for event in told(services):
        await notify(services, telling(event))
        await notify(services, telling(event))  # the bus may bring it twice

    first, second = (msgspec.json.encode(card).decode() for card in services.teams.cards)
    assert "A mandatory review is overdue" in first
    assert "Nobody else was awake." in second
    assert "https://backstop.example/#reviews" in first
    assert NOW + timedelta(days=14) == services.now()
