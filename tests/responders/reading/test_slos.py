"""GET /api/slos: one question for all services, and unknown where the logs do not answer."""

from typing import Any

import msgspec
import pytest

from responders.reading.slos import show_slos, show_slos_page
from shared.domain.authority.caller import AppRole
from shared.domain.row import Put
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import USUAL_BUDGET_POLICY, WINDOWS, BudgetAction
from shared.domain.views.http import Request
from shared.errors import NotFound
from shared.protocol.records import BUDGETS, CONTROLS
from tests.fakes import FakeServices
from tests.fakes.callers import person
from tests.fakes.scene import new_services
from tests.fakes.services import catalog_of
from tests.shared.domain.slos.services import ANSWERED, JUDGED, service
from tests.shared.domain.slos.states import asking_for

KEPT = msgspec.structs.replace(ANSWERED, budget_policy=USUAL_BUDGET_POLICY)


@pytest.fixture
def services() -> FakeServices:
    made = new_services()
    made.outside.catalog = catalog_of(service("a", KEPT), service("b", ANSWERED, JUDGED))
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


async def page(services: FakeServices) -> str:
    answer = await show_slos_page(services, Request(caller=person(AppRole.RESPONDER)))
    assert answer.status == 200
    return answer.body.decode()


async def test_the_page_shows_every_objective_by_the_same_question(services: FakeServices) -> None:
    rows = [row("a", "answered", 1000, 5), row("b", "answered", 0, 0), row("b", "judged", 90, 18)]
    services.logs.answer("budgets", rows)

    html = await page(services)
    await shown(services)

    assert [name for name, _ in services.logs.asked] == ["budgets"]
    for said in ("50 % left", "995 good of 1,000", "no data", "overspent", "promotions rest"):
        assert said in html
    assert "unknown.</strong>" not in html


async def test_the_page_says_what_nobody_could_ask(services: FakeServices) -> None:
    services.logs.fail("budgets")

    html = await page(services)

    assert "<strong>3 objectives are unknown.</strong>" in html
    assert html.count('<strong class="plain">unknown</strong>') == 3
    assert "100 % left" not in html


async def test_the_page_says_what_a_policy_has_done(services: FakeServices) -> None:
    crossed = asking_for(BudgetAction.FREEZE, "a")
    line = msgspec.structs.replace(crossed.crossed[0], name="freeze-at-1")
    state = msgspec.structs.replace(crossed, crossed=(line,))
    await services.state.write(CONTROLS, [Put(row=f"{BUDGETS}|a|answered", value=state)])

    assert "95 % of the error budget of answered" in await page(services)


async def test_tables_that_are_out_leave_the_policies_unknown(services: FakeServices) -> None:
    services.outside.tables_out(out=True)
    assert "What the policies have done is unknown." in await page(services)


async def test_a_catalog_without_services_says_what_to_do(services: FakeServices) -> None:
    services.outside.catalog = catalog_of()
    assert "put one file into shared/catalog" in await page(services)
