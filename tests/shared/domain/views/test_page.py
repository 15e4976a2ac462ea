import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infra.local.inbox.pager_rules import find_mistakes
from shared.domain.incidents.incident import Severity, State
from shared.domain.views.page import PageAction, PageView, dedup_key, render_page, webhook_body
from tests.shared.domain.incidents.situations import DIAGNOSIS, INCIDENT, NOW, SERVICE

VIEW = PageView(
    incident=INCIDENT,
    service=SERVICE,
    diagnosis=DIAGNOSIS,
    routing_key="R" * 32,
    contact="Dana Reyes",
    reason="first contact, SEV1",
    now=NOW,
    incident_url="https://backstop.example/incidents/1",
    runbook_url="https://runbooks.example/fnol-summary",
)


def test_a_page_tells_the_worst_first() -> None:
    page = render_page(PageAction.TRIGGER, VIEW)
    assert page is not None
    assert page["payload"]["summary"].startswith(
        "SEV1 First notice of loss summaries: Customers get no good answer to 46 %"
    )
    assert page["payload"]["source"] == "fnol-summary"
    assert page["payload"]["timestamp"] == "2026-11-23T13:04:20+00:00"
    assert [link["href"] for link in page["links"]] == [VIEW.incident_url, VIEW.runbook_url]


def test_the_details_are_short_sentences() -> None:
    page = render_page(PageAction.TRIGGER, VIEW)
    assert page is not None
    assert page["payload"]["custom_details"] == {
        "paged": "Dana Reyes: first contact, SEV1",
        "severity": "tier 1 service; customers are affected.",
        "backstop": "Backstop has moved nothing. It is finding out what broke.",
        "found": "v2 fails 46 % of requests in swedencentral since 13:03:12.",
        "rto": "9 min left of 15 min, until 14:18 CET (13:18 UTC)",
        "command": "nobody yet; acknowledge to take it",
    }


@pytest.mark.parametrize(
    ("severity", "pagers"),
    [
        (Severity.SEV0, "critical"),
        (Severity.SEV1, "error"),
        (Severity.SEV2, "warning"),
        (Severity.SEV3, "info"),
    ],
)
def test_our_severity_becomes_the_pagers(severity: Severity, pagers: str) -> None:
    view = replace(VIEW, incident=replace(INCIDENT, severity=severity))
    page = render_page(PageAction.TRIGGER, view)
    assert page is not None
    assert page["payload"]["severity"] == pagers


@pytest.mark.parametrize("action", [PageAction.ACKNOWLEDGE, PageAction.RESOLVE])
def test_the_same_key_acknowledges_and_resolves(action: PageAction) -> None:
    resolved = replace(VIEW, incident=replace(INCIDENT, state=State.RESOLVED))
    assert render_page(action, resolved) == {
        "routing_key": VIEW.routing_key,
        "event_action": action.value,
        "dedup_key": INCIDENT.id,
    }


def test_a_late_page_would_open_a_new_alert_and_is_not_made() -> None:
    resolved = replace(VIEW, incident=replace(INCIDENT, state=State.RESOLVED))
    assert render_page(PageAction.TRIGGER, resolved) is None


def test_a_long_id_still_makes_one_key() -> None:
    long = replace(INCIDENT, id="INC-" + "x" * 300)
    assert len(dedup_key(long)) <= 255
    assert dedup_key(long) == dedup_key(long) != dedup_key(replace(long, id=long.id + "y"))


def test_an_alert_that_no_service_owns_still_pages() -> None:
    orphan = replace(VIEW, service=None, incident=replace(INCIDENT, service="", target=""))
    page = render_page(PageAction.TRIGGER, orphan)
    assert page is not None
    assert find_mistakes(page) == []
    assert page["payload"]["source"] == "backstop"


@given(st.text())
def test_the_pager_takes_every_page_whatever_it_is_told(text: str) -> None:
    incident = replace(INCIDENT, title=text * 50, sentence=text * 50, commander=text)
    view = replace(VIEW, incident=incident, diagnosis=None, reason=text, contact=text)
    page = render_page(PageAction.TRIGGER, view)
    assert page is not None
    assert find_mistakes(page) == []


def test_the_plain_webhook_gets_the_facts_and_no_secret() -> None:
    page = render_page(PageAction.TRIGGER, VIEW)
    assert page is not None
    body = webhook_body(page)
    assert VIEW.routing_key not in json.dumps(body)
    assert body["incident"] == INCIDENT.id
    assert body["action"] == "trigger"
    assert body["severity"] == "error"
    assert body["summary"] == page["payload"]["summary"]
    assert body["url"] == VIEW.incident_url


def test_a_resolve_reaches_the_plain_webhook_too() -> None:
    page = render_page(PageAction.RESOLVE, VIEW)
    assert page is not None
    assert webhook_body(page)["action"] == "resolve"
