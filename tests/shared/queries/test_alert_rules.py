"""The alert rules on rows with a known content: what fires, and what is just not enough."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.local.logs.analyser import Analysis, analyse, missing
from infra.local.played import SECOND as CLAIM_ROUTING
from infra.local.simulation.evaluation import read
from shared.adapters.catalog import load_catalog
from shared.domain.detection.burning import burn_rules
from shared.domain.detection.limits import mistakes
from shared.domain.detection.rule import AlertRule
from shared.domain.detection.rules import rules_of
from tests.infra.local.logs.workspace import NOW, make_store
from tests.shared.domain.detection.watched import ACCEPTED, QUOTES, TARGET

type Row = dict[str, Any]

MINUTE = timedelta(minutes=1)
RULES = {rule.name.removeprefix("quotes-"): rule for rule in rules_of(QUOTES)}
BURN, PART = RULES["availability-burn-14.4x-1h"], RULES["availability-part-14.4x-1h"]
WHOLE: list[tuple[tuple[str, str], ...]] = [()]
SWEDEN = (("Dimension", "region"), ("Value", "swedencentral"))


def fired(rule: AlertRule, rows: Sequence[Row], table: str = "AppRequests") -> list[Any]:
    """The time series for which the rule fires, by its own operator and threshold."""
    with make_store() as store:
        store.append(table, list(rows))
        readings = read(rule, store.query(rule.query))
    assert all(one.target == TARGET for one in readings)
    return sorted(one.series for one in readings if one.fires)


def row(count: int, *, ago: timedelta = MINUTE, **columns: Any) -> Row:
    """So many of the service's rows at once; names with an underscore are properties."""
    properties = {
        f"backstop.{name[1:]}": value for name, value in columns.items() if name[0] == "_"
    }
    kept = {name: value for name, value in columns.items() if name[0] != "_"}
    time = {"TimeGenerated": NOW - ago, "ItemCount": count}
    return {"AppRoleName": "quotes", **time, "Properties": properties, **kept}


def requests(good: int, bad: int, **columns: Any) -> list[Row]:
    """Good and bad requests, without those that are none."""
    both = [row(good, Success=True, **columns), row(bad, Success=False, **columns)]
    return [one for one in both if one["ItemCount"]]


@pytest.mark.parametrize(("bad", "fires"), [(144, True), (143, False)])
def test_a_budget_that_burns_just_so_fast_fires(bad: int, fires: bool) -> None:
    assert (fired(BURN, requests(1000 - bad, bad)) == WHOLE) is fires


def test_both_windows_must_burn() -> None:
    bad, hour_ago = requests(0, 500), 30 * MINUTE

    assert fired(BURN, [*bad, *requests(500, 0, ago=hour_ago)]) == WHOLE
    assert fired(BURN, [*bad, *requests(5000, 0, ago=hour_ago)]) == []  # it hardly matters yet
    assert fired(BURN, [*requests(0, 500, ago=hour_ago), *requests(500, 0)]) == []  # it is over


@pytest.mark.parametrize(("count", "fires"), [(50, True), (49, False)])
def test_a_few_bad_requests_in_a_quiet_hour_do_not_fire(count: int, fires: bool) -> None:
    assert bool(fired(BURN, requests(0, count))) is fires


def test_probes_and_other_services_are_not_counted() -> None:
    probes = requests(0, 500, _probe="true")
    others = requests(0, 500, AppRoleName="another")

    assert fired(BURN, [*requests(500, 0), *probes, *others]) == []


def test_a_region_fires_alone_while_the_whole_looks_well() -> None:
    hurt = requests(50, 50, _region="swedencentral", _deployment="v1")
    well = requests(900, 0, _region="westeurope", _deployment="v1")

    assert fired(PART, [*hurt, *well]) == [SWEDEN]
    assert fired(BURN, [*hurt, *well]) == []


def test_a_canary_fires_alone_in_all_regions() -> None:
    canary = [
        one
        for region in ("swedencentral", "westeurope")
        for one in requests(0, 30, _region=region, _deployment="v2")
    ]
    well = requests(940, 0, _region="westeurope", _deployment="v1")

    assert fired(PART, [*canary, *well]) == [(("Dimension", "deployment"), ("Value", "v2"))]


