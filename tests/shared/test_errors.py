"""Errors: each says what the shell should do, and keeps what that takes."""

import pytest

from shared import errors
from shared.errors import (
    BackstopError,
    Conflict,
    Misconfigured,
    Missing,
    Refused,
    RejectedInput,
    Unavailable,
    Unreadable,
)

EVERY = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def test_all_of_ours_are_of_one_family() -> None:
    assert all(issubclass(kind, BackstopError) for kind in EVERY)
    assert issubclass(BackstopError, Exception)


def test_nothing_that_should_be_told_apart_is_a_kind_of_another() -> None:
    narrower = {Missing, Refused, Unreadable}  # whoever does not ask why takes them for an outage
    kinds = [kind for kind in EVERY if kind is not BackstopError and kind not in narrower]
    assert all(kind.__bases__ == (BackstopError,) for kind in kinds)
    assert all(kind.__bases__ == (Unavailable,) for kind in narrower)


def test_a_rejection_says_a_stable_reason_and_what_to_change() -> None:
    error = RejectedInput("wrong-field", "limit must be a number")

    assert (error.reason, error.detail) == ("wrong-field", "limit must be a number")
    assert str(error) == "wrong-field: limit must be a number"


def test_what_is_unavailable_says_which_part_and_when_to_come_back() -> None:
    error = Unavailable("tables", "503", 7.5)

    assert (error.part, error.detail, error.retry_after_s) == ("tables", "503", 7.5)
    assert str(error) == "tables is unavailable: 503"
    assert Unavailable("bus", "closed").retry_after_s == 5.0


@pytest.mark.parametrize("kind", [Conflict, Misconfigured])
def test_the_others_say_one_sentence(kind: type[BackstopError]) -> None:
    assert str(kind("a sentence")) == "a sentence"


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_says_in_a_sentence_what_to_do(kind: type[BackstopError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.splitlines()[0].endswith(".")
