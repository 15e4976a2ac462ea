"""A service that knows no request but its own earns trust, and is rolled back."""

from typing import Any

import msgspec
import pytest

from responders.alert.enforce import enforce
from responders.watching.watch import watch
from shared.domain.decisions.decision import Decision, Verdict
from shared.domain.health.golden import GoldenCase, GoldenCases
from shared.domain.keys import digest
from shared.domain.row import Put
from shared.protocol.acting.probing import NOTHING_TO_ASK
from shared.protocol.leftovers import Leftovers
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import (
    INCIDENT,
    NOW,
    RECORD,
    SERVICE,
    SHARD,
    TARGET,
    message,
    new_services,
    record_now,
    store_case,
)
from tests.responders.watching.test_watch import SOAKED, served

REQUEST = {"input": {"sum": 900}}  # and no claim_id, which its route refuses
CASES = GoldenCases(
    service=SERVICE.name, cases=(GoldenCase(name="small-loan", request=REQUEST, contains=("yes",)),)
)
NOTHING = Leftovers(messages={}, effects=[], intents=[])


def new_loans(golden: GoldenCases | None, probe: dict[str, Any]) -> FakeServices:
    services = new_services()
    asked = msgspec.structs.replace(SERVICE, probe=probe)
    services.outside.catalog = catalog_of(asked)
    services.golden[SERVICE.name] = golden
    services.scoring.takes = set(REQUEST)
    return services


async def decided(services: FakeServices) -> Decision:
    await store_case(services)
    await enforce(services, message("enforce"))
    found = await services.state.read(SHARD, f"decision|{INCIDENT.id}", Decision)
    assert found is not None
    return found.value


async def watched(services: FakeServices) -> str:
    record = msgspec.structs.replace(RECORD, known_good=None, serving_since=NOW - SOAKED)
    await services.state.write(SHARD, [Put(row=f"endpoint|{digest(TARGET)}", value=record)])
    served(services)
    await watch(services, NOTHING)
    good = (await record_now(services)).known_good
    return good.deployment if good is not None else ""


ASKED = pytest.mark.parametrize(
    ("golden", "probe"), [(CASES, {}), (None, REQUEST)], ids=["golden", "probe"]
)


@ASKED
async def test_it_is_rolled_back(golden: GoldenCases | None, probe: dict[str, Any]) -> None:
    services = new_loans(golden, probe)

    decision = await decided(services)

    assert decision.verdict is Verdict.ROLL_BACK, decision.reason
    assert services.endpoints.traffic == {"v1": 100}


@ASKED
async def test_it_earns_trust(golden: GoldenCases | None, probe: dict[str, Any]) -> None:
    assert await watched(new_loans(golden, probe)) == "v2"


async def test_where_nobody_says_how_it_is_asked_neither_comes_and_it_is_said_why() -> None:
    services = new_loans(None, {})

    decision = await decided(services)

    assert decision.verdict is Verdict.INCONCLUSIVE
    assert NOTHING_TO_ASK in decision.reason
    assert await watched(new_loans(None, {})) == ""
