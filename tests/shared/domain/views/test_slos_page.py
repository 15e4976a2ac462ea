"""What the objectives' page says: budgets, burns, policies; what nobody could tell is unknown."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.domain.catalog import Catalog
from shared.domain.decisions.control import Controls
from shared.domain.slos.balance import Balance, Count, Status
from shared.domain.slos.crossing import BudgetState, Crossed, lines
from shared.domain.slos.slo import AlertAction, BudgetAction, BudgetStep, BurnAlert, Slo
from shared.domain.views.chart import Tone
from shared.domain.views.slos_page import ObjectiveCard, SlosPage, present_slos
from tests.shared.domain.incidents.situations import NOW, SERVICE
from tests.shared.domain.slos.services import JUDGED

SLOW = BurnAlert(burn_rate=1.0, short_window="6h", long_window="3d", action=AlertAction.TICKET)
FAST = BurnAlert(burn_rate=10.0, short_window="5m", long_window="1h")
POLICY = (
    BudgetStep(spent=0.5, action=BudgetAction.TICKET),
    BudgetStep(spent=1.0, action=BudgetAction.FREEZE),
)
NONE = Controls()
SLO = Slo(
    name="answered",
    sli="availability",
    objective=0.99,
    alerts=(FAST, SLOW),
    budget_policy=POLICY,
)


def balance(slo: Slo = SLO, **changes: Any) -> Balance:
    kept = Balance(service=SERVICE.name, slo=slo, status=Status.OK)
    return msgspec.structs.replace(kept, **changes)


def page(found: Balance | None, controls: Controls = NONE, slo: Slo = SLO) -> SlosPage:
    service = msgspec.structs.replace(SERVICE, slos=(slo,))
    balances = {(SERVICE.name, slo.name): found} if found else {}
    return present_slos(Catalog(services={SERVICE.name: service}), balances, controls)


def card(found: Balance | None, controls: Controls = NONE, slo: Slo = SLO) -> ObjectiveCard:
    return page(found, controls, slo).services[0].objectives[0]


def crossed(**changes: Any) -> Controls:
    """The first line of the policy was crossed an hour ago, and what follows was done."""
    line = lines(balance(left=0.4))[0]
    found = Crossed(
        name=line.name,
        kind=line.kind,
        action=line.action,
        severity=line.severity,
        since=NOW - timedelta(hours=1),
        sentence=line.sentence,
        done=True,
    )
    state = msgspec.structs.replace(found, **changes)
    return Controls(budgets=(BudgetState(service=SERVICE.name, slo=SLO.name, crossed=(state,)),))


@pytest.mark.parametrize("found", [None, balance(status=Status.UNKNOWN)])
def test_what_the_logs_did_not_tell_is_unknown(found: Balance | None) -> None:
    shown = card(found)

    assert (shown.status, shown.budget.text, shown.budget.left) == ("unknown", "unknown", None)
    assert (shown.counted, shown.burns) == ("", ())
    assert page(found).unknown == 1
    assert all("unknown now" in line.state for line in shown.policy)


def test_what_is_left_and_how_fast_it_burns() -> None:
    windows = {
        "1h": Count(total=500, bad=60, answered=500, burn=12.0),
        "5m": Count(total=100, bad=20, answered=100, burn=20.0),
        "3d": Count(answered=0),
    }
    shown = card(
        balance(
            status=Status.BURNING,
            left=0.4,
            count=Count(total=2000, bad=12, answered=2000),
            windows=windows,
        )
    )

    assert shown.budget.text == "40 % left, burning"
    assert shown.counted == "1,988 good of 2,000"
    assert [(one.window, one.rate, one.tone) for one in shown.burns] == [
        ("5m", "20.0 times", Tone.BAD),
        ("1h", "12.0 times", Tone.BAD),
        ("3d", "no data", Tone.PLAIN),
    ]
    assert shown.burns[0].counted == "20 bad of 100"


def test_too_few_labels_are_said_to_be_insufficient() -> None:
    few = Count(total=3, bad=1, answered=900)
    shown = card(
        balance(JUDGED, status=Status.INSUFFICIENT, count=few, windows={"1h": few}), slo=JUDGED
    )

    assert shown.status == "insufficient"
    assert "Too few of the answers were judged" in shown.means
    assert "20 %" in shown.means
    assert shown.counted == "2 good of 3 judged, 900 answered"
    assert shown.burns[0].rate == "insufficient"


def test_every_line_of_the_policy_says_what_it_has_done() -> None:
    ticket, freeze, slow = card(balance(left=0.4), crossed()).policy

    assert (ticket.rule, ticket.state) == ("50 % spent: a ticket is made", "done")
    assert ticket.since is not None
    assert "60 % of the error budget of answered" in ticket.sentence
    assert (freeze.rule, freeze.state) == ("100 % spent: promotions rest", "not reached")
    assert slow.rule == "a burn of 1 over 3d: a ticket is made"


def test_a_line_that_was_just_reached_waits_for_the_next_look() -> None:
    ticket, freeze, _ = card(balance(left=0.4)).policy
    assert (ticket.state, freeze.state) == ("reached, done at the next look", "not reached")


@pytest.mark.parametrize(
    ("changes", "state"),
    [({"done": False}, "crossed, and being done"), ({"ended_at": NOW}, "over")],
)
def test_a_line_on_its_way(changes: dict[str, Any], state: str) -> None:
    assert card(balance(left=0.4), crossed(**changes)).policy[0].state == state


def test_what_a_policy_did_is_known_without_the_logs_and_unknown_without_the_tables() -> None:
    assert card(None, crossed()).policy[0].state == "done"
    dark = page(balance(left=0.4), Controls(known=False))
    assert not dark.controls_known
    assert {line.state for line in dark.services[0].objectives[0].policy} == {"unknown"}


def test_a_service_that_promises_nothing_has_a_part_of_its_own() -> None:
    bare = msgspec.structs.replace(SERVICE, slos=())
    shown = present_slos(Catalog(services={bare.name: bare}), {}, Controls())
    assert [(one.name, one.objectives) for one in shown.services] == [(bare.name, ())]
