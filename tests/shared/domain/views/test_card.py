import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infra.local.inbox.card_rules import check_message, expanded
from shared.domain.catalog import Mode
from shared.domain.decisions.decision import Verdict
from shared.domain.diagnosis.diagnosis import Diagnosis, Finding, Health, Sign
from shared.domain.event import ChangeEvent, EventKind
from shared.domain.incidents.incident import Severity, State
from shared.domain.views.card import CAP, CardKind, CardView, card_for, render_card
from tests.shared.domain.incidents.situations import (
    DECISION,
    DIAGNOSIS,
    INCIDENT,
    NOW,
    SERVICE,
    VIEW,
)


def texts_of(element: Any) -> Iterator[str]:
    """Every text that a reader sees, from top to bottom, left to right."""
    if isinstance(element, list):
        for part in element:
            yield from texts_of(part)
    elif isinstance(element, dict):
        yield from (element[name] for name in ("text", "title", "value") if name in element)
        for name in ("body", "items", "columns", "facts", "actions"):
            yield from texts_of(element.get(name, []))


def drawn(kind: CardKind, view: CardView) -> str:
    return "\n".join(texts_of(check_message(render_card(kind, view))))


def buttons_of(kind: CardKind, view: CardView) -> dict[str, str]:
    actions = check_message(render_card(kind, view))["actions"]
    return {action["title"]: action["url"] for action in actions}


def in_order(text: str, *parts: str) -> bool:
    places = [text.index(part) for part in parts]
    return places == sorted(places)


def event(kind: EventKind) -> ChangeEvent:
    return ChangeEvent(
        id="e-1",
        kind=kind,
        service="fnol-summary",
        incident=INCIDENT.id,
        actor="backstop",
        what="it happened",
        why="a rule",
        happened_at=NOW,
        recorded_at=NOW,
    )


@pytest.mark.parametrize("kind", list(CardKind))
def test_every_card_tells_the_same_things_in_the_same_order(kind: CardKind) -> None:
    told = drawn(kind, VIEW)
    assert in_order(
        told,
        "Customers get no good answer to 46 %",
        "**SEV1** tier 1 service",
        "Backstop asks for approval",
        "Traffic: v2 100 %",
        "Bad answers: 46 %",
        "Traffic: v1 100 %",
        "9 min left of 15 min",
        "nobody yet",
    )


@pytest.mark.parametrize("kind", list(CardKind))
def test_a_card_shows_no_hash_no_query_and_no_arm_id(kind: CardKind) -> None:
    leaky = replace(
        INCIDENT,
        title=f"AppRequests | where Success == false ({INCIDENT.target})",
        sentence=f"Plan {DECISION.hash} was made.",
        severity_reasons=(f"fingerprint {'8c0f' * 4}",),
    )
    told = json.dumps(render_card(kind, replace(VIEW, incident=leaky, diagnosis=None)))
    assert not re.search(r"\b[0-9a-f]{16,}\b", told)
    assert "where Success" not in told
    assert "resourcegroups" not in told


def test_untrusted_text_is_shown_literally() -> None:
    hostile = replace(INCIDENT, sentence="**v1** is fine, [click](https://evil.example) {{NOW}}")
    told = drawn(CardKind.OUTCOME, replace(VIEW, incident=hostile))
    assert r"\*\*v1\*\* is fine, \[click\](https://evil.example) { {NOW}}" in told


def test_a_card_leads_to_incident_acknowledgement_and_runbook() -> None:
    assert buttons_of(CardKind.OPENED, VIEW) == {
        "Open the incident": VIEW.incident_url,
        "Acknowledge": VIEW.acknowledge_url,
        "Runbook": SERVICE.runbook,
    }


def test_a_decision_card_leads_to_the_plan_that_waits_for_approval() -> None:
    assert buttons_of(CardKind.DECISION, VIEW)["Review the plan"] == VIEW.approval_url
    assert "Decision needed" in drawn(CardKind.DECISION, VIEW)


