"""Moments on a page: in the service's zone, with UTC beside it."""

from datetime import UTC, datetime

from shared.domain.stamp import stamp

AT = datetime(2026, 11, 23, 23, 3, 12, 345_678, tzinfo=UTC)


def test_a_moment_is_told_in_the_zone_and_in_utc() -> None:
    told = stamp(AT, "Europe/Amsterdam")
    assert (told.day, told.local, told.utc) == ("Tue 24 Nov", "00:03:12 CET", "23:03:12 UTC")


def test_a_program_reads_the_moment_in_utc() -> None:
    assert stamp(AT, "Asia/Tokyo").iso == "2026-11-23T23:03:12+00:00"


def test_utc_is_not_told_twice() -> None:
    told = stamp(AT, "UTC")
    assert (told.local, told.utc) == ("23:03:12 UTC", "")


def test_a_zone_that_nobody_knows_is_utc() -> None:
    assert stamp(AT, "Nowhere/Else") == stamp(AT, "UTC")
