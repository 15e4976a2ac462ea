"""Foreign bytes: refused with a reason, or read as one plain object; never anything else."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerts.payload import (
    MAX_BODY,
    MAX_DEPTH,
    canonical,
    fields,
    items,
    moment,
    read_object,
    scalar,
    text,
)
from shared.errors import RejectedInput


def reason_of(body: bytes) -> str:
    with pytest.raises(RejectedInput) as refused:
        read_object(body)
    return refused.value.reason


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("empty-body", b""),
        ("empty-body", b" \r\n\t"),
        ("not-json", b"{"),
        ("not-json", b"{'a': 1}"),
        ("not-json", b'{"a": 1} trailing'),
        ("not-json", b'{"a": "\xff"}'),
        ("not-json", b'{"a": "\xed\xa0\x80"}'),
        ("not-json", b'{"a": ' + b"9" * 5_000 + b"}"),
        ("not-an-object", b"[]"),
        ("not-an-object", b'"text"'),
        ("not-an-object", b"null"),
        ("too-large", b'{"a": "' + b"x" * MAX_BODY + b'"}'),
        ("too-deep", b"[" * (MAX_DEPTH + 1)),
        ("too-deep", b'{"a":' * 50_000),
        ("too-deep", b"[" * MAX_BODY),
        ("duplicate-keys", b'{"a": 1, "a": 1}'),
        ("duplicate-keys", b'{"b": [{"a": 1, "\\u0061": 2}]}'),
        ("not-finite", b'{"a": NaN}'),
        ("not-finite", b'{"a": -Infinity}'),
        ("not-finite", b'{"a": 1e999}'),
        ("lone-surrogate", b'{"a": "\\ud83d"}'),
        ("lone-surrogate", b'{"a": {"\\uDE00": 1}}'),
    ],
)
def test_what_is_no_honest_object_is_refused_with_its_reason(reason: str, body: bytes) -> None:
    assert reason_of(body) == reason


def test_a_refusal_names_the_member_that_occurs_twice() -> None:
    with pytest.raises(RejectedInput, match="'severity' occurs twice"):
        read_object(b'{"severity": "Sev4", "severity": "Sev0"}')


def test_the_deepest_object_that_is_allowed_is_read() -> None:
    body = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert "a" in read_object(body)


def test_brackets_in_texts_are_not_depth() -> None:
    assert read_object(b'{"a": "' + b'[{\\"' * 1_000 + b'"}') == {"a": '[{"' * 1_000}


def test_a_byte_order_mark_and_a_whole_surrogate_pair_are_read() -> None:
    assert read_object(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 150_000, b'{"a' * 100_000, b"[]" * 150_000])
def test_hostile_bytes_are_scanned_in_one_pass(body: bytes) -> None:
    assert reason_of(body) in ("not-json", "too-deep")  # a scan that restarts would hit the timeout


@given(st.binary(max_size=400))
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    with suppress(RejectedInput):
        assert isinstance(read_object(body), dict)


def test_the_order_of_members_does_not_matter_to_the_canonical_text() -> None:
    one = read_object(b'{"a": {"x": 1, "y": [2, 1]}, "b": 2}')
    other = read_object(b'{"b": 2, "a": {"y": [2, 1], "x": 1}}')
    assert canonical(one) == canonical(other)


def test_a_text_keeps_every_language() -> None:
    assert text("Überlauf, 超過 \N{GRINNING FACE}") == "Überlauf, 超過 \N{GRINNING FACE}"


def test_a_text_loses_control_characters_and_blanks_around_it() -> None:
    assert text(" a\x00b\nc\x9f ") == "a b c"


@pytest.mark.parametrize("turning", "\u061c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2069")
def test_a_text_cannot_turn_the_line_around_that_it_is_shown_in(turning: str) -> None:
    assert text(f"re{turning}solved") == "resolved"
    assert text(f" {turning} ") == ""


@pytest.mark.parametrize("value", [None, 7, True, [], {}, 1.5])
def test_what_is_no_text_reads_as_none(value: object) -> None:
    assert text(value) == ""


@pytest.mark.parametrize(
    ("value", "read"), [(7, "7"), (0.4, "0.4"), (True, "true"), ("x", "x"), (None, ""), ([1], "")]
)
def test_numbers_read_as_text_where_a_scalar_is_asked_for(value: object, read: str) -> None:
    assert scalar(value) == read


def test_the_wrong_container_reads_as_an_empty_one() -> None:
    assert fields([1]) == {}
    assert items({"a": 1}) == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-11-20T09:14:07.2215083Z", datetime(2026, 11, 20, 9, 14, 7, 221508, UTC)),
        ("2026-11-20T10:14:07+01:00", datetime(2026, 11, 20, 9, 14, 7, tzinfo=UTC)),
        ("2026-11-20T09:14:07", datetime(2026, 11, 20, 9, 14, 7, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(said: str, meant: datetime) -> None:
    assert moment(said) == meant


@pytest.mark.parametrize("said", ["", "soon", "0001-01-01T00:00:00+14:00", 1_763_630_047, None])
def test_what_is_no_time_reads_as_none(said: object) -> None:
    assert moment(said) is None
