from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.inbox.markdown import to_html
from shared.domain.wording import clip, duration, escape, moment, plain, share, traffic, weight

WINTER = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)


def test_a_time_is_told_in_the_services_zone_and_in_utc() -> None:
    assert moment(WINTER, "Europe/Stockholm", WINTER) == "14:05 CET (13:05 UTC)"


def test_a_zone_keeps_its_summer_time() -> None:
    summer = datetime(2026, 7, 1, 13, 5, tzinfo=UTC)
    assert moment(summer, "Europe/Stockholm", summer) == "15:05 CEST (13:05 UTC)"


def test_a_time_in_utc_is_told_once() -> None:
    assert moment(WINTER, "UTC", WINTER) == "13:05 UTC"


@pytest.mark.parametrize("zone", ["", "Nowhere/Atlantis", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_costs_the_zone_and_not_the_card(zone: str) -> None:
    assert moment(WINTER, zone, WINTER) == "13:05 UTC"


def test_another_days_time_has_its_date_in_the_local_zone() -> None:
    just_before_midnight_utc = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert moment(just_before_midnight_utc, "UTC", WINTER) == "22 Nov 23:30 UTC"
    assert moment(just_before_midnight_utc, "Europe/Stockholm", WINTER).startswith("00:30 CET")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0 %"),
        (0.002, "0.2 %"),
        (0.463, "46 %"),
        (0.0996, "10 %"),
        (0.997, "99.7 %"),
        (1, "100 %"),
    ],
)
def test_a_share_has_decimals_only_where_they_say_something(value: float, said: str) -> None:
    assert share(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (540, "9 min"), (3600, "1 h"), (7500, "2 h 5 min")],
)
def test_a_duration_is_said_as_people_say_it(seconds: int, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said


def test_a_split_names_the_largest_share_first_and_no_zeros() -> None:
    assert traffic({"v1": 10, "v2": 90, "v0": 0}) == "v2 90 %, v1 10 %"
    assert traffic({}) == "none"


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("plan 8c0f2a4417be99d1 was made", "plan … was made"),
        ("image sha256:" + "ab" * 32, "image …"),
        ("it failed AppRequests | where Success == false | count", "it failed"),
        ("broke Traceback (most recent call last): File x", "broke"),
        ("broke\n  at Contoso.Api.Score(String body) in Score.cs:line 3", "broke"),
        (
            "on /subscriptions/1/resourcegroups/rg/onlineendpoints/fnol-summary now",
            "on fnol-summary now",
        ),
        ("two\nlines\u202e\x00here", "two lines here"),
    ],
)
def test_what_nobody_should_read_is_taken_out(told: str, left: str) -> None:
    assert plain(told) == left


@pytest.mark.parametrize(
    "told",
    [
        "v2 fails 46 % of requests in swedencentral since 14:03:12.",
        "INC-07-261123-9F3A01BC is open",
        "the default take | give policy, seen at noon (UTC)",
        "see https://example.com/runs/8c0f2a4417be99d18c0f2a4417be99d1?x=1",
    ],
)
def test_what_people_should_read_is_left_alone(told: str) -> None:
    assert plain(told) == told


@given(st.text())
def test_escaped_text_is_drawn_as_it_was_written(text: str) -> None:
    literal = "".join(
        c for c in plain(text) if c not in "{$@&<>\"'" and not "\ue000" <= c <= "\ue07f"
    )
    assert str(to_html(escape(literal))) == literal


def test_a_link_or_macro_in_a_text_does_nothing() -> None:
    assert "<a " not in to_html(escape("[click](https://evil.example)"))
    assert "{{" not in escape("{{DATE(2026-01-01T00:00:00Z)}} ${name} @{expression}")
    assert "${" not in escape("${name}")
    assert escape("# big") == "\\# big"
    assert escape("12. twelfth") == "12\\. twelfth"


@given(st.text(), st.integers(min_value=20, max_value=400))
def test_a_clipped_text_weighs_no_more_than_its_limit(text: str, limit: int) -> None:
    assert weight(escape(clip(plain(text), limit))) <= limit


def test_a_text_is_cut_between_words() -> None:
    assert clip("alpha beta gamma delta", 24) == "alpha beta…"


@pytest.mark.parametrize("limit", range(12, 60))
def test_a_url_is_whole_or_absent(limit: int) -> None:
    url = "https://example.com/a/long/path"
    clipped = clip(f"see {url} for more, and then some", limit)
    assert url in clipped or "http" not in clipped
    assert "http" not in clip(url + "x" * 500, limit)


def test_weight_counts_a_text_as_it_travels() -> None:
    assert weight("a") == 5  # \"a\" and nothing else
    assert weight("é") - weight("") == 7  # \\u00e9
    assert weight('"') - weight("") == 4
