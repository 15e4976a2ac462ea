"""An outage of the bus is one line when it begins and one when it is over."""

import logging

import pytest

from infra.local.host.attachment import Attachment


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_an_app_without_receivers_is_attached() -> None:
    assert Attachment([]).complete.is_set()


def test_it_is_complete_once_the_last_receiver_is_attached() -> None:
    attachment = Attachment(["a", "b"])
    attachment.gained("a")
    assert not attachment.complete.is_set()
    attachment.gained("b")
    assert attachment.complete.is_set()


def test_an_ordinary_start_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Attachment(["a"]).gained("a")
    assert lines(caplog) == []


def test_many_lost_receivers_are_one_outage(caplog: pytest.LogCaptureFixture) -> None:
    attachment = Attachment(["a", "b"])
    for receiver in ("a", "b", "a"):
        attachment.lost(receiver, ConnectionError("reset\nby peer"))
    assert lines(caplog) == ["bus lost, trying again: ConnectionError: reset"]


def test_the_end_of_an_outage_is_told_when_all_are_back(caplog: pytest.LogCaptureFixture) -> None:
    attachment = Attachment(["a", "b"])
    attachment.gained("b")
    attachment.lost("a", ConnectionError("reset"))
    attachment.lost("b", ConnectionError("reset"))
    attachment.gained("a")
    assert len(lines(caplog)) == 1
    attachment.gained("b")
    assert lines(caplog)[1:] == ["bus is back, all receivers attached"]
