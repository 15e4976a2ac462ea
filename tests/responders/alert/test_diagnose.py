"""Diagnose: what broke, since when and whose fault, from a workspace that answers or does not."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import msgspec
import pytest

from responders.alert.diagnose import diagnose
from shared.domain.diagnosis.diagnosis import Cause, Diagnosis, Health, Tenants
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.incidents.handling import add_note
from shared.domain.incidents.incident import Severity, State
from shared.domain.incidents.patience import LOOKS, first_wait
from shared.domain.message import Message
from shared.domain.row import Put
from shared.errors import NotFound
from shared.protocol.records import release_row
from shared.protocol.revise import Revision, revise
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import (
    INCIDENT,
    SHARD,
    incident_now,
    kinds,
    message,
    new_services,
    store_case,
)
from tests.shared.domain.decisions.worked_case import LIVE, alter
from tests.shared.domain.diagnosis.telemetry_story import (
    OVERFLOWS,
    SERVICE,
    START,
    THROTTLED,
    Request,
    answers_of,
    fails,
    now_of,
    seconds,
    serve,
)

BROKEN = fails(OVERFLOWS, share=0.5, since=205, version="v2", region="swedencentral")
STORY: list[Request] = serve([(0, {"v1": 1}), (180, {"v2": 1})], until=300, trouble=BROKEN)
WELL: list[Request] = serve([(0, {"v1": 1})], until=300)
ANSWERS: Mapping[str, QueryAnswer] = answers_of(STORY)
# What v2's targets answered has not arrived yet, so nobody can say whose fault it is.
UNTOLD = alter(
    ANSWERS["dependencies"],
    rows=tuple(row for row in ANSWERS["dependencies"].rows if row["Deployment"] == "v1"),
)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    opened_at = START + seconds(50)
    await store_case(made, state=State.OPENED, severity=Severity.SEV2, opened_at=opened_at)
    made.outside.catalog = catalog_of(SERVICE)
    made.outside.now = now_of(STORY)
    made.logs.answers.update(ANSWERS)
    return made


async def nothing() -> None:
    """A turn in which nobody interferes."""


async def run(services: FakeServices) -> Diagnosis:
    await diagnose(services, message("diagnose"))
    found = await services.state.read(SHARD, f"diagnosis|{INCIDENT.id}", Diagnosis)
    assert found is not None
    return found.value


async def test_a_bad_version_is_found_out_and_blamed(services: FakeServices) -> None:
    found = await run(services)

    assert found.health is Health.BREACHED
    assert (found.attribution.cause, found.attribution.version) == (Cause.VERSION, "v2")
    assert found.regions_hit == ("swedencentral",)


async def test_the_incident_learns_the_onset_and_is_handed_to_the_executor(
    services: FakeServices,
) -> None:
    await run(services)

    incident = await incident_now(services)
    assert incident.state is State.DIAGNOSED
    assert incident.onset_at is not None
    assert START + seconds(180) < incident.onset_at < START + seconds(230)
    assert services.bus.subjects("work") == ["enforce"]
    assert kinds(services)[0] == "incident.diagnosed"


async def test_what_is_wrong_after_the_cure_is_told_once_to_the_person_who_has_it(
    services: FakeServices,
) -> None:
    await store_case(services, state=State.ESCALATED, unexplained=True, onset_at=None)

    await run(services)
    await diagnose(services, message("diagnose"))

    incident = await incident_now(services)
    assert (incident.state, incident.unexplained) == (State.ESCALATED, False)
    assert incident.onset_at is not None
    assert kinds(services).count("incident.diagnosed") == 1
    assert services.bus.subjects("work") == []


async def test_what_really_fails_may_raise_the_severity_once(services: FakeServices) -> None:
    await run(services)

    incident = await incident_now(services)
    assert (incident.severity, incident.raised) == (Severity.SEV1, True)
    assert kinds(services) == ["incident.diagnosed", "incident.severity-changed"]


async def test_one_customer_that_gets_nothing_raises_it_further(services: FakeServices) -> None:
    row = {"Tenant": "org-7", "Total": 40, "Failed": 40, "Slow": 0, "Served": 8}
    services.logs.answer("tenants", [row])

    found = await run(services)

    incident = await incident_now(services)
    assert found.tenants is not None
    assert found.tenants.out == ("org-7",)
    told = "1 of 8 tenants is hurt, 1 gets next to no good answer: SEV1"
    assert incident.severity_reasons[-1] == told


async def test_customers_are_counted_since_the_onset(services: FakeServices) -> None:
    found = await run(services)

    (given,) = [given for name, given in services.logs.asked if name == "tenants"]
    assert given["Since"] == found.onset_at


async def test_not_to_know_whose_requests_fail_is_told_and_keeps_nobody_waiting(
    services: FakeServices,
) -> None:
    services.logs.fail("tenants", AnswerStatus.TIMED_OUT)

    found = await run(services)

    incident = await incident_now(services)
    assert any(gap.startswith("tenants timed out") for gap in found.unanswered)
    assert incident.severity is Severity.SEV1
    assert incident.severity_reasons[-1] == "which tenants are hurt could not be found out"
    assert services.bus.subjects("work") == ["enforce"]


async def test_an_answer_that_does_not_come_keeps_nobody_waiting(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.alert.diagnose.TENANTS_WITHIN_S", 0.01)
    for _ in (*ANSWERS, "activity"):
        services.outside.turns.once("logs.query", nothing)
    services.outside.turns.once("logs.query", asyncio.Event().wait)

    found = await run(services)

    assert found.tenants == Tenants(known=False)


async def test_nobody_is_asked_for_where_nothing_is_breached(services: FakeServices) -> None:
    services.logs.answers.update(answers_of(serve([(0, {"v1": 1})], until=300)))

    assert (await run(services)).health is Health.HEALTHY
    assert "tenants" not in {name for name, _ in services.logs.asked}


async def test_every_query_is_asked_for_the_service_with_its_own_parameters(
    services: FakeServices,
) -> None:
    await run(services)

    asked = {name for name, _ in services.logs.asked}
    assert asked == {*ANSWERS, "slices", "activity", "tenants"}
    owners = {given.get("Service", "fnol-summary") for _, given in services.logs.asked}
    assert owners == {"fnol-summary"}


@pytest.mark.parametrize("status", [AnswerStatus.UNAVAILABLE, AnswerStatus.PARTIAL])
async def test_logs_that_are_out_are_no_health_and_go_on_to_policy(
    services: FakeServices, status: AnswerStatus
) -> None:
    services.logs.fail("onset", status)

    found = await run(services)

    assert found.health is Health.INCONCLUSIVE
    assert any(gap.startswith("onset") for gap in found.unanswered)
    assert services.bus.subjects("work") == ["enforce"]


async def test_no_telemetry_at_all_is_no_health(services: FakeServices) -> None:
    services.logs.answers.clear()

    assert (await run(services)).health is Health.INCONCLUSIVE


@pytest.mark.parametrize("state", [state for state in State if state is not State.OPENED])
async def test_an_incident_that_is_past_it_is_not_diagnosed_again(
    services: FakeServices, state: State
) -> None:
    await store_case(services, state=state)

    await diagnose(services, message("diagnose"))

    assert services.logs.asked == []
    assert kinds(services) == []


async def test_of_two_diagnoses_at_once_the_first_stands(services: FakeServices) -> None:
    other = services.another("two")
    services.outside.turns.once("state.write", lambda: diagnose(other, message("diagnose")))

    await run(services)

    assert kinds(services) == ["incident.diagnosed", "incident.severity-changed"]
    assert services.bus.subjects("work") == ["enforce"]


async def test_what_a_person_wrote_meanwhile_stays(services: FakeServices) -> None:
    services.outside.turns.once(
        "state.write",
        lambda: revise(
            services,
            INCIDENT.id,
            lambda incident: Revision(step=add_note(incident, "hm", who="Ada", now=START)),
        ),
    )

    await run(services)

    incident = await incident_now(services)
    assert ([kept.text for kept in incident.notes], incident.state) == (["hm"], State.DIAGNOSED)


async def test_a_release_just_before_the_onset_is_the_first_suspect(
    services: FakeServices,
) -> None:
    release = alter(LIVE, version="2.0", registered_at=START + seconds(178))
    await services.state.write(SHARD, [Put(row=release_row(release), value=release)])

    found = await run(services)

    assert found.suspects[0].change == "release 2.0"
    assert found.suspects[0].who == release.who


async def test_an_incident_that_is_not_there_is_not_found(services: FakeServices) -> None:
    with pytest.raises(NotFound):
        await diagnose(services, message("diagnose", "INC-35-261123-FFFFFFFF"))


def whole_patience(services: FakeServices) -> timedelta:
    return seconds(services.settings.patience_s + services.settings.logs_behind_s)


async def test_too_little_to_judge_by_is_looked_at_again_before_anybody_concludes(
    services: FakeServices,
) -> None:
    services.logs.fail("onset", AnswerStatus.EMPTY)
    patience = whole_patience(services)
    opened_at = services.now() - patience / 2
    await store_case(services, state=State.OPENED, opened_at=opened_at)

    await diagnose(services, message("diagnose"))

    assert (await incident_now(services)).state is State.OPENED
    (again,) = services.bus.published["work"]
    assert (again.subject, again.due) == ("diagnose", services.now() + first_wait(patience))


@pytest.mark.parametrize(("least", "then"), [(10_000, State.OPENED), (1, State.DIAGNOSED)])
async def test_a_breach_that_few_customers_felt_yet_is_looked_at_again(
    services: FakeServices, least: int, then: State
) -> None:
    wanted = alter(SERVICE, policy=alter(SERVICE.policy, minimum_requests=least))
    services.outside.catalog = catalog_of(wanted)
    await store_case(services, state=State.OPENED, opened_at=services.now())

    await diagnose(services, message("diagnose"))

    assert (await incident_now(services)).state is then


@pytest.mark.parametrize(
    ("signals_only", "age_s", "then"),
    [
        (True, 100, State.OPENED),
        (True, 241, State.DIAGNOSED),
        (False, 100, State.OPENED),
        (False, 241, State.DIAGNOSED),
    ],
)
async def test_logs_that_look_well_behind_an_alert_are_looked_at_until_they_must_know(
    services: FakeServices, signals_only: bool, age_s: float, then: State
) -> None:
    services.logs.answers.update(answers_of(WELL))
    opened_at = services.now() - seconds(age_s)
    await store_case(services, state=State.OPENED, opened_at=opened_at, signals_only=signals_only)

    await diagnose(services, message("diagnose"))

    assert (await incident_now(services)).state is then


async def open_lately(services: FakeServices, severity: Severity = Severity.SEV1) -> None:
    """The incident has just been opened, and the calls of v2 are not told of."""
    services.logs.answers["dependencies"] = UNTOLD
    now = services.now()
    await store_case(services, state=State.OPENED, severity=severity, opened_at=now)


def next_looks(services: FakeServices) -> list[Message]:
    sent = services.bus.published["work"]
    return [one for one in sent if one.subject == "diagnose"]


async def test_a_breach_that_nobody_can_be_blamed_for_yet_is_looked_at_again(
    services: FakeServices,
) -> None:
    await open_lately(services)

    await diagnose(services, message("diagnose"))

    assert (await incident_now(services)).state is State.OPENED
    (again,) = next_looks(services)
    wait = first_wait(whole_patience(services))
    assert (again.body, again.attempt) == (f"{INCIDENT.id}:2", 1)
    assert again.due == services.now() + wait
    assert kinds(services) == []


async def test_what_a_part_that_was_out_kept_from_being_looked_at_is_still_the_first_look(
    services: FakeServices,
) -> None:
    await open_lately(services)
    fourth = msgspec.structs.replace(message("diagnose"), attempt=4)

    await diagnose(services, fourth)

    (again,) = next_looks(services)
    assert again.due == services.now() + first_wait(whole_patience(services))


async def test_what_the_next_look_finds_out_is_the_diagnosis(services: FakeServices) -> None:
    await open_lately(services)
    await diagnose(services, message("diagnose"))
    services.logs.answers.update(ANSWERS)

    (again,) = next_looks(services)
    await diagnose(services, again)

    found = await services.state.read(SHARD, f"diagnosis|{INCIDENT.id}", Diagnosis)
    assert found is not None
    assert (found.value.attribution.cause, found.value.attribution.version) == (
        Cause.VERSION,
        "v2",
    )
    assert services.bus.subjects("work") == ["diagnose", "enforce"]


async def test_what_stays_unknown_is_handed_on_once_when_the_patience_ends(
    services: FakeServices,
) -> None:
    await open_lately(services)
    began, looks = services.now(), [message("diagnose")]
    await diagnose(services, looks[0])
    while (latest := next_looks(services)[-1]) is not looks[-1]:
        looks.append(latest)
        assert latest.due is not None
        services.outside.now = latest.due
        await diagnose(services, latest)
        if services.bus.subjects("work")[-1] == "enforce":
            break

    assert len(looks) <= LOOKS + 1
    assert abs(services.now() - began - whole_patience(services)) < seconds(0.001)
    assert services.bus.subjects("work").count("enforce") == 1
    assert (await incident_now(services)).state is State.DIAGNOSED


async def test_a_cause_that_is_no_version_is_told_at_once(services: FakeServices) -> None:
    throttled = serve([(0, {"v1": 1})], until=300, trouble=fails(THROTTLED, share=0.7, since=290))
    services.logs.answers.update(answers_of(throttled))
    await store_case(services, state=State.OPENED, opened_at=services.now())

    found = await run(services)

    assert found.attribution.cause is Cause.UPSTREAM
    assert services.bus.subjects("work") == ["enforce"]


async def test_who_is_to_be_woken_is_woken_while_it_is_looked_again(
    services: FakeServices,
) -> None:
    await open_lately(services, Severity.SEV2)

    await diagnose(services, message("diagnose"))
    await diagnose(services, next_looks(services)[0])

    incident = await incident_now(services)
    assert (incident.severity, incident.state) == (Severity.SEV1, State.OPENED)
    assert kinds(services) == ["incident.severity-changed"]


async def test_one_customer_that_gets_nothing_wakes_somebody_while_it_is_looked_again(
    services: FakeServices,
) -> None:
    mild = fails(OVERFLOWS, share=0.2, since=205, version="v2", region="swedencentral")
    served = serve([(0, {"v1": 1}), (180, {"v2": 1})], until=300, trouble=mild)
    services.logs.answers.update(answers_of(served))
    row = {"Tenant": "org-7", "Total": 40, "Failed": 40, "Slow": 0, "Served": 8}
    services.logs.answer("tenants", [row])
    await open_lately(services, Severity.SEV2)

    await diagnose(services, message("diagnose"))

    incident = await incident_now(services)
    assert (incident.severity, incident.state) == (Severity.SEV1, State.OPENED)


async def test_a_clock_behind_the_opener_s_does_not_look_for_ever(services: FakeServices) -> None:
    services.logs.fail("onset", AnswerStatus.EMPTY)
    await store_case(services, state=State.OPENED, opened_at=services.now() + seconds(600))

    looks = [message("diagnose")]
    while looks and len(looks) < 100:
        services.bus.published["work"].clear()
        await diagnose(services, looks[-1])
        looks += [one for one in services.bus.published["work"] if one.subject == "diagnose"]
        if services.bus.subjects("work") != ["diagnose"]:
            break

    assert len(looks) == LOOKS + 1
    assert (await incident_now(services)).state is State.DIAGNOSED
