"""Direct pages as the pager and the incident are told of them."""

from datetime import timedelta

import pytest

from shared.domain.catalog import Catalog
from shared.domain.event import EventKind
from shared.domain.incidents.alarm import Alarm, alarm_of
from shared.domain.incidents.direct_page import (
    render_direct_end,
    render_direct_page,
    tell_direct_pages,
)
from shared.domain.incidents.incident import Incident
from tests.fakes.scene import fired
from tests.shared.domain.decisions.worked_case import INCIDENT, NOW, SERVICE, alter

CATALOG = Catalog(services={SERVICE.name: SERVICE})
LATER = timedelta(seconds=20)
ADA, BEN, _ = SERVICE.contacts


def alarm() -> Alarm:
    found = alarm_of(fired(), CATALOG, why="the tables did not answer", now=NOW, due_at=NOW)
    assert found is not None
    return found


def sent() -> Alarm:
    """Ada and Ben were paged."""
    one = alarm().paged(ADA, SERVICE, NOW, refused=False)
    return one.paged(BEN, SERVICE, NOW + LATER, refused=False)


def paged(incident: Incident) -> list[str]:
    return [page.contact for page in incident.pages]


def test_the_page_says_why_backstop_does_nothing() -> None:
    body = render_direct_page(
        alarm(), SERVICE.contacts[0], SERVICE, key="key", url="https://b.example", now=NOW
    )
    payload = body["payload"]
    assert isinstance(payload, dict)
    details = payload["custom_details"]
    assert (body["routing_key"], body["event_action"]) == ("key", "trigger")
    assert details["paged"] == "Ada: directly, because the tables did not answer"
    assert "the tables did not answer" in details["backstop"]


def test_an_end_has_the_name_and_nothing_else() -> None:
    assert render_direct_end(alarm(), key="key", now=NOW) == {
        "routing_key": "key",
        "event_action": "resolve",
        "dedup_key": alarm().incident.id,
    }


def test_direct_pages_are_told_in_the_incident() -> None:
    sent = alarm().paged(ADA, SERVICE, NOW, refused=False)

    step = tell_direct_pages(INCIDENT, sent, NOW + LATER)

    (event,) = step.events
    assert event.kind is EventKind.PAGED_DIRECTLY
    assert event.what == "paged directly: Ada at 14:05 UTC"
    assert (event.why, event.happened_at) == ("the tables did not answer", NOW)
    assert step.incident is not None
    assert step.incident.sequence == INCIDENT.sequence + 1


def test_pages_under_the_incident_s_name_are_its_own_where_it_does_not_repeat_them() -> None:
    opened = alter(alarm().incident, pages=sent().sent[:1])

    step = tell_direct_pages(opened, sent(), NOW + LATER)

    assert step.incident is not None
    assert paged(step.incident) == ["Ada", "Ben"]
    assert step.events[0].evidence["added"] == ["Ben"]
    assert step.commands == ()


def test_pages_under_another_name_are_told_only() -> None:
    step = tell_direct_pages(INCIDENT, sent(), NOW + LATER)

    assert step.incident is not None
    assert step.incident.pages == INCIDENT.pages
    assert step.events[0].evidence["added"] == []


@pytest.mark.parametrize("seen", [True, False])
def test_what_is_seen_already_is_calmed_for_them_too(seen: bool) -> None:
    opened = alter(alarm().incident, acknowledged_at=NOW if seen else None)

    assert tell_direct_pages(opened, sent(), NOW).commands == (("page",) if seen else ())
