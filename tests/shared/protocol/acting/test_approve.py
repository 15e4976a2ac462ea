"""A person decides about a plan: one transaction, one outcome, whoever else decides meanwhile."""

import asyncio
import contextlib
import random
from datetime import timedelta

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.repair.remind import remind
from shared.domain.approvals.approval import Approval
from shared.domain.approvals.may_decide import Wish
from shared.domain.authority.caller import Caller
from shared.domain.decisions.control import KillSwitch
from shared.domain.incidents.handling import acknowledge
from shared.domain.incidents.incident import State
from shared.domain.incidents.steps import resolve
from shared.domain.reviews.review import Review
from shared.domain.row import Put
from shared.errors import Conflict, NotAllowed, NotFound, Unavailable
from shared.protocol.acting.approve import (
    approval_of,
    approval_row,
    decide_about,
    list_waiting,
    read_approval,
)
from shared.protocol.leftovers import find_leftovers
from shared.protocol.records import CONTROLS
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    SHARD,
    incident_now,
    kinds,
    message,
    store_incident,
    told,
)
from tests.fakes.waiting import (
    ALICE,
    BOB,
    CHIEF,
    RITA,
    approval_now,
    approving,
    waiting_services,
)

RACES = 1_000


@pytest.fixture
async def services() -> FakeServices:
    return await waiting_services()


async def say(
    services: FakeServices, caller: Caller = ALICE, wish: Wish | None = None, **changes: object
) -> Approval:
    found = await approval_now(services)
    return await decide_about(
        services, found.request.id, wish or approving(found, **changes), caller
    )


async def test_an_approval_is_told_and_the_executor_is_asked(services: FakeServices) -> None:
    after = await say(services, reason="v1 is fine")

    assert after.is_settled
    assert (await incident_now(services)).state is State.DIAGNOSED
    event = told(services)[-1]
    assert (event.kind, event.actor, event.role, event.why) == (
        "approval.given",
        ALICE.id,
        "Approver",
        "v1 is fine",
    )
    assert event.evidence["plan_hash"] == after.request.plan.hash
    assert services.bus.subjects("work")[-1] == "enforce"


async def test_what_is_approved_is_done_by_that_approval(services: FakeServices) -> None:
    plan = (await say(services)).request.plan

    await enforce(services, message("enforce"))

    assert services.endpoints.traffic == {"v1": 100}
    assert (await incident_now(services)).state is State.VERIFYING
    intended = next(event for event in told(services) if event.kind == "rollback.intended")
    assert intended.evidence["plan_hash"] == plan.hash


async def test_another_live_state_waits_for_another_approval(services: FakeServices) -> None:
    before = (await say(services)).request
    services.endpoints.move({"v2": 90, "v1": 10})

    await enforce(services, message("enforce"))

    after = await approval_now(services)
    assert (await incident_now(services)).state is State.WAITING
    assert after.request.id != before.id
    assert after.rulings == ()
    assert services.endpoints.writes == []


async def test_the_kill_switch_stops_it_at_the_post_and_at_the_act(services: FakeServices) -> None:
    switch = KillSwitch(scope="*", on=True, by="t/o", reason="storm", at=NOW)
    await say(services)
    await services.state.write(CONTROLS, [Put(row="kill|*", value=switch)])
    await enforce(services, message("enforce"))
    assert services.endpoints.writes == []
    assert (await incident_now(services)).state is State.ESCALATED

    others = await waiting_services()
    await others.state.write(CONTROLS, [Put(row="kill|*", value=switch)])
    with pytest.raises(Conflict, match="kill switch is on for \\*, so nothing is moved: storm"):
        await say(others)
    assert (await incident_now(others)).state is State.WAITING
    await say(others, approve=False, reason="stop it then")


async def test_a_refusal_moves_nothing_and_asks_for_a_person(services: FakeServices) -> None:
    await say(services, approve=False, reason="the index moved")

    incident = await incident_now(services)
    assert incident.state is State.ESCALATED
    assert "the index moved" in incident.sentence
    assert kinds(services)[-2:] == ["approval.refused", "incident.escalated"]
    assert services.endpoints.writes == []


