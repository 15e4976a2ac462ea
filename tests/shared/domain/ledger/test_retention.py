"""Retention: how long which record is kept, and what no class or hold lets go."""

from datetime import timedelta

import pytest

from shared.domain.event import EventKind
from shared.domain.ledger.completeness import complete
from shared.domain.ledger.purge import tell_purged, told_in, without_body
from shared.domain.ledger.record import LedgerRow, make_record
from shared.domain.ledger.retention import (
    RecordClass,
    class_of,
    is_expired,
    may_have_expired,
)
from tests.shared.domain.decisions.worked_case import NOW
from tests.shared.domain.ledger.worked_chain import PARTITION, ROWS, event

DAYS = {"changes": 2557.0, "incidents": 731.0, "intake": 184.0}


def row(kind: EventKind) -> LedgerRow:
    return make_record(event(1, kind=kind), partition=PARTITION, sequence=1, previous_hash="0" * 64)


class TestClasses:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (EventKind.INTENT_CONFIRMED, RecordClass.CHANGES),
            (EventKind.KILL_SWITCH_CHANGED, RecordClass.CHANGES),
            (EventKind.PAGED, RecordClass.INCIDENTS),
            (EventKind.ALERT_SWEPT, RecordClass.INTAKE),
            ("a kind of next year", RecordClass.CHANGES),
        ],
    )
    def test_a_kind_that_no_class_names_is_kept_longest(
        self, kind: str, expected: RecordClass
    ) -> None:
        assert class_of(kind) is expected

    def test_every_class_has_a_period(self) -> None:
        assert set(RecordClass) == set(DAYS)


class TestExpiry:
    @pytest.mark.parametrize(
        ("kind", "days"),
        [(EventKind.DECIDED, 2557), (EventKind.PAGED, 731), (EventKind.ALERT_SWEPT, 184)],
    )
    def test_a_body_expires_after_the_days_of_its_class(self, kind: EventKind, days: int) -> None:
        recorded = NOW + timedelta(seconds=1)
        assert not is_expired(row(kind), DAYS, recorded + timedelta(days=days))
        assert is_expired(row(kind), DAYS, recorded + timedelta(days=days, seconds=1))

    def test_what_is_gone_expires_no_more(self) -> None:
        gone = without_body(row(EventKind.PAGED), "22-202712/1")
        assert not is_expired(gone, DAYS, NOW + timedelta(days=9_999))

    def test_what_tells_of_a_purge_stays_for_ever(self) -> None:
        assert not is_expired(row(EventKind.LEDGER_PURGED), DAYS, NOW + timedelta(days=9_999))

    def test_a_partition_is_looked_at_only_when_it_is_old_enough(self) -> None:
        assert not may_have_expired(PARTITION, DAYS, NOW + timedelta(days=100))
        assert may_have_expired(PARTITION, DAYS, NOW + timedelta(days=200))


class TestTelling:
    def test_a_purge_tells_which_records(self) -> None:
        telling = tell_purged([ROWS[2], ROWS[4]], "over", NOW)
        assert complete(telling) == ()
        made = make_record(telling, partition="x", sequence=1, previous_hash="0" * 64)
        told = told_in(made)
        assert told is not None
        assert (told.partition, told.sequences) == (PARTITION, frozenset({3, 5}))

    def test_told_again_it_is_the_same_event(self) -> None:
        one = tell_purged(ROWS[:3], "over", NOW)
        two = tell_purged(ROWS[:3], "over", NOW + timedelta(hours=1))
        assert one.id == two.id

    def test_other_records_tell_of_no_purge(self) -> None:
        assert told_in(ROWS[0]) is None
