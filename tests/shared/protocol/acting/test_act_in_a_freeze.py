"""A freeze that begins after the decision: policy's word is not enough any more, others' is."""

from datetime import timedelta

import msgspec
import pytest

from shared.domain.catalog import Catalog, Service
from shared.domain.decisions.decision import Authority
from shared.domain.decisions.intent import Intent, IntentState
from shared.domain.freezes.freeze import Calendar, Freeze, FreezeWindow
from shared.domain.incidents.incident import State
from shared.domain.row import Put
from shared.domain.windows import Once
from shared.protocol.acting.act import act, resume
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices, Killed, die
from tests.fakes.scene import NOW, PLAN, SERVICE, incident_now, new_services, store_case, told

SILENT = msgspec.structs.replace(
    SERVICE, policy=msgspec.structs.replace(SERVICE.policy, approve_when=("index-moved",))
)
REFUSED = (
    "No rollback now: change freeze 'set by a commander' for all services until 15:05 UTC: "
    "the ledger moves"
)


@pytest.fixture
async def services() -> FakeServices:
    made = new_services()
    await store_case(made)
    return made


async def freeze(services: FakeServices) -> None:
    frozen = Freeze(
        scope="*",
        on=True,
        by="t/dana",
        reason="the ledger moves",
        at=services.now(),
        expires_at=NOW + timedelta(hours=1),
    )
    await services.state.write(CONTROLS, [Put(row="freeze|*", value=frozen)])


async def run(
    services: FakeServices,
    authority: Authority = Authority.POLICY,
    service: Service = SERVICE,
    *,
    despite_freeze: bool = False,
) -> Intent:
    return await act(services, service, PLAN, authority, despite_freeze=despite_freeze)


@pytest.mark.parametrize("authority", [Authority.POLICY, Authority.APPROVAL])
async def test_what_nobody_was_asked_about_is_aborted_before_anything_is_written(
    services: FakeServices, authority: Authority
) -> None:
    await freeze(services)
    ended = await run(services, authority)

    assert (ended.state, ended.detail) == (IntentState.ABORTED, REFUSED)
    assert services.endpoints.writes == []
    assert (await incident_now(services)).state is State.ESCALATED  # a person has it


async def test_a_window_of_the_calendar_counts_as_well(services: FakeServices) -> None:
    window = Once(start=NOW, end=NOW + timedelta(hours=1), reason="accounts")
    year_end = FreezeWindow(name="Year end", scope="*", window=window)
    services.outside.catalog = Catalog(
        services=services.catalog.services, calendar=Calendar(windows=(year_end,))
    )
    ended = await run(services)

    assert ended.state is IntentState.ABORTED
    assert "'Year end'" in ended.detail


@pytest.mark.parametrize(
    ("authority", "asked"), [(Authority.EMERGENCY, False), (Authority.APPROVAL, True)]
)
async def test_what_people_or_an_emergency_allowed_in_it_goes_on(
    services: FakeServices, authority: Authority, asked: bool
) -> None:
    await freeze(services)
    ended = await run(services, authority, despite_freeze=asked)

    assert ended.state is IntentState.CONFIRMED
    assert told(services)[0].evidence["authority"] == authority


async def test_a_policy_that_does_not_ask_about_freezes_is_not_stopped_by_one(
    services: FakeServices,
) -> None:
    await freeze(services)
    assert (await run(services, service=SILENT)).state is IntentState.CONFIRMED


async def test_a_freeze_that_has_expired_stops_nothing(services: FakeServices) -> None:
    await freeze(services)
    services.outside.wait(3600)
    assert (await run(services)).state is IntentState.CONFIRMED


async def test_by_whose_word_it_acts_outlives_the_worker(services: FakeServices) -> None:
    services.outside.turns.once("endpoint.write", die)
    with pytest.raises(Killed):
        await run(services, Authority.EMERGENCY)
    await freeze(services)
    services.outside.wait(services.settings.lease_s + 1)

    assert (await resume(services, SERVICE, PLAN.id)).state is IntentState.CONFIRMED


async def test_a_freeze_before_the_repeat_leaves_the_first_write_to_a_person(
    services: FakeServices,
) -> None:
    services.outside.turns.once("endpoint.write", die)
    with pytest.raises(Killed):
        await run(services)
    await freeze(services)
    services.outside.wait(services.settings.lease_s + 1)

    ended = await resume(services, SERVICE, PLAN.id)
    assert (ended.state, ended.detail) == (IntentState.ESCALATED, REFUSED)