def test_a_decision_that_needs_nobody_asks_for_nothing() -> None:
    held = replace(VIEW, decision=replace(DECISION, verdict=Verdict.HOLD))
    assert "Review the plan" not in buttons_of(CardKind.DECISION, held)
    assert "Decision needed" not in drawn(CardKind.DECISION, held)


def test_nobody_is_asked_to_acknowledge_twice() -> None:
    seen = replace(VIEW, incident=replace(INCIDENT, acknowledged_by="Dana Reyes"))
    assert "Acknowledge" not in buttons_of(CardKind.OPENED, seen)
    over = replace(VIEW, incident=replace(INCIDENT, state=State.RESOLVED))
    assert "Acknowledge" not in buttons_of(CardKind.RESOLVED, over)


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "http://example.com/", "https://x/ y", "http://127.0.0.1.evil/"],
)
def test_a_link_that_is_not_safe_and_whole_makes_no_button(url: str) -> None:
    assert list(buttons_of(CardKind.OPENED, replace(VIEW, incident_url=url))) == [
        "Acknowledge",
        "Runbook",
    ]


def test_a_link_of_four_kilobytes_is_kept_whole() -> None:
    url = "https://backstop.example/" + "a" * 4000
    assert buttons_of(CardKind.OPENED, replace(VIEW, incident_url=url))["Open the incident"] == url


def test_a_share_after_the_change_stands_only_beside_a_change() -> None:
    assert drawn(CardKind.DECISION, VIEW).count("Bad answers") == 1
    moved = replace(INCIDENT, before={"v2": 100}, after={"v1": 100}, bad_share_after=0.002)
    told = drawn(CardKind.OUTCOME, replace(VIEW, incident=moved))
    assert in_order(told, "Before", "Bad answers: 46 %", "After", "Bad answers: 0.2 %")


def test_an_unmeasured_incident_says_so() -> None:
    told = drawn(CardKind.OPENED, replace(VIEW, diagnosis=None, decision=None))
    assert "Traffic: not moved. Bad answers: not measured." in told


def test_traffic_is_not_called_unmoved_once_there_is_a_plan() -> None:
    planned = replace(VIEW, incident=replace(INCIDENT, plan="plan-1"), decision=None)
    assert "Traffic: see the incident." in drawn(CardKind.ESCALATED, planned)


def test_an_alert_that_no_service_owns_still_makes_a_card() -> None:
    orphan = replace(VIEW, service=None, incident=replace(INCIDENT, service=""))
    assert "No owning service" in drawn(CardKind.OPENED, orphan)


@pytest.mark.parametrize(
    ("kind", "severity", "style"),
    [
        (CardKind.OPENED, Severity.SEV0, "attention"),
        (CardKind.OPENED, Severity.SEV2, "warning"),
        (CardKind.OPENED, Severity.SEV3, "accent"),
        (CardKind.ESCALATED, Severity.SEV3, "attention"),
        (CardKind.RESOLVED, Severity.SEV0, "accent"),
    ],
)
def test_the_colour_tells_how_loud_it_is(kind: CardKind, severity: Severity, style: str) -> None:
    view = replace(VIEW, incident=replace(INCIDENT, severity=severity))
    assert check_message(render_card(kind, view))["body"][0]["style"] == style


def test_an_end_without_a_cure_is_not_green() -> None:
    cured = replace(VIEW, incident=replace(INCIDENT, recovered_at=NOW))
    calm = replace(VIEW, diagnosis=replace(DIAGNOSIS, health=Health.HEALTHY))
    styles = [
        check_message(render_card(CardKind.RESOLVED, view))["body"][0]["style"]
        for view in (VIEW, cured, calm)
    ]
    assert styles == ["accent", "good", "good"]


def crowded(length: int) -> Diagnosis:
    sentence = "crowded " * length
    finding = Finding(kind="tool", signal=Sign.BAD, sentence=sentence, query="q")
    return replace(
        DIAGNOSIS,
        findings=(finding,) * 9,
        ruled_out=(sentence,) * 9,
        unanswered=(sentence,) * 9,
    )