def test_a_region_is_named_though_the_whole_burns_with_it() -> None:
    hurt = requests(0, 200, _region="swedencentral", _deployment="v1")
    well = requests(790, 10, _region="westeurope", _deployment="v1")

    assert fired(PART, [*hurt, *well]) == [SWEDEN]
    assert fired(BURN, [*hurt, *well]) == WHOLE


@pytest.mark.parametrize(("bad", "fires"), [(400, True), (398, False)])
def test_a_region_that_is_twice_as_ill_as_the_rest_is_told(bad: int, fires: bool) -> None:
    hurt = requests(1000 - bad, bad, _region="swedencentral", _deployment="v1")
    ill = requests(1600, 400, _region="westeurope", _deployment="v1")

    assert fired(PART, [*hurt, *ill]) == ([SWEDEN] if fires else [])


def test_an_outage_of_all_parts_alike_is_told_by_the_whole_alone() -> None:
    rows = [
        one
        for region in ("swedencentral", "westeurope", "northeurope")
        for one in requests(100, 150, _region=region, _deployment="v1")
    ]

    assert fired(PART, rows) == []
    assert fired(BURN, rows) == WHOLE


@pytest.mark.parametrize(("gone", "fires"), [(60, True), (61, False)])
def test_a_version_that_serves_nobody_any_more_is_no_part(gone: int, fires: bool) -> None:
    """Its requests stay in the windows after a rollback, among which no good ones come any more."""
    at = {"_region": "westeurope", "ago": MINUTE + timedelta(seconds=gone)}
    left = requests(60, 40, _deployment="v2", **at)
    back = requests(900, 0, _region="westeurope", _deployment="v1")

    found = fired(PART, [*left, *back])

    assert found == ([(("Dimension", "deployment"), ("Value", "v2"))] if fires else [])


def test_what_there_is_nothing_to_compare_with_is_no_part() -> None:
    alone = requests(0, 100, _region="westeurope", _deployment="v1")
    few = requests(49, 0, _region="northeurope", _deployment="v2")

    assert fired(PART, [*alone, *few]) == []


def test_parts_that_nobody_names_are_left_out() -> None:
    assert fired(PART, [*requests(0, 60), *requests(940, 0, _region="westeurope")]) == []


@pytest.mark.parametrize(("total", "good"), [(1000, 849), (50, 35)])
def test_outcomes_that_are_surely_too_rare_fire(total: int, good: int) -> None:
    assert fired(RULES["accepted-floor"], outcomes(total, good), "AppEvents") == WHOLE


@pytest.mark.parametrize(
    ("total", "good"),
    [
        (1000, 851),  # less than five points
        (50, 40),  # ten points, which fifty outcomes may be by chance
        (49, 20),  # too few to say anything
    ],
)
def test_outcomes_that_may_be_chance_do_not_fire(total: int, good: int) -> None:
    assert fired(RULES["accepted-floor"], outcomes(total, good), "AppEvents") == []


def test_outcomes_are_told_when_they_become_known() -> None:
    late = [
        row(count, _outcome=outcome, _answered_at="2026-11-20T12:00:00Z", Name="backstop.outcome")
        for outcome, count in (("accepted", 40), ("rejected", 60))
    ]
    earlier = [one | {"TimeGenerated": NOW - 16 * MINUTE} for one in late]

    assert fired(RULES["accepted-floor"], late, "AppEvents") == WHOLE
    assert fired(RULES["accepted-floor"], earlier, "AppEvents") == []


SHARED = msgspec.structs.replace(
    ACCEPTED,
    indicator=msgspec.structs.replace(ACCEPTED.indicator, least_labelled=0.2),
)
(QUALITY,) = burn_rules(QUOTES, SHARED)  # within 30 minutes and 6 hours, fifty labels at least


@pytest.mark.parametrize(("labels", "fires"), [(200, True), (199, False)])
def test_a_fifth_of_the_answers_must_be_labelled_to_say_anything(labels: int, fires: bool) -> None:
    told = [*rejected(labels), *answered(600), *answered(400)]

    assert fired(QUALITY, told, "AppEvents") == (WHOLE if fires else [])


