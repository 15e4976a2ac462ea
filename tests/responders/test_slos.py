"""GET /api/slos: one question for all services, and unknown where the logs do not answer."""

from typing import Any

import msgspec
import pytest

from responders.slos import show_slos
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import WINDOWS
from shared.domain.views.http import Request
from shared.errors import NotFound
from tests.fakes import FakeServices
from tests.fakes.scene import new_services
from tests.fakes.services import catalog_of
from tests.shared.domain.slos.services import ANSWERED, JUDGED, service


@pytest.fixture
def services() -> FakeServices:
    made = new_services()
    made.outside.catalog = catalog_of(service("a", ANSWERED), service("b", ANSWERED, JUDGED))
    return made


def row(name: str, slo: str, total: int, bad: int) -> dict[str, object]:
    counts = {"T": total, "B": bad, "A": total}
    every = {f"{kind}{w}": n for w in (*WINDOWS, BUDGET) for kind, n in counts.items()}
    return {"Service": name, "Slo": slo, "Sli": "", "Dimension": "", "Value": "", **every}


async def shown(services: FakeServices, **query: str) -> dict[tuple[str, str], dict[str, Any]]:
    answer = await show_slos(services, Request(query=query))
    assert answer.status == 200
    found = msgspec.json.decode(answer.body)["slos"]
    return {(one["service"], one["slo"]): one for one in found}


async def test_every_objective_of_all_services_is_shown_by_one_question(
    services: FakeServices,
) -> None:
    rows = [row("a", "answered", 1000, 5), row("b", "answered", 0, 0), row("b", "judged", 90, 18)]
    services.logs.answer("budgets", rows)

    for _ in range(3):
        found = await shown(services)

    assert [name for name, _ in services.logs.asked] == ["budgets"]
    assert list(found) == [("a", "answered"), ("b", "answered"), ("b", "judged")]
    first = found["a", "answered"]
    assert (first["status"], first["total"], first["good"]) == ("ok", 1000, 995)
    assert first["budget_left"] == 0.5
    assert first["burn"]["1h"] == {"rate": 0.5, "total": 1000, "bad": 5}
    assert first["judged_of"] is None
    assert found["b", "answered"]["status"] == "no-data"
    assert (found["b", "judged"]["status"], found["b", "judged"]["judged_of"]) == ("spent", 90)


async def test_one_service_can_be_asked_for(services: FakeServices) -> None:
    assert list(await shown(services, service="a")) == [("a", "answered")]
    with pytest.raises(NotFound, match="no service c"):
        await shown(services, service="c")


async def test_logs_that_are_out_leave_every_number_unknown(services: FakeServices) -> None:
    services.logs.fail("budgets")

    for one in (await shown(services)).values():
        assert one["status"] == "unknown"
        assert (one["total"], one["good"], one["budget_left"], one["burn"]) == (
            None,
            None,
            None,
            {},
        )