def test_details_go_in_a_fixed_order_when_room_is_short() -> None:
    order = ["Found", "Likeliest change", "Ruled out", "Not answered"]
    counts = []
    for size in range(0, 4000, 250):
        link = "https://x.example/" + "a" * size
        view = replace(VIEW, diagnosis=crowded(90), incident_url=link, acknowledge_url=link)
        told = drawn(CardKind.ESCALATED, replace(view, runbook_url=link))
        shown = [title for title in order if f"{title}: " in told]
        assert shown == order[: len(shown)]
        counts.append(len(shown))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 4
    assert counts[-1] < 4


def test_what_is_recommended_leads_to_the_button_that_asks_for_it() -> None:
    assert VIEW.decision is not None
    held = replace(VIEW.decision, verdict=Verdict.HOLD, mode=Mode.RECOMMEND)
    recommended = buttons_of(CardKind.DECISION, replace(VIEW, decision=held))
    assert recommended["Roll back"] == f"{VIEW.incident_url}#rollback"
    observed = replace(VIEW, decision=replace(held, mode=Mode.OBSERVE))
    assert "Roll back" not in buttons_of(CardKind.DECISION, observed)


HEAVY = st.text(alphabet=st.sampled_from('a "\\\U0001f525é*_[]({\n'), max_size=3000)
LINKS = st.integers(min_value=0, max_value=5000).map(lambda size: "https://x.example/" + "a" * size)


@given(kind=st.sampled_from(CardKind), text=HEAVY, link=LINKS)
def test_no_card_exceeds_the_cap_whatever_it_is_told(kind: CardKind, text: str, link: str) -> None:
    incident = replace(
        INCIDENT,
        title=text,
        sentence=text,
        severity_reasons=(text,) * 5,
        commander=text,
        before={text: 100},
        after={text: 100},
    )
    view = replace(
        VIEW,
        incident=incident,
        service=replace(SERVICE, title=text, runbook=link),
        diagnosis=replace(crowded(200), sentence=text, affected=text, ruled_out=(text,) * 9),
        incident_url=link,
        acknowledge_url=link,
        approval_url=link,
    )
    message = render_card(kind, view)
    check_message(message)
    assert expanded(message) <= CAP
    actions = message["attachments"][0]["content"]["actions"]
    assert len(actions) <= 3
    assert {action["url"] for action in actions} <= {link}


@pytest.mark.parametrize(
    ("happened", "state", "kind"),
    [
        (EventKind.INCIDENT_OPENED, State.OPENED, CardKind.OPENED),
        (EventKind.DECIDED, State.HELD, CardKind.DECISION),
        (EventKind.MITIGATED, State.MITIGATED, CardKind.OUTCOME),
        (EventKind.INTENT_ABORTED, State.HELD, CardKind.OUTCOME),
        (EventKind.INTENT_ESCALATED, State.ESCALATED, CardKind.ESCALATED),
        (EventKind.ESCALATED, State.ESCALATED, CardKind.ESCALATED),
        (EventKind.RESOLVED, State.RESOLVED, CardKind.RESOLVED),
    ],
)
def test_each_turn_of_the_incident_makes_one_card(
    happened: EventKind, state: State, kind: CardKind
) -> None:
    incident = replace(INCIDENT, state=state)
    assert card_for(event(happened), incident) is kind


def test_a_decision_that_is_carried_out_at_once_makes_no_card_of_its_own() -> None:
    assert card_for(event(EventKind.DECIDED), replace(INCIDENT, state=State.ACTING)) is None


def test_most_events_make_no_card() -> None:
    silent = [kind for kind in EventKind if card_for(event(kind), INCIDENT) is None]
    assert EventKind.ALERT_JOINED in silent
    assert EventKind.PAGED in silent
    assert len(silent) > len(EventKind) / 2