@pytest.mark.parametrize("approve", [True, False])
async def test_what_is_decided_stays_decided(services: FakeServices, approve: bool) -> None:
    await say(services, approve=approve, reason="because")
    count = len(told(services))

    word = "approved" if approve else "refused"
    for caller in (ALICE, BOB):
        with pytest.raises(Conflict, match=f"Already {word} by {ALICE.id}"):
            await say(services, caller, reason="me, too")
    assert len(told(services)) == count


async def test_nobody_decides_without_the_role(services: FakeServices) -> None:
    with pytest.raises(NotAllowed, match="role Approver or Commander"):
        await say(services, RITA)
    assert (await incident_now(services)).state is State.WAITING


async def test_who_asked_may_not_approve(services: FakeServices) -> None:
    asked = (await approval_now(services)).request
    mine = msgspec.structs.replace(asked, requested_by=ALICE.id)
    await services.state.write(SHARD, [Put(row=approval_row(asked), value=mine)])
    with pytest.raises(NotAllowed, match="what they asked for"):
        await say(services)


async def test_a_hash_of_another_plan_decides_nothing(services: FakeServices) -> None:
    found = await approval_now(services)
    with pytest.raises(Conflict, match="another plan"):
        await say(services, wish=approving(found, plan_hash="0" * 32))
    with pytest.raises(NotFound):
        await decide_about(services, f"{SHARD}-{'0' * 32}", approving(found), ALICE)


@pytest.mark.parametrize("name", ["", "nonsense", "99-abc", "35-../x", "é-é", "35-"])
async def test_a_name_that_is_none_is_not_found(services: FakeServices, name: str) -> None:
    with pytest.raises(NotFound):
        await read_approval(services, name)


async def test_a_resolved_incident_is_decided_about_no_more(services: FakeServices) -> None:
    await revise(
        services,
        INCIDENT.id,
        lambda i: Revision(step=resolve(i, who="t/o", why="over", now=services.now())),
    )
    with pytest.raises(Conflict, match="is resolved"):
        await say(services)


async def test_in_time_or_never(services: FakeServices) -> None:
    services.outside.wait(900)
    with pytest.raises(Conflict, match="expired"):
        await say(services)
    await remind(services, await find_leftovers(services))

    incident = await incident_now(services)
    assert incident.state is State.ESCALATED
    assert kinds(services)[-2:] == ["approval.expired", "incident.escalated"]
    with pytest.raises(Conflict, match="expired"):
        await say(services)
    assert services.endpoints.writes == []


async def test_an_approval_that_is_acted_on_too_late_is_asked_for_again(
    services: FakeServices,
) -> None:
    first = await say(services)
    services.outside.wait(901)

    await enforce(services, message("enforce"))

    again = await approval_now(services)
    assert (await incident_now(services)).state is State.WAITING
    assert again.request.id == first.request.id  # the very same plan
    assert again.request.nonce != first.request.nonce
    assert again.rulings == ()
    with pytest.raises(Conflict, match="another plan"):
        await say(services, BOB, wish=approving(first))
    await say(services, ALICE)


async def test_a_quorum_of_two_needs_two_people() -> None:
    services = await waiting_services(quorum=2)

    await say(services)
    assert (await incident_now(services)).state is State.WAITING
    with pytest.raises(Conflict, match="another person"):
        await say(services)
    assert (await say(services, BOB)).is_settled
    assert (await incident_now(services)).state is State.DIAGNOSED
    assert kinds(services).count("approval.given") == 2


async def test_a_commander_alone_is_reviewed() -> None:
    services = await waiting_services(quorum=2)

    await say(services, CHIEF, alone=True, reason="customers wait")

    incident = await incident_now(services)
    assert incident.state is State.DIAGNOSED
    assert len(incident.reviews) == 1
    assert kinds(services)[-2:] == ["approval.given", "review.opened"]
    (row,) = services.state.rows(SHARD, "~review|")
    review = services.state.peek(SHARD, row, Review)
    assert (review.opened_by, review.asked_by) == (CHIEF.id, "backstop")
    await enforce(services, message("enforce"))
    assert services.endpoints.traffic == {"v1": 100}


async def test_a_neighbours_change_keeps_nobody_from_deciding(services: FakeServices) -> None:
    async def somebody_acknowledges() -> None:
        await revise(
            services,
            INCIDENT.id,
            lambda i: Revision(step=acknowledge(i, who="t/o", now=services.now())),
        )

    services.outside.turns.once("state.write", somebody_acknowledges)
    assert (await say(services)).is_settled
    assert (await incident_now(services)).acknowledged_by == "t/o"


