"""A service whose error budget is spent and comes back, and what was told of it."""

import msgspec

from responders.alert.triage import triage
from responders.watching.budget import keep_budgets
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Incident
from shared.domain.slos.crossing import BudgetState
from shared.domain.slos.folding import BUDGET
from shared.domain.slos.slo import WINDOWS, AlertAction, BudgetAction, BudgetStep, BurnAlert, Slo
from shared.protocol.leftovers import Leftovers
from shared.protocol.listing import open_incidents
from shared.protocol.records import CONTROLS
from tests.fakes import FakeServices, catalog_of
from tests.fakes.scene import (
    SERVICE,
    message,
    new_services,
    told,
)

NOTHING = Leftovers(messages={}, effects=[], intents=[])
EVERY_S = 300.0
SLO = Slo(name="answered", sli="availability", objective=0.99, alerts=())
SLOW = BurnAlert(
    burn_rate=1.0,
    short_window="6h",
    long_window="3d",
    action=AlertAction.TICKET,
    minimum_requests=1,
)
RELEASE = {"service": SERVICE.name, "version": "2.0", "deployment": "v2", "why": "as planned"}


def world(*actions: BudgetAction, alerts: tuple[BurnAlert, ...] = ()) -> FakeServices:
    """A service whose policy asks for this once nine tenths of its budget are spent."""
    services = new_services(budget_every_s=EVERY_S)
    promise(services, *actions, alerts=alerts)
    return services


def promise(
    services: FakeServices, *actions: BudgetAction, alerts: tuple[BurnAlert, ...] = ()
) -> None:
    """The service's file promises one objective, with this policy and these alerts."""
    policy = tuple(BudgetStep(spent=0.9, action=one) for one in actions)
    slo = msgspec.structs.replace(SLO, budget_policy=policy, alerts=alerts)
    services.outside.catalog = catalog_of(msgspec.structs.replace(SERVICE, slos=(slo,)))


async def look(services: FakeServices, spent: float, burn: float = 0.0) -> None:
    """The logs tell of so much that is spent, and of so fast a burn; it is time to look."""
    spend(services, spent, burn)
    services.outside.wait(EVERY_S)
    await keep_budgets(services, NOTHING)


def spend(services: FakeServices, spent: float, burn: float = 0.0) -> None:
    """The logs tell of so much that is spent, and of so fast a burn."""
    row: dict[str, object] = {"Service": SERVICE.name, "Slo": "answered", "Sli": "availability"}
    row |= {"Dimension": "", "Value": ""}
    for window in WINDOWS:
        row |= {f"T{window}": 100_000, f"B{window}": round(1_000 * burn)}
    row |= {f"T{BUDGET}": 100_000, f"B{BUDGET}": round(1_000 * spent)}
    services.logs.answer("budgets", [row])


def crossings(services: FakeServices) -> list[ChangeEvent]:
    kinds = (EventKind.BUDGET_CROSSED, EventKind.BUDGET_RECOVERED)
    return [event for event in told(services) if event.kind in kinds]


async def triaged(services: FakeServices) -> list[Incident]:
    """The open incidents once triage has taken what was handed to it."""
    for one in services.bus.published["work"]:
        if one.subject == "triage":
            await triage(services, message("triage", one.body))
    return await open_incidents(services)


def stored(services: FakeServices) -> list[BudgetState]:
    rows = services.state.rows(CONTROLS, "budget|")
    return [services.state.peek(CONTROLS, row, BudgetState) for row in rows]
