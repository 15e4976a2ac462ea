"""The queries over AppRequests, run by the real SDK against the local service."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.logs import Logs
from shared.domain.diagnosis.telemetry import AnswerStatus
from tests.infra.local.logs.workspace import ask, make_store
from tests.shared.queries.telemetry import (
    BIN,
    END,
    LAG,
    LATENCY_MS,
    SERVICE,
    SINCE,
    Row,
    counted,
    is_failed,
    is_slow,
    prop,
    requests,
    weigh,
    within,
)

ROWS = requests()
DEPLOYMENT = prop("backstop.deployment")
REGION = prop("backstop.region")
PROMPT = prop("backstop.prompt_version")
TENANT = prop("backstop.tenant")


@pytest.fixture
async def logs() -> AsyncIterator[Logs]:
    with make_store() as store:
        store.append("AppRequests", ROWS)
        async with ask(store, lag_s=LAG.total_seconds(), bin_s=BIN.total_seconds()) as asked:
            yield asked


def key_of(read: Callable[[Row], str]) -> Callable[[Row], tuple[str]]:
    return lambda row: (read(row),)


async def rows_of(logs: Logs, name: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = await logs.query(name, Service=SERVICE, **parameters)
    assert answer.status is AnswerStatus.COMPLETE, answer.detail
    return list(answer.rows)


async def test_versions_say_what_served_and_since_when(logs: Logs) -> None:
    found = await rows_of(logs, "versions", Since=SINCE)

    groups = counted(within(ROWS, SINCE), lambda row: (DEPLOYMENT(row), PROMPT(row)))
    assert {(row["Deployment"], row["PromptVersion"]) for row in found} == groups.keys()
    for row in found:
        rows = groups[row["Deployment"], row["PromptVersion"]]
        times = sorted(r["TimeGenerated"] for r in rows)
        assert row["ModelVersion"] == "gpt-4.1"
        assert (row["Total"], row["Failed"]) == (weigh(rows), weigh(rows, is_failed))
        assert (row["FirstSeen"], row["LastSeen"]) == (times[0], times[-1])
        assert min(r["DurationMs"] for r in rows) < row["P50Ms"] < row["P95Ms"]


async def test_versions_come_in_the_order_of_their_arrival(logs: Logs) -> None:
    found = await rows_of(logs, "versions", Since=SINCE)

    assert found == sorted(found, key=lambda row: row["FirstSeen"])


async def test_slices_say_where_it_fails_and_since_when(logs: Logs) -> None:
    until = END - timedelta(minutes=3)
    found = await rows_of(logs, "slices", Since=SINCE, Until=until)

    groups = counted(within(ROWS, SINCE, until), lambda row: (REGION(row), DEPLOYMENT(row)))
    assert [(row["Region"], row["Deployment"]) for row in found] == sorted(groups)
    for row in found:
        rows = groups[row["Region"], row["Deployment"]]
        assert (row["Total"], row["Failed"]) == (weigh(rows), weigh(rows, is_failed))
        assert row["FirstFailure"] == min(r["TimeGenerated"] for r in rows if is_failed(r))


async def test_a_slice_without_a_failure_has_no_first_one() -> None:
    good = [row | {"Success": True} for row in ROWS]
    with make_store() as store:
        store.append("AppRequests", good)
        async with ask(store) as logs:
            found = await rows_of(logs, "slices", Since=SINCE, Until=END)

    assert {row["FirstFailure"] for row in found} == {None}


async def test_slices_never_look_beyond_the_end(logs: Logs) -> None:
    found = await rows_of(logs, "slices", Since=SINCE, Until=END + timedelta(days=1))

    assert sum(row["Total"] for row in found) == weigh(
        counted(within(ROWS, SINCE), lambda _: ())[()]
    )


async def test_onset_counts_bins_and_leaves_silent_ones_out(logs: Logs) -> None:
    found = await rows_of(logs, "onset", Since=SINCE)

    groups = counted(
        within(ROWS, SINCE),
        lambda row: (
            row["TimeGenerated"].replace(second=0, microsecond=0),
            DEPLOYMENT(row),
            REGION(row),
        ),
    )
    keys = [(row["TimeGenerated"], row["Deployment"], row["Region"]) for row in found]
    assert keys == sorted(groups)
    for key, row in zip(keys, found, strict=True):
        rows = groups[key]
        assert (row["Total"], row["Failed"]) == (weigh(rows), weigh(rows, is_failed))


async def test_soak_counts_both_slis_for_each_deployment(logs: Logs) -> None:
    found = await rows_of(logs, "soak", Since=SINCE, LatencyThresholdMs=LATENCY_MS)

    groups = counted(within(ROWS, SINCE), key_of(DEPLOYMENT))
    assert found == [
        {"Deployment": name, "Sli": sli, "Total": weigh(rows), "Bad": weigh(rows, bad)}
        for (name,), rows in sorted(groups.items())
        for sli, bad in (("availability", is_failed), ("latency", is_slow))
    ]


async def test_tenants_count_the_requests_of_each_the_most_hurt_first(logs: Logs) -> None:
    found = await rows_of(logs, "tenants", Since=SINCE, LatencyThresholdMs=LATENCY_MS)

    groups = counted(within(ROWS, SINCE), key_of(TENANT))
    named = {name: rows for (name,), rows in groups.items() if name}
    expected = [
        {
            "Tenant": name,
            "Total": weigh(rows),
            "Failed": weigh(rows, is_failed),
            "Slow": weigh(rows, is_slow),
            "Served": 3,
        }
        for name, rows in named.items()
    ]
    assert len(named) == 3
    assert found == sorted(
        expected, key=lambda row: (-int(row["Failed"]) - int(row["Slow"]), row["Tenant"])
    )


async def test_a_service_that_names_no_tenant_has_no_rows_of_any() -> None:
    properties = {"backstop.region": "westeurope"}
    rows = [row | {"Properties": properties, "AppRoleName": SERVICE} for row in ROWS]
    with make_store() as store:
        store.append("AppRequests", rows)
        async with ask(store) as logs:
            answer = await logs.query(
                "tenants", Service=SERVICE, Since=SINCE, LatencyThresholdMs=LATENCY_MS
            )

    assert answer.status is AnswerStatus.EMPTY


async def test_thousands_of_tenants_are_counted_but_only_the_most_hurt_are_told() -> None:
    rows = [
        ROWS[0]
        | {
            "TimeGenerated": SINCE,
            "AppRoleName": SERVICE,
            "ItemCount": 1,
            "Success": number >= 3,
            "DurationMs": 1.0,
            "Properties": {"backstop.tenant": f"org-{number:04}"},
        }
        for number in range(1200)
    ]
    with make_store() as store:
        store.append("AppRequests", rows)
        async with ask(store) as logs:
            found = await rows_of(logs, "tenants", Since=SINCE, LatencyThresholdMs=LATENCY_MS)

    assert len(found) == 500
    assert {row["Served"] for row in found} == {1200}
    assert [row["Tenant"] for row in found if row["Failed"]] == ["org-0000", "org-0001", "org-0002"]


async def test_affected_pages_through_every_operation_once(logs: Logs) -> None:
    after: dict[str, Any] = {"AfterTime": SINCE, "AfterId": ""}
    window: dict[str, Any] = {"Since": SINCE, "Until": END, "Deployment": "v2", "Limit": 7}
    seen: list[str] = []
    answer = await logs.query("affected", Service=SERVICE, **window, **after)
    while answer.status is AnswerStatus.COMPLETE and len(seen) <= len(ROWS):
        seen += [str(row["OperationId"]) for row in answer.rows]
        last = answer.rows[-1]
        after = {"AfterTime": last["TimeGenerated"], "AfterId": last["OperationId"]}
        answer = await logs.query("affected", Service=SERVICE, **window, **after)

    served = counted(within(ROWS, SINCE), key_of(DEPLOYMENT))["v2",]
    assert answer.status is AnswerStatus.EMPTY
    assert sorted(seen) == sorted(row["OperationId"] for row in served)


async def test_affected_pages_through_operations_of_one_instant() -> None:
    rows = [ROWS[0] | {"OperationId": name, "TimeGenerated": SINCE} for name in "bdac"]
    for row in rows:
        row["AppRoleName"] = SERVICE
        row["Properties"] = {"backstop.deployment": "v2"}
    window: dict[str, Any] = {"Since": SINCE, "Until": END, "Deployment": "v2", "Limit": 2}
    with make_store() as store:
        store.append("AppRequests", rows)
        async with ask(store) as logs:
            first = await rows_of(logs, "affected", **window, AfterTime=SINCE, AfterId="")
            second = await rows_of(logs, "affected", **window, AfterTime=SINCE, AfterId="b")

    assert [row["OperationId"] for row in first + second] == ["a", "b", "c", "d"]


async def test_anomalies_flag_the_bins_where_failures_jump() -> None:
    window = timedelta(minutes=30)
    burst = END - timedelta(minutes=4)
    rows = [
        ROWS[0]
        | {
            "TimeGenerated": END - timedelta(minutes=minute + 1),
            "AppRoleName": SERVICE,
            "ItemCount": 10,
            "Success": minute % 5 != 0,
            "Properties": {"backstop.region": "westeurope"},
        }
        for minute in range(30)
    ]
    rows += [rows[0] | {"TimeGenerated": burst, "Success": False, "ItemCount": 90}]
    with make_store() as store:
        store.append("AppRequests", rows)
        async with ask(store, lag_s=LAG.total_seconds()) as logs:
            found = await rows_of(logs, "anomalies", Window=window)

    flagged = [row for row in found if row["Flag"] > 0]
    recent = [row for row in rows if row["TimeGenerated"] >= END - timedelta(minutes=20)]
    assert len(found) == 20
    assert {row["Region"] for row in found} == {"westeurope"}
    assert sum(row["Total"] for row in found) == weigh(recent)
    assert [(row["TimeGenerated"], row["Failed"]) for row in flagged] == [(burst, 90)]
