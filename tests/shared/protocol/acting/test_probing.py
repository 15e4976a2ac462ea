"""Probing: a service is asked by its own requests, as they stand."""

from typing import Any

import pytest

from shared.domain.health.golden import GoldenCase, GoldenCases
from shared.protocol.acting.probing import NOTHING_TO_ASK, probe
from tests.fakes import FakeServices
from tests.fakes.scene import SERVICE, SNAPSHOT, new_services
from tests.shared.domain.decisions.worked_case import alter

REGIONS = ("westeurope", "swedencentral")
EVERYWHERE = alter(SERVICE, regions=REGIONS)
LOAN = {"input": {"sum": 900}}


@pytest.fixture
def services() -> FakeServices:
    return new_services()


def golden(*requests: dict[str, Any], refused: bool = False) -> GoldenCases:
    cases = [
        GoldenCase(name=f"case-{number}", request=request, refused=refused)
        for number, request in enumerate(requests)
    ]
    return GoldenCases(service=SERVICE.name, cases=tuple(cases))


async def test_the_requests_of_the_golden_cases_are_sent_in_turn_and_as_they_stand(
    services: FakeServices,
) -> None:
    asked = [{"input": {"sum": n}} for n in range(2)]
    services.golden[SERVICE.name] = golden(*asked)

    await probe(services, EVERYWHERE, SNAPSHOT, "v1", "", 3)

    assert services.scoring.payloads == [asked[0], asked[1], asked[0]]


async def test_what_must_be_refused_is_no_probe(services: FakeServices) -> None:
    answered, refused = golden(LOAN), golden({"input": 7}, refused=True)
    services.golden[SERVICE.name] = alter(answered, cases=(*refused.cases, *answered.cases))

    await probe(services, SERVICE, SNAPSHOT, "v1", "", 2)

    assert services.scoring.payloads == [LOAN, LOAN]


async def test_without_golden_cases_the_files_own_request_is_sent(services: FakeServices) -> None:
    await probe(services, alter(SERVICE, probe=LOAN), SNAPSHOT, "v1", "", 2)

    assert services.scoring.payloads == [LOAN, LOAN]


@pytest.mark.parametrize("known", [None, golden(LOAN, refused=True)])
async def test_where_nobody_said_how_it_is_asked_nothing_is_sent_and_nothing_passes(
    services: FakeServices, known: GoldenCases | None
) -> None:
    services.golden[SERVICE.name] = known

    report = await probe(services, alter(SERVICE, probe={}), SNAPSHOT, "v1", "", 20)

    assert report is not None
    assert (report.ok, report.sent, report.detail) == (False, 0, NOTHING_TO_ASK)
    assert services.scoring.payloads == []


async def test_probes_go_to_the_hurt_region_or_to_all_in_turn(services: FakeServices) -> None:
    hurt = await probe(services, EVERYWHERE, SNAPSHOT, "v1", "northeurope", 1)
    await probe(services, EVERYWHERE, SNAPSHOT, "v1", "", 3)

    regions = [payload["region"] for payload in services.scoring.payloads]
    assert regions == ["northeurope", "westeurope", "swedencentral", "westeurope"]
    assert hurt is not None
    assert hurt.region == "northeurope"


async def test_only_requests_that_name_a_region_can_be_sent_to_one(services: FakeServices) -> None:
    services.golden[SERVICE.name] = golden(LOAN, {**LOAN, "region": "westeurope"})

    report = await probe(services, EVERYWHERE, SNAPSHOT, "v1", "swedencentral", 2)

    assert services.scoring.payloads == [{**LOAN, "region": "swedencentral"}] * 2
    assert report is not None
    assert report.region == "swedencentral"


@pytest.mark.parametrize("request_", [LOAN, {**LOAN, "region": "EMEA"}])
@pytest.mark.parametrize(
    ("regions", "reached"),
    [(REGIONS, None), (("westeurope",), None), (("swedencentral",), "swedencentral")],
)
async def test_a_request_that_cannot_be_sent_elsewhere_proves_only_where_there_is_no_choice(
    services: FakeServices, request_: dict[str, Any], regions: tuple[str, ...], reached: str | None
) -> None:
    services.golden[SERVICE.name] = golden(request_)

    service = alter(SERVICE, regions=regions)
    report = await probe(services, service, SNAPSHOT, "v1", "swedencentral", 1)

    assert services.scoring.payloads == [request_]
    assert report is not None
    assert report.region == reached


async def test_a_request_that_names_no_region_is_sent_without_one(services: FakeServices) -> None:
    service = alter(SERVICE, regions=(), probe=LOAN)

    report = await probe(services, service, SNAPSHOT, "v1", "westeurope", 2)

    assert services.scoring.payloads == [LOAN, LOAN]
    assert report is not None
    assert report.region == "westeurope"


async def test_a_pinned_probe_asks_one_version_and_another_what_customers_get(
    services: FakeServices,
) -> None:
    services.scoring.failing.add("v2")

    pinned = await probe(services, SERVICE, SNAPSHOT, "v1", "", 2)
    unpinned = await probe(services, SERVICE, SNAPSHOT, None, "", 2)

    assert pinned is not None
    assert pinned.ok
    assert unpinned is not None
    assert (unpinned.passed, unpinned.answered_by) == (0, {"v2": 2})


async def test_a_route_that_cannot_be_asked_proves_nothing(services: FakeServices) -> None:
    services.scoring.out = True

    assert await probe(services, SERVICE, SNAPSHOT, "v1", "", 2) is None
