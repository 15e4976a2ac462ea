"""What the first page says of services, budgets and the kill switch; unknown is never good."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.domain.catalog import Catalog, CatalogMistake, Mode, Target, TargetKind
from shared.domain.decisions.control import Controls, KillSwitch
from shared.domain.decisions.intent import EndpointRecord
from shared.domain.decisions.release import KnownGood
from shared.domain.incidents.incident import State
from shared.domain.views.home_page import HomePage, Overview, ServiceCard, present_home
from tests.shared.domain.incidents.situations import ENDPOINT, INCIDENT, NOW, SERVICE

RECORD = EndpointRecord(
    target=ENDPOINT,
    service=SERVICE.name,
    serving="v2",
    serving_since=NOW - timedelta(minutes=4),
    known_good=KnownGood(
        deployment="v1",
        version="v1-p12",
        earned_at=NOW - timedelta(hours=2),
        soaked_s=86_400,
        requests=120_000,
    ),
)
OVERVIEW = Overview(
    catalog=Catalog(services={SERVICE.name: SERVICE}),
    records={ENDPOINT: RECORD},
    balances={},
    open=(),
    newest=(),
    controls=Controls(),
)


def home(**changes: object) -> HomePage:
    return present_home(replace(OVERVIEW, **changes), NOW)


def card(**changes: object) -> ServiceCard:
    return home(**changes).services[0]


def switch(scope: str = "*", *, on: bool = True, minutes: float | None = 60) -> KillSwitch:
    ends = None if minutes is None else NOW + timedelta(minutes=minutes)
    return KillSwitch(scope=scope, on=on, by="Dana", reason="storm", at=NOW, expires_at=ends)


def stopped_by(*switches: KillSwitch) -> Controls:
    return Controls(kill_switches=switches)


def test_a_service_says_what_it_serves_and_what_is_proven() -> None:
    (serving,) = card().serving
    assert (serving.serving, serving.since) == ("v2", "for 4 min")
    assert serving.known_good == "v1"
    assert serving.evidence == "earned 2 h ago with 120,000 requests"


def test_without_a_record_nothing_is_claimed() -> None:
    (serving,) = card(records={}).serving
    assert (serving.serving, serving.known_good) == ("not seen yet", "none yet")


def test_a_kind_without_traffic_says_that_it_is_only_watched() -> None:
    agent = replace(SERVICE, targets=(Target(kind=TargetKind.AGENT, id=ENDPOINT),))
    (serving,) = card(catalog=Catalog(services={agent.name: agent})).serving
    assert serving.serving == ""
    assert "watched and paged" in serving.evidence


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_says_what_it_means(mode: Mode) -> None:
    service = replace(SERVICE, mode=mode)
    assert card(catalog=Catalog(services={service.name: service})).mode_means


def test_every_objective_has_its_budget() -> None:
    assert [budget.text for budget in card().budgets] == ["unknown"]


def test_a_kill_switch_for_all_stops_every_service() -> None:
    assert card(controls=stopped_by(switch())).stopped == "off by Dana"


@pytest.mark.parametrize(
    "harmless", [switch("policy-search"), switch(on=False), switch(minutes=-1)]
)
def test_a_switch_of_another_service_or_of_the_past_stops_nothing(harmless: KillSwitch) -> None:
    assert card(controls=stopped_by(harmless)).stopped == ""


def test_a_switch_says_whom_it_covers_and_for_how_long() -> None:
    shown = home(
        controls=stopped_by(switch(), switch(SERVICE.name, minutes=None), switch("x", on=False))
    ).switches
    assert [(one.covers, one.until) for one in shown] == [
        ("all services", "for 1 h more"),
        (SERVICE.title, "until turned on"),
    ]


def test_switches_that_cannot_be_read_stop_everything() -> None:
    page = home(controls=Controls(known=False))
    assert not page.controls_known
    assert page.services[0].stopped == "off: the kill switches cannot be read"


def test_open_incidents_are_counted_at_their_service() -> None:
    assert card(open=(INCIDENT,)).open_incidents == 1


def test_what_is_resolved_is_listed_as_earlier() -> None:
    over = replace(INCIDENT, state=State.RESOLVED)
    page = home(open=(INCIDENT,), newest=(INCIDENT, over))
    assert [line.state for line in page.open] == ["diagnosed"]
    assert [line.state for line in page.earlier] == ["resolved"]


def test_mistakes_of_the_catalog_are_named() -> None:
    mistake = CatalogMistake(file="claims.yaml", line=7, field="spec.mode", problem="is unknown")
    catalog = Catalog(services={SERVICE.name: SERVICE}, mistakes=(mistake,))
    assert home(catalog=catalog).mistakes == (mistake,)


def test_the_switch_can_be_turned_for_all_or_for_one() -> None:
    assert [scope for scope, _ in home().scopes] == ["*", SERVICE.name]


def test_what_the_version_that_serves_still_lacks_is_said_beside_the_known_good() -> None:
    (waiting,) = card().serving
    assert waiting.awaited == "v2 has served 4 min of 24 h."
    unproven = replace(RECORD, known_good=None, unmet=("no-open-incident",))
    (unproven_card,) = card(records={ENDPOINT: unproven}).serving
    assert unproven_card.awaited == "v2 waits: an incident of its service is open."
