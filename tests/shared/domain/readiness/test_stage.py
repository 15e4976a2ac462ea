"""The stage of a service is the last whose requirements are all met; unknown is not met."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.domain.catalog import Mode
from shared.domain.readiness.check import Area, Check, failed, passed
from shared.domain.readiness.stage import Facts, Stage, Standing, stage_of_all, stand
from shared.domain.slos.slo import USUAL_BUDGET_POLICY
from tests.fakes.scene import NOW, SERVICE

BUDGETED = tuple(
    msgspec.structs.replace(slo, budget_policy=USUAL_BUDGET_POLICY) for slo in SERVICE.slos
)
GROWN = msgspec.structs.replace(
    SERVICE, mode=Mode.AUTOMATIC, slos=BUDGETED, runbook="https://runbooks.example/it"
)
NEEDED = (Area.ENDPOINTS, Area.KNOWN_GOOD, Area.RULES, Area.PAGING)
PASSED: tuple[Check, ...] = tuple(passed(area, "it", "fine", GROWN.name) for area in NEEDED)
ALL = Facts(service=GROWN, now=NOW, checks=PASSED, is_judged=True, rolled_back_at=NOW)


def stood(**changes: Any) -> Standing:
    return stand(msgspec.structs.replace(ALL, **changes))


def serving(**changes: Any) -> dict[str, Any]:
    return {"service": msgspec.structs.replace(GROWN, **changes)}


def test_everything_is_scale() -> None:
    assert stood() == Standing(service=GROWN.name, stage=Stage.SCALE)


@pytest.mark.parametrize(
    "changes",
    [
        serving(mode=Mode.RECOMMEND),
        serving(targets=()),
        serving(slos=()),
        serving(slos=tuple(msgspec.structs.replace(s, budget_policy=()) for s in BUDGETED)),
        serving(contacts=SERVICE.contacts[:1]),
        *({"checks": tuple(c for c in PASSED if c.area is not area)} for area in NEEDED),
        {"checks": (*PASSED, failed(Area.RULES, "it", "off", "on", GROWN.name))},
    ],
)
def test_what_production_asks_for_keeps_a_pilot(changes: dict[str, Any]) -> None:
    found = stood(**changes)
    assert (found.stage, found.next) == (Stage.PILOT, Stage.MVP_PROD)
    assert len(found.missing) == 1
    assert found.missing[0].remedy


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        (serving(mode=Mode.APPROVE), False),
        (serving(runbook=""), False),
        ({"is_judged": False}, False),
        ({"rolled_back_at": None}, True),
        ({"rolled_back_at": NOW - timedelta(days=91)}, False),
    ],
)
def test_what_scale_asks_for_keeps_in_production(changes: dict[str, Any], unknown: bool) -> None:
    found = stood(**changes)
    assert (found.stage, found.next) == (Stage.MVP_PROD, Stage.SCALE)
    assert [lack.unknown for lack in found.missing] == [unknown]


def test_the_whole_is_where_its_last_service_is() -> None:
    pilot = stood(checks=())
    assert stage_of_all([stood(), pilot]) is Stage.PILOT
    assert stage_of_all([stood()]) is Stage.SCALE
    assert stage_of_all([]) is Stage.PILOT
