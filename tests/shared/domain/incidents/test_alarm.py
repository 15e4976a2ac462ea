"""Alarms: whom to page for a grave alert that triage has not taken, under which name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerts.alert import Alert
from shared.domain.catalog import UNOWNED, Catalog, CatalogMistake, Service
from shared.domain.incidents.alarm import (
    KEPT,
    MOST_ALERTS,
    MUTE,
    Alarm,
    alarm_of,
    name_of,
    next_direct_page,
    service_of,
)
from shared.domain.incidents.direct_page import render_direct_page
from shared.domain.incidents.incident import Severity
from shared.domain.incidents.triage import triage
from shared.domain.keys import shard_of
from shared.domain.views.page import dedup_key
from shared.domain.windows import Once
from tests.fakes.scene import ended, fired
from tests.shared.domain.decisions.worked_case import NOW, SERVICE, alter

CATALOG = Catalog(services={SERVICE.name: SERVICE})
NOBODYS = "/subscriptions/s/resourcegroups/r/providers/microsoft.web/sites/brochure"
ALERT = fired()
LATER = timedelta(seconds=20)


def alarm(alert: Alert = ALERT, catalog: Catalog = CATALOG, **changes: Any) -> Alarm:
    found = alarm_of(alert, catalog, why="the tables did not answer", now=NOW, due_at=NOW)
    assert found is not None
    return alter(found, **changes)


def page_all(found: Alarm, now: datetime, *, refused: bool = False) -> tuple[Alarm, list[str]]:
    """Page whoever is due now; answer their names."""
    names: list[str] = []
    contact = next_direct_page(found, SERVICE, now)
    while contact is not None:
        found = found.paged(contact, SERVICE, now, refused=refused)
        names.append(contact.name)
        contact = next_direct_page(found, SERVICE, now)
    return found, names


def test_it_has_the_severity_and_the_name_of_the_incident_that_triage_opens() -> None:
    opened = triage(
        ALERT,
        service=SERVICE,
        claim=None,
        open_incident=None,
        now=NOW + LATER,
        shard=shard_of(SERVICE.name),
    ).incident
    assert opened is not None

    body = render_direct_page(
        alarm(), SERVICE.contacts[0], SERVICE, key="key", url="https://b.example", now=NOW
    )

    assert alarm().incident.severity is opened.severity is Severity.SEV1
    assert body["dedup_key"] == dedup_key(opened)


@pytest.mark.parametrize(
    "mild",
    [fired(severity=2), fired(severity=None), ended(ALERT), fired(target=NOBODYS)],
    ids=["Sev2", "no severity", "an end", "nobody's"],
)
def test_what_would_wake_nobody_is_no_alarm(mild: Alert) -> None:
    assert alarm_of(mild, CATALOG, why="", now=NOW, due_at=NOW) is None


def test_where_the_owner_s_file_is_broken_the_duty_contact_is_paged() -> None:
    mistake = CatalogMistake(
        file="fnol.yaml", line=3, field="spec", problem="unknown", service=SERVICE.name
    )
    broken = Catalog(mistakes=(mistake,), broken_targets={ALERT.targets[0]: SERVICE.name})

    found = alarm(fired(severity=3), broken)

    assert service_of(found, broken) is UNOWNED
    contact = next_direct_page(found, UNOWNED, NOW)
    assert contact is not None
    assert contact.pager == "duty"


def test_alerts_of_one_target_are_one_alarm_and_of_another_another() -> None:
    assert name_of(fired("5xx"), CATALOG) == name_of(fired("slow"), CATALOG)
    assert name_of(fired(), CATALOG) != name_of(fired(target=NOBODYS), CATALOG)
    untargeted = alter(ALERT, targets=())
    assert name_of(untargeted, CATALOG) == untargeted.correlation_key


def test_nobody_is_paged_before_it_is_due() -> None:
    waiting = alarm(due_at=NOW + LATER)
    assert page_all(waiting, NOW + LATER - timedelta(seconds=1))[1] == []
    assert page_all(waiting, NOW + LATER)[1] == ["Ada"]


def test_who_does_not_acknowledge_is_followed_by_the_next() -> None:
    wait = timedelta(seconds=SERVICE.policy.acknowledge_within_s)
    found, names = page_all(alarm(), NOW)
    again = page_all(found, NOW + wait - timedelta(seconds=1))[1]
    found, later = page_all(found, NOW + wait)

    assert (names, again, later) == (["Ada"], [], ["Ben"])


def test_a_refused_page_woke_nobody_so_all_are_tried_at_once() -> None:
    found, names = page_all(alarm(), NOW, refused=True)

    assert set(names) == {"Ada", "Ben", "Cleo"}
    assert found.sent == ()


def test_what_joins_an_alarm_makes_it_graver_and_keeps_its_name_and_pages() -> None:
    paged = page_all(alarm(durable_at=NOW), NOW)[0]
    graver = paged.joined(alarm(fired("second", severity=0)))

    assert graver.incident.severity is Severity.SEV0
    assert (graver.incident.id, graver.sent) == (paged.incident.id, paged.sent)
    assert (len(graver.alerts), graver.durable_at) == (2, None)
    assert graver.joined(alarm(fired("second", severity=0))) == graver


def test_of_many_alerts_the_first_and_the_gravest_are_held() -> None:
    found = alarm()
    for number in range(2 * MOST_ALERTS):
        found = found.joined(alarm(fired(f"rule-{number}", severity=number % 2)))

    assert found.alerts[0] == ALERT
    assert [one.severity for one in found.alerts[1:]] == [0] * (MOST_ALERTS - 1)


def test_an_alert_that_triage_took_leaves_the_others_a_name_of_their_own() -> None:
    second = fired("second")
    paged = page_all(alarm().joined(alarm(second)), NOW)[0]
    left = paged.taken(ALERT, "INC-1", NOW)
    told = left.told(CATALOG, NOW)

    assert (left.taken_by, left.over_at) == ("INC-1", None)
    assert told.incident.id == alarm(second).incident.id
    assert (told.sent, told.incident.pages) == ((), paged.incident.pages)
    assert told.taken(second, "", NOW).over_at == NOW


def test_what_another_process_has_paged_counts() -> None:
    theirs = page_all(alarm(), NOW)[0]
    mine = alarm().knows(theirs.incident.pages)

    assert page_all(mine, NOW + LATER)[1] == []
    assert mine.sent == ()
    assert theirs.knows(()).incident.pages == theirs.incident.pages


def test_in_a_maintenance_nobody_is_paged() -> None:
    window = Once(start=NOW, end=NOW + LATER, reason="index rebuild")
    resting: Service = alter(SERVICE, maintenance=(window,))

    assert next_direct_page(alarm(), resting, NOW) is None
    assert next_direct_page(alarm(), resting, NOW + LATER) is not None


@pytest.mark.parametrize(
    ("changes", "after", "forgotten"),
    [
        ({}, 48 * KEPT, False),
        ({"durable_at": NOW}, KEPT, False),
        ({"durable_at": NOW}, KEPT + LATER, True),
        ({"over_at": NOW + LATER}, MUTE, False),
        ({"over_at": NOW + LATER}, MUTE + LATER, True),
        ({"over_at": NOW, "taken_by": "INC-1"}, KEPT, False),
        ({"over_at": NOW, "taken_by": "INC-1"}, KEPT + LATER, True),
    ],
)
def test_an_alarm_is_forgotten_some_time_but_not_while_its_alert_is_nowhere_else(
    changes: dict[str, Any], after: timedelta, forgotten: bool
) -> None:
    paged = alter(page_all(alarm(), NOW)[0], **changes)
    assert paged.is_forgotten(NOW.astimezone(UTC) + after) is forgotten
