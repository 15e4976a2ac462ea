"""The workbook: its queries pass Microsoft's analyser and find what is known to be there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from infra.generate.__main__ import CATALOG
from infra.generate.workbook import ORDER, budgets, panel, workbook_file
from infra.local.logs.analyser import analyse
from infra.local.logs.store import TelemetryStore
from shared.adapters.catalog import load_catalog
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.views.change_row import change_row
from tests.infra.local.logs.workspace import make_store

SERVICE = "fnol-summary"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

type Row = dict[str, Any]


def filled(name: str) -> str:
    """A panel as the workbook sends it: one service, the last hour, five minutes a point."""
    values = {"{From}": "ago(1h)", "{Until}": "now()", "{Bin}": "5m"}
    return panel(name, values | {"{Service}": f"'{SERVICE}'"})


@pytest.fixture
def store() -> Iterator[TelemetryStore]:
    with make_store(NOW) as made:
        yield made


def found(store: TelemetryStore, query: str) -> list[Row]:
    result = store.query(query)
    names = [name for name, _ in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def request(deployment: str, *, failed: bool = False, **properties: str) -> Row:
    named = {"backstop.deployment": deployment, "gen_ai.response.model": "gpt-4.1"}
    return {
        "TimeGenerated": NOW - 10 * MINUTE,
        "AppRoleName": SERVICE,
        "Success": not failed,
        "DurationMs": 200.0,
        "Properties": named | {f"backstop.{name}": value for name, value in properties.items()},
    }


def change(number: int, kind: EventKind, minutes_ago: int, **after: str) -> Row:
    event = ChangeEvent(
        id=f"event-{number}",
        kind=kind,
        service=SERVICE,
        incident="INC-1" if after else "",
        sequence=number,
        actor="backstop",
        what=f"did {number}",
        why="a secret reason",
        happened_at=NOW - minutes_ago * MINUTE,
        recorded_at=NOW,
        after=after,
    )
    told = change_row(event)
    return {
        "TimeGenerated": told.at,
        "AppRoleName": told.role,
        "Name": told.name,
        "Properties": told.properties,
    }


def test_the_file_is_a_workbook_of_the_catalogs_services() -> None:
    workbook = msgspec.json.decode(workbook_file(load_catalog(CATALOG)))

    _, parameters, *panels = workbook["items"]
    (service, _) = parameters["content"]["parameters"]
    named = [choice["value"] for choice in msgspec.json.decode(service["jsonData"])]
    assert named == sorted(load_catalog(CATALOG).services)
    assert [one["name"] for one in panels] == ["budgets", *ORDER]
    assert "{From}" not in msgspec.json.encode(panels).decode()


@pytest.mark.usefixtures("kept_analyser")
def test_microsofts_analyser_accepts_every_query() -> None:
    services = tuple(load_catalog(CATALOG).services.values())
    every = {name: filled(name) for name in ORDER} | {"budgets": budgets(services)}

    assert {name: one.errors for name, one in analyse(every).items() if one.errors} == {}


def test_budgets_say_what_is_left_of_every_objective(store: TelemetryStore) -> None:
    service = load_catalog(CATALOG).services[SERVICE]
    store.append("AppRequests", [request("v1", failed=at == 0) for at in range(200)])

    rows = {row["Slo"]: row for row in found(store, budgets((service,)))}

    answered = rows["fnol-summary-availability"]
    assert answered["BudgetLeft"] == pytest.approx(50)  # 1 of 200 failed, 1 % may
    assert answered["Burn1h"] == pytest.approx(0.5)
    assert answered["Burn5m"] is None
    assert rows.keys() == {slo.name for slo in service.slos}


def test_too_few_labels_are_no_budget(store: TelemetryStore) -> None:
    service = load_catalog(CATALOG).services[SERVICE]  # its outcomes need one for five answers
    label = {"Name": "backstop.outcome", "Properties": {"backstop.outcome": "rejected"}}
    about = {"TimeGenerated": NOW - 10 * MINUTE, "AppRoleName": SERVICE}
    store.append("AppRequests", [request("v1") for _ in range(100)])
    store.append("AppEvents", [about | label for _ in range(19)])

    rows = {row["Slo"]: row for row in found(store, budgets((service,)))}
    assert rows["fnol-summary-outcomes"]["BudgetLeft"] is None
    assert rows["fnol-summary-outcomes"]["Burn1h"] is None

    store.append("AppEvents", [about | label])
    rows = {row["Slo"]: row for row in found(store, budgets((service,)))}
    assert rows["fnol-summary-outcomes"]["BudgetLeft"] == pytest.approx(-900)


def test_errors_are_drawn_with_what_changed(store: TelemetryStore) -> None:
    store.append("AppRequests", [request("v2", failed=at < 5) for at in range(20)])
    store.append("AppRequests", [request("v2", failed=True, probe="true")])
    told = change(1, EventKind.RELEASE_REGISTERED, 20)
    store.append("AppEvents", [told, told])  # a repeat of the bus

    points = {row["Series"]: row["Value"] for row in found(store, filled("errors"))}

    assert points == {"% failed on v2": 25.0, "release.registered": 1.0}


def test_changes_come_from_backstop_and_from_the_activity_log(store: TelemetryStore) -> None:
    store.append("AppEvents", [change(1, EventKind.INTENT_CONFIRMED, 5)])
    store.append("AppEvents", [change(2, EventKind.NOTED, 5)])
    write = {
        "TimeGenerated": NOW - 7 * MINUTE,
        "OperationNameValue": "MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/ONLINEENDPOINTS/WRITE",
        "ActivityStatusValue": "Success",
        "Caller": "a pipeline",
        "ResourceId": f"/subscriptions/1/workspaces/w/onlineendpoints/{SERVICE}",
    }
    other = write | {"ResourceId": "/subscriptions/1/workspaces/w/onlineendpoints/other"}
    store.append("AzureActivity", [write, other])

    rows = found(store, filled("changes"))

    assert [(row["What"], row["Who"]) for row in rows] == [
        ("rollback.confirmed", "backstop"),
        (write["OperationNameValue"], "a pipeline"),
    ]


def test_versions_are_compared_by_errors_latency_and_cost(store: TelemetryStore) -> None:
    store.append("AppRequests", [request("v1", cost="0.5") for _ in range(4)])
    store.append("AppRequests", [request("v2", failed=True) for _ in range(4)])

    rows = {row["Deployment"]: row for row in found(store, filled("versions"))}

    assert (rows["v1"]["FailedPercent"], rows["v1"]["Cost"]) == (0.0, 0.5)
    assert rows["v2"]["FailedPercent"] == 100.0
    assert rows["v2"]["Cost"] is None


def test_outcomes_are_shares_of_their_moment(store: TelemetryStore) -> None:
    labels = ["accepted"] * 3 + ["rejected"]
    store.append("AppEvents", [outcome(label) for label in labels])

    shares = {row["Outcome"]: row["Share"] for row in found(store, filled("outcomes"))}

    assert shares == {"accepted": 75.0, "rejected": 25.0}


def outcome(label: str) -> Row:
    return {
        "TimeGenerated": NOW - 10 * MINUTE,
        "AppRoleName": SERVICE,
        "Name": "backstop.outcome",
        "Properties": {"backstop.outcome": label},
    }


def test_a_request_costs_what_was_told(store: TelemetryStore) -> None:
    store.append("AppRequests", [request("v1", cost=cost) for cost in ("0.25", "0.75")])

    (point,) = found(store, filled("cost"))

    assert (point["Deployment"], point["Cost"]) == ("v1", 0.5)


def test_an_incident_is_open_until_its_last_event_says_otherwise(store: TelemetryStore) -> None:
    opened = change(1, EventKind.INCIDENT_OPENED, 30, state="opened", severity="SEV1")
    store.append("AppEvents", [opened])
    (row,) = found(store, filled("incidents"))
    assert (row["Incident"], row["State"], row["Severity"]) == ("INC-1", "opened", "SEV1")

    resolved = change(2, EventKind.RESOLVED, 20, state="resolved", severity="SEV1")
    store.append("AppEvents", [resolved, opened])  # the bus promises no order

    assert found(store, filled("incidents")) == []


def test_an_incident_keeps_what_its_last_events_do_not_say(store: TelemetryStore) -> None:
    events = [
        change(1, EventKind.INCIDENT_OPENED, 30, state="opened", severity="SEV2"),
        change(2, EventKind.DIAGNOSED, 29, state="diagnosed"),
        change(3, EventKind.SEVERITY_CHANGED, 28, severity="SEV1"),
        change(4, EventKind.NOTED, 27, text="seen"),
    ]
    store.append("AppEvents", events)

    (row,) = found(store, filled("incidents"))

    assert (row["Severity"], row["State"], row["Service"]) == ("SEV1", "diagnosed", SERVICE)
    moments = [row[name].replace(tzinfo=UTC) for name in ("Opened", "Last")]
    assert moments == [NOW - 30 * MINUTE, NOW - 27 * MINUTE]


def test_the_newest_health_of_each_part_is_shown(store: TelemetryStore) -> None:
    told = {"backstop.check": "answers", "backstop.checked": "golden"}
    store.append(
        "AppEvents",
        [
            {
                "TimeGenerated": NOW - ago * MINUTE,
                "AppRoleName": SERVICE,
                "Name": "backstop.health_check",
                "Properties": told | {"backstop.verdict": verdict},
            }
            for ago, verdict in ((5, "failed"), (9, "passed"))
        ],
    )

    (row,) = found(store, filled("health"))

    assert (row["Checked"], row["Verdict"]) == ("golden", "failed")


def test_no_reason_of_a_change_is_told() -> None:
    row = change(1, EventKind.INCIDENT_OPENED, 1, state="opened", severity="SEV1")

    assert "a secret reason" not in str(row)