async def test_an_answer_that_was_lost_is_no_second_decision(services: FakeServices) -> None:
    services.state.lost_answers = 1
    with pytest.raises(Unavailable):
        await say(services)
    with pytest.raises(Conflict, match="Already approved by"):
        await say(services)
    assert kinds(services).count("approval.given") <= 1
    assert len((await approval_now(services)).rulings) == 1


async def test_without_tables_nothing_is_decided(services: FakeServices) -> None:
    wanted = approving(await approval_now(services))
    name = (await approval_now(services)).request.id
    services.outside.tables_out(out=True)
    with pytest.raises(Unavailable):
        await decide_about(services, name, wanted, ALICE)


async def test_all_that_waits_is_listed(services: FakeServices) -> None:
    listed = await list_waiting(services)
    assert [(one.id, found.request.requested_by) for one, found in listed] == [
        (INCIDENT.id, "backstop")
    ]
    await say(services)
    assert await list_waiting(services) == []


async def test_a_request_of_another_time_is_not_the_incidents(services: FakeServices) -> None:
    incident = await incident_now(services)
    assert await approval_of(services, incident) is not None
    earlier = await store_incident(services, awaited=None)
    assert await approval_of(services, earlier) is None


async def _race(seed: int, *wishes: tuple[Caller, bool]) -> tuple[FakeServices, list[str]]:
    """All decide at once, each in a process of their own; how each of them ended."""
    services = await waiting_services()
    chance = random.Random(seed)  # noqa: S311 - repeatable, and no secret
    found = await approval_now(services)

    async def decide(caller: Caller, approve: bool) -> str:
        for _ in range(chance.randrange(8)):
            await asyncio.sleep(0)
        wanted = approving(found, approve=approve, reason="because")
        try:
            await decide_about(services.another(caller.name), found.request.id, wanted, caller)
        except Conflict as error:
            return str(error)
        return "won"

    ends = await asyncio.gather(*(decide(*one) for one in wishes))
    return services, list(ends)


async def test_of_racing_people_one_decides_and_the_others_read_who_did() -> None:
    kinds_of_end = set()
    for seed in range(RACES):
        approves = bool(seed % 2)
        services, ends = await _race(seed, (ALICE, True), (BOB, approves))
        assert ends.count("won") == 1, seed
        loser = next(end for end in ends if end != "won")
        winner = (ALICE, BOB)[ends.index("won")]
        assert f"by {winner.id}" in loser, (seed, loser)
        rulings = services.state.rows(SHARD, "ruling|")
        given = [kind for kind in kinds(services) if kind.startswith("approval.g")]
        refused = [kind for kind in kinds(services) if kind == "approval.refused"]
        assert len(rulings) == len(given) + len(refused) == 1, seed
        kinds_of_end.add((winner.name, bool(given)))
    assert len(kinds_of_end) == 3  # either wins, and what they said is what happens


async def test_one_person_in_two_tabs_decides_once() -> None:
    for seed in range(50):
        services, _ = await _race(seed, (ALICE, True), (ALICE, True))
        assert kinds(services).count("approval.given") == 1, seed
        assert len(services.state.rows(SHARD, "ruling|")) == 1, seed


async def test_a_decision_that_races_with_the_end_of_time_is_one_of_both() -> None:
    ends = set()
    for turn in range(1, 20):
        services = await waiting_services()
        services.outside.wait(899)
        name = f"{turn}"

        async def expire(services: FakeServices = services) -> None:
            services.outside.wait(1)
            await remind(services, await find_leftovers(services))

        services.outside.turns.at(turn, expire)
        with contextlib.suppress(Conflict):
            await say(services.another(name))
        services.outside.turns.forget()
        state = (await incident_now(services)).state
        told_kinds = [kind for kind in kinds(services) if kind.startswith("approval.")]
        assert len(told_kinds) == 2, (turn, told_kinds)
        assert (state, told_kinds[1]) in {
            (State.DIAGNOSED, "approval.given"),
            (State.ESCALATED, "approval.expired"),
        }
        ends.add(state)
    assert ends == {State.DIAGNOSED, State.ESCALATED}


async def test_a_request_lives_for_a_quarter_of_an_hour(services: FakeServices) -> None:
    asked = (await approval_now(services)).request
    assert asked.expires_at - asked.asked_at == timedelta(minutes=15)