@pytest.mark.parametrize(("earlier", "fires"), [(1000, True), (1001, False)])
def test_enough_must_be_labelled_in_both_windows(earlier: int, fires: bool) -> None:
    hours_ago = timedelta(hours=3)
    told = [*rejected(300), *answered(500), *answered(earlier, ago=hours_ago)]

    assert fired(QUALITY, told, "AppEvents") == (WHOLE if fires else [])
    assert fired(QUALITY, [*rejected(99), *answered(500), *rejected(900, ago=hours_ago)],
                 "AppEvents") == []  # fmt: skip


def test_where_nobody_tells_how_many_were_answered_the_least_number_is_asked() -> None:
    assert fired(QUALITY, rejected(50), "AppEvents") == WHOLE
    assert fired(QUALITY, rejected(49), "AppEvents") == []


def test_how_many_were_answered_is_no_label() -> None:
    assert fired(QUALITY, [*rejected(49), *answered(100)], "AppEvents") == []


def test_a_label_of_an_answer_that_was_given_before_the_window_is_none_of_it() -> None:
    before = (NOW - timedelta(hours=7)).isoformat()
    late = [one | {"Properties": one["Properties"] | {"backstop.answered_at": before}}
            for one in rejected(500)]  # fmt: skip

    assert fired(QUALITY, [*late, *rejected(60), *answered(400)], "AppEvents") == []
    assert fired(QUALITY, [*late, *rejected(60), *answered(300)], "AppEvents") == WHOLE


def test_the_share_is_asked_of_one_table_as_minutely_rules_must() -> None:
    assert mistakes(QUALITY) == ()
    assert QUALITY.query.count("AppEvents") == 1
    assert "AppRequests" not in QUALITY.query


def rejected(count: int, **columns: Any) -> list[Row]:
    return [row(count, _outcome="rejected", Name="backstop.outcome", **columns)]


def answered(count: int, **columns: Any) -> list[Row]:
    """What the helper tells once a minute; probes are not among them."""
    told = row(1, _answered=str(count), Name="backstop.answered", **columns)
    probes = row(1, _answered="5000", Name="backstop.answered", _probe="true", **columns)
    return [told, probes]


def outcomes(total: int, good: int) -> list[Row]:
    told: Row = {"Name": "backstop.outcome"}
    return [
        row(good, _outcome="accepted", **told),
        row(total - good, _outcome="rejected", **told),
        row(500, _outcome="rejected", Name="another event"),
    ]


@pytest.mark.parametrize(
    ("total", "failed", "fires"), [(50, 5, True), (50, 4, False), (49, 20, False)]
)
def test_a_tool_that_refuses_fires_by_its_name(total: int, failed: int, fires: bool) -> None:
    calls = [
        *calls_of("coverage_check", total - failed, failed),
        *calls_of("policy_lookup", 500, 0),
        *calls_of("coverage_check", 0, 500, operation="chat"),
    ]

    found = fired(RULES["tool-failures"], calls, "AppDependencies")

    assert found == ([(("Tool", "coverage_check"),)] if fires else [])


@pytest.mark.parametrize(("seconds", "fires"), [(120, True), (121, False)])
def test_a_tool_that_works_again_does_not_fire(seconds: int, fires: bool) -> None:
    at = NOW - MINUTE - timedelta(seconds=seconds)
    failed = [one | {"TimeGenerated": at} for one in calls_of("coverage_check", 0, 100)]
    calls = [*failed, *calls_of("coverage_check", 500, 0)]

    assert bool(fired(RULES["tool-failures"], calls, "AppDependencies")) is fires


def calls_of(tool: str, good: int, failed: int, operation: str = "execute_tool") -> list[Row]:
    called = {"gen_ai.operation.name": operation, "gen_ai.tool.name": tool}
    rows = requests(good, failed, DependencyType="HTTP")
    return [one | {"Properties": called} for one in rows]


