"""What of an alert and of bad input may be kept, and that the keys are those of what came."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.alerts.alert import Alert, parse_alert
from shared.domain.alerts.kept_body import redact_body
from shared.domain.alerts.payload import MAX_BODY
from shared.domain.redaction.redactor import BARE, Redactor
from tests.batteries.seeds import ALL, found_in, nested
from tests.batteries.sown import alert

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
FIRED = NOW.isoformat()
REDACTOR = Redactor(key=b"a key of the tests")
BODIES = sorted(Path(__file__).parents[3].glob("events/*_fired.json"))


def parse(body: bytes, redactor: Redactor = REDACTOR) -> Alert:
    return parse_alert(body, NOW, redactor)


def test_the_keys_are_those_of_what_came() -> None:
    one, other = parse(alert(ALL, FIRED)), parse(alert(ALL, FIRED), BARE)
    assert (one.delivery_key, one.correlation_key) == (other.delivery_key, other.correlation_key)

    different = parse(alert("+46 70 123 45 68", FIRED), BARE)
    alike = parse(alert("+46 70 123 45 67", FIRED), BARE)
    assert different.dimensions == alike.dimensions
    assert different.correlation_key != alike.correlation_key


def test_equal_values_stay_equal_and_others_differ() -> None:
    kim = parse(alert("kim@claimant.example", FIRED)).dimensions
    assert kim == parse(alert("KIM@claimant.example", FIRED)).dimensions
    assert kim != parse(alert("tom@claimant.example", FIRED)).dimensions


def test_a_secret_is_found_before_the_text_is_cut() -> None:
    text = "x" * 990 + " kim.holder@claimant.example"
    assert "kim" not in parse(alert(text, FIRED)).description


def test_a_number_as_long_as_a_cards_is_looked_at() -> None:
    document = json.loads(alert("calm", FIRED))
    document["data"]["alertContext"]["condition"]["allOf"][0]["metricValue"] = 4111111111111111
    assert "4111" not in parse(json.dumps(document).encode()).summary


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_what_azure_sends_is_read_the_same_without_a_redactor(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redacted = parse(path.read_bytes())
    monkeypatch.setattr("shared.domain.redaction.redactor.DETECTORS", ())
    assert redacted == parse(path.read_bytes())


def quarantined(document: Any) -> bytes:
    return redact_body(json.dumps(document).encode(), REDACTOR)


def test_a_kept_body_stays_json_of_the_same_members_and_may_be_taken_again() -> None:
    body = alert(ALL, FIRED)
    kept = redact_body(body, REDACTOR)

    assert json.loads(kept).keys() == json.loads(body).keys()
    assert found_in(kept.decode()) == []
    assert parse(kept).delivery_key == parse(body).delivery_key
    assert parse(kept).targets == parse(body).targets


def test_what_holds_nothing_is_kept_byte_for_byte() -> None:
    for body in (b'{"data": 1}', b"{", b"\xff\x00", b"", b'{"a": 1, "a": 2}'):
        assert redact_body(body, REDACTOR) == body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_broken_bytes_hide_nothing(encoding: str) -> None:
    kept = redact_body(f'{{"essentials": "{ALL} {nested(ALL)}'.encode(encoding), REDACTOR)
    assert found_in(kept.decode("utf-8", "replace").replace("\0", "")) == []


def test_a_duplicate_member_stays_a_duplicate() -> None:
    kept = redact_body(b'{"a": "kim@x.example", "a": "tom@x.example"}', REDACTOR)
    assert kept.count(b'"a": "[email:') == 2


def test_no_more_is_kept_than_would_be_read_and_no_half_of_a_secret() -> None:
    kept = redact_body(b"x " * (MAX_BODY // 2 - 5) + ALL.encode() * 1000, REDACTOR)
    assert len(kept) <= MAX_BODY
    assert found_in(kept.decode()) == []


def test_numbers_as_long_as_a_cards_are_looked_at() -> None:
    kept = json.loads(quarantined({"card": 4111111111111111, "at": 1763900000000, "n": 3}))
    assert kept["card"].startswith("[card:")
    assert (kept["at"], kept["n"]) == ("1763900000000", 3)
