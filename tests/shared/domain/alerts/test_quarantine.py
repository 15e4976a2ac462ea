"""What quarantine tells, and who is woken by what: an alert that may be lost, never noise."""

import tracemalloc
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from shared.domain.alerts.quarantine import (
    LONGEST_BODY,
    BadInput,
    InputKind,
    KeptState,
    Quarantined,
    is_known,
    keep,
    put_right,
    tell_discarded,
    tell_kept,
    tell_resubmitted,
    throw_away,
)
from shared.domain.alerts.unread import joins, open_unread, trouble_of
from shared.domain.authority.caller import AppRole
from shared.domain.incidents.incident import State
from shared.domain.ledger.completeness import complete
from shared.domain.ledger.record import canonical
from shared.domain.views.quarantine_page import COUNTED, present_quarantine, tell_waiting
from tests.fakes.callers import person
from tests.shared.domain.incidents.situations import NOW

ADA = person(AppRole.COMMANDER)
EVENTS = Path(__file__).parents[3] / "events"
BAD = BadInput(
    kind=InputKind.ALERT,
    source="api/alerts",
    reason="not-json",
    detail="line 1",
    body=b"{",
    seen_at=NOW,
)
KEPT = keep(BAD, None, NOW)
RIGHT = put_right(KEPT, ADA, "accepted", NOW + timedelta(minutes=1), delivery="261123-1")

AWAY = throw_away(KEPT, ADA, NOW + timedelta(minutes=1))


def bad(**changes: object) -> BadInput:
    return msgspec.structs.replace(BAD, **changes)


def kept(**changes: object) -> Quarantined:
    return msgspec.structs.replace(KEPT, **changes)


@pytest.mark.parametrize(
    "event", [tell_kept(KEPT), tell_resubmitted(RIGHT, ""), tell_discarded(AWAY, "noise")]
)
def test_every_event_is_fit_for_the_ledger(event: object) -> None:
    assert complete(event) == ()  # type: ignore[arg-type]
    assert canonical(event)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_whatever_azure_sends_wakes_somebody_even_cut_off(path: Path) -> None:
    body = path.read_bytes()
    assert bad(body=body).may_be_lost_alert
    assert bad(body=body[: len(body) // 2]).may_be_lost_alert


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"hello", b'{"data": 1}', b"\xff\xfe", b"<xml/>", b"id=1&x=%27"]
)
def test_noise_on_the_webhook_wakes_nobody(body: bytes) -> None:
    assert not bad(body=body).may_be_lost_alert


def test_a_huge_body_is_never_copied() -> None:
    huge = bad(body=b"x" * 30_000_000)
    tracemalloc.start()

    assert not huge.may_be_lost_alert
    assert huge.id != BAD.id

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * LONGEST_BODY


@pytest.mark.parametrize("kind", [InputKind.MESSAGE, InputKind.DEAD_LETTER])
def test_whatever_stands_on_our_own_bus_wakes_somebody(kind: InputKind) -> None:
    assert bad(kind=kind).may_be_lost_alert


@pytest.mark.parametrize(
    "other", [{"kind": InputKind.MESSAGE}, {"source": "api/other"}, {"body": b"{ "}]
)
def test_other_input_is_other(other: dict[str, object]) -> None:
    assert bad(**other).id != BAD.id


def test_the_same_input_is_the_same_whyever_it_was_refused() -> None:
    assert bad(reason="too-deep", detail="x", seen_at=NOW + timedelta(days=1)).id == BAD.id


def test_what_is_kept_is_known_until_it_comes_back_after_a_resubmit() -> None:
    assert not is_known(None, BAD)
    assert is_known(KEPT, BAD)
    assert is_known(RIGHT, BAD), "it was seen before it was put right"
    assert not is_known(RIGHT, bad(seen_at=NOW + timedelta(minutes=2)))


def test_what_comes_back_is_counted() -> None:
    again = keep(BAD, RIGHT, NOW)
    assert (again.times, again.state, again.by) == (2, KeptState.KEPT, "")
    assert tell_kept(again).id != tell_kept(KEPT).id


def test_foreign_text_is_made_plain_and_short() -> None:
    found = keep(bad(source="work/" + "x\n" * 500, reason="", detail="d\x00" * 900), None, NOW)
    assert len(found.source) <= 100
    assert found.reason == "unknown"
    assert "\x00" not in found.detail
    assert len(found.detail) <= 500


@pytest.mark.parametrize("kind", list(InputKind))
def test_the_incident_is_a_person_s_and_names_place_and_reason(kind: InputKind) -> None:
    incident = open_unread(kept(kind=kind), "07", NOW).incident
    assert incident is not None
    assert incident.state is State.ESCALATED
    assert "api/alerts" in incident.title
    assert "not-json" in incident.title


def test_it_is_joined_while_it_is_open_and_young() -> None:
    incident = open_unread(KEPT, "07", NOW).incident
    assert incident is not None
    assert joins(incident, NOW + timedelta(hours=23))
    assert not joins(incident, NOW + timedelta(hours=24))
    assert not joins(msgspec.structs.replace(incident, state=State.RESOLVED), NOW)
    assert not joins(None, NOW)


def test_one_trouble_is_one_kind_source_and_reason() -> None:
    assert trouble_of(KEPT) == trouble_of(kept(id="other", detail="other", size=9))
    assert trouble_of(KEPT) != trouble_of(kept(reason="too-deep"))


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, ""),
        (1, "1 input could not be taken"),
        (2, "2 inputs could not be taken"),
        (COUNTED + 1, "More than 100 inputs could not be taken"),
    ],
)
def test_the_first_page_says_how_much_waits(count: int, said: str) -> None:
    assert tell_waiting(count) == said


def test_a_line_offers_a_resubmit_only_where_it_can_help() -> None:
    cut = kept(size=10**6)
    letter = kept(size=10**6, kind=InputKind.DEAD_LETTER)
    waits, done, half, on_the_bus = present_quarantine([KEPT, RIGHT, cut, letter], "").inputs
    assert (waits.may_be_resubmitted, waits.fate) == (True, "")
    assert not done.may_be_resubmitted
    assert done.fate == f"{ADA.id} resubmitted it: accepted (delivery 261123-1)"
    assert not half.may_be_resubmitted
    assert "sent again" in half.fate
    assert on_the_bus.may_be_resubmitted