@pytest.mark.parametrize(("blocked", "fires"), [(6, True), (5, False)])
def test_content_safety_that_blocks_fires_by_the_deployment(blocked: int, fires: bool) -> None:
    told: Row = {"Message": "content safety"}
    traces = [
        row(blocked, _deployment="v2", _content_safety="blocked", **told),
        row(60 - blocked, _deployment="v2", _content_safety="allowed", **told),
        row(500, _deployment="v1", _content_safety="allowed", **told),
        row(500, _deployment="v2", _content_safety="blocked", Message="step finished"),
    ]

    found = fired(RULES["content-safety"], traces, "AppTraces")

    assert found == ([(("Deployment", "v2"),)] if fires else [])


@pytest.mark.parametrize(("gone", "fires"), [(120, True), (121, False)])
def test_a_version_that_blocked_and_serves_no_more_does_not_fire(gone: int, fires: bool) -> None:
    told: Row = {"Message": "content safety"}
    at = MINUTE + timedelta(seconds=gone)
    traces = [
        row(60, ago=at, _deployment="v2", _content_safety="blocked", **told),
        row(500, _deployment="v1", _content_safety="allowed", **told),
    ]

    assert bool(fired(RULES["content-safety"], traces, "AppTraces")) is fires


@pytest.mark.parametrize(
    ("age_s", "reported_ago", "fires"),
    [(3601, MINUTE, True), (3600, MINUTE, False), (7200, 16 * MINUTE, False)],
)
def test_an_index_that_stands_still_fires(age_s: int, reported_ago: timedelta, fires: bool) -> None:
    newest = (NOW - timedelta(seconds=age_s)).isoformat()
    told: Row = {"Name": "backstop.index_watermark", "_index": "rates"}
    earlier = row(1, ago=reported_ago + MINUTE, _watermark="2026-11-01T00:00:00Z", **told)
    reports = [earlier, row(1, ago=reported_ago, _watermark=newest, **told)]

    found = fired(RULES["index-old"], reports, "AppEvents")

    assert found == ([(("Index", "rates"),)] if fires else [])


def test_a_deployment_with_two_configurations_at_once_fires() -> None:
    both = [*served("a1", before=100, after=100), *served("b2", before=10, after=10)]

    assert fired(RULES["declared-is-not-served"], both) == [(("Deployment", "v1"),)]


@pytest.mark.parametrize(
    ("before", "after"), [(0, 100), (9, 100), (100, 9)], ids=["new", "rolling out", "rolled back"]
)
def test_a_configuration_that_takes_over_or_leaves_does_not(before: int, after: int) -> None:
    changing = [*served("a1", before=100, after=100), *served("b2", before=before, after=after)]

    assert fired(RULES["declared-is-not-served"], changing) == []


def test_two_deployments_may_have_two_configurations() -> None:
    rows = [*served("a1", before=100, after=100), *served("b2", before=50, after=50, by="v2")]
    unnamed = [row(50, ago=ago, Success=True, _deployment="v1") for ago in (MINUTE, 20 * MINUTE)]

    assert fired(RULES["declared-is-not-served"], [*rows, *unnamed]) == []


def served(configuration: str, *, before: int, after: int, by: str = "v1") -> list[Row]:
    """Requests before the last quarter of an hour and within it."""
    named = {"_deployment": by, "_configuration_digest": configuration}
    return [
        one
        for count, ago in ((before, 20 * MINUTE), (after, MINUTE))
        for one in requests(count, 0, ago=ago, **named)
    ]


SHIPPED = load_catalog(Path("shared/catalog")).services.values()
LOCAL = load_catalog(CLAIM_ROUTING.parent).services.values()
ALL = {rule.name: rule for service in (QUOTES, *SHIPPED, *LOCAL) for rule in rules_of(service)}
ALL["the labelled share"] = QUALITY


@pytest.fixture(scope="module")
def analysed(kept_analyser: None) -> dict[str, Analysis]:
    return analyse({name: rule.query for name, rule in ALL.items()})


@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("name", ALL)
def test_every_rule_is_kusto_and_has_the_columns_that_it_names(
    analysed: dict[str, Analysis], name: str
) -> None:
    rule, found = ALL[name], analysed[name]
    columns = dict(column.split(":") for column in found.columns)

    assert found.errors == ()
    assert columns[rule.measure_column] in {"real", "long"}
    texts = {rule.resource_id_column, *(one.name for one in rule.dimensions)}
    assert {columns[name] for name in texts} == {"string"}
