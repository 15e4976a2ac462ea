"""The logs come late: with the settings' own defaults, whoever needs them waits until they know.

The answers are cut as the queries cut them: whole bins that ended before the lag. What is well is
said to be, at whatever second of a minute the traffic was moved back.
"""

from datetime import datetime, timedelta

import pytest

from responders.alert.verify import verify
from shared.domain.catalog import RollbackPolicy
from shared.domain.decisions.intent import IntentState
from shared.domain.diagnosis.telemetry import AnswerStatus, QueryAnswer
from shared.domain.incidents.incident import State
from shared.domain.message import Message
from shared.protocol.acting.act import act
from shared.settings import read_settings
from tests.fakes import FakeServices
from tests.fakes.scene import PLAN, SERVICE, incident_now, new_services, store_case
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.diagnosis.telemetry_story import START, Request, answers_of, seconds, serve

USUAL = read_settings({"BACKSTOP_TABLES": "t", "BACKSTOP_BUS": "b", "BACKSTOP_LOGS_WORKSPACE": "w"})
LAG, BIN = seconds(USUAL.log_lag_s), seconds(USUAL.log_bin_s)
OWNED = alter(
    SERVICE,
    policy=alter(
        SERVICE.policy,
        verify_after_s=RollbackPolicy(id="usual").verify_after_s,
        verify_checks=RollbackPolicy(id="usual").verify_checks,
    ),
)
WELL = serve([(0, {"v1": 1})], until=900, per_second=4)


def late_services() -> FakeServices:
    made = new_services(
        log_lag_s=USUAL.log_lag_s, log_bin_s=USUAL.log_bin_s, patience_s=USUAL.patience_s
    )
    made.outside.catalog = type(made.outside.catalog)(services={OWNED.name: OWNED})
    return made


def tell(services: FakeServices, served: list[Request], since: datetime) -> None:
    """Have the logs know what they know at this moment of what was served since then."""
    late = services.now() - LAG
    end = late - (late - START) % BIN
    told = [request for request in served if since <= request.at < end]
    known = answers_of(told or served, width_s=BIN.total_seconds())
    nothing = {name: QueryAnswer(name=name, status=AnswerStatus.EMPTY, detail="") for name in known}
    services.logs.answers.update(known if told else nothing)


async def next_order(services: FakeServices, subject: str) -> Message:
    """Let the time pass until the command that was issued last is due."""
    order = [one for one in services.bus.published["work"] if one.subject == subject][-1]
    services.outside.now = order.due or services.now()
    return order


@pytest.mark.parametrize("second", range(60))
async def test_a_cure_is_said_to_be_one_at_whatever_second_the_traffic_moved(second: int) -> None:
    services = late_services()
    services.outside.wait(second + 0.5)
    await store_case(services)
    ended = await act(services, OWNED, PLAN)
    assert ended.state is IntentState.CONFIRMED

    while (await incident_now(services)).state is State.VERIFYING:
        order = await next_order(services, "verify")
        tell(services, WELL, ended.ended_at or services.now())
        await verify(services, order)

    incident = await incident_now(services)
    assert (incident.state, incident.checks) == (State.MITIGATED, 1), incident.sentence
    longest = timedelta(seconds=OWNED.policy.verify_after_s) + LAG + BIN
    assert services.now() - (ended.ended_at or services.now()) <= longest
