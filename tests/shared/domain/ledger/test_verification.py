"""Verification of one chain: every way to touch it is found, and the first bad record is named."""

import hashlib
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.ledger.chain import append
from shared.domain.ledger.record import LedgerRow, hash_of
from shared.domain.ledger.verification import PartitionCheck, Verification, verify
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.ledger.worked_chain import EVENTS, HEAD, LENGTH, PARTITION, ROWS, event

SEEDS = range(50)
SEALED = {10: ROWS[9].hash, 30: ROWS[29].hash}


def restamped(row: LedgerRow) -> LedgerRow:
    """A record whose hashes fit what it says, as a forger would make it who knows the code."""
    row = alter(row, body_hash=hashlib.sha256(row.body.encode()).hexdigest())
    return alter(row, hash=hash_of(row))


def rehashed(rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """A chain made anew."""
    made: list[LedgerRow] = []
    for row in rows:
        previous = made[-1].hash if made else row.previous_hash
        made.append(restamped(alter(row, previous_hash=previous)))
    return made


type Tampered = tuple[list[LedgerRow], str]


def edited(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH)
    rows = list(ROWS)
    rows[at] = alter(rows[at], body=rows[at].body.replace("policy", "orders", 1))
    return rows, rows[at].name


def replaced(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH - 1)
    rows = list(ROWS)
    forged = alter(rows[at], body=rows[at].body.replace("policy", "orders", 1))
    rows[at] = restamped(forged)
    return rows, rows[at].name


def column_edited(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH)
    rows = list(ROWS)
    rows[at] = alter(rows[at], event_id="somebody-else")
    return rows, rows[at].name


def deleted(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH - 1)
    rows = [row for row in ROWS if row is not ROWS[at]]
    return rows, f"{PARTITION}/{at + 1}"


def inserted(rng: random.Random) -> Tampered:
    at = rng.randrange(1, LENGTH)
    copy = alter(ROWS[rng.randrange(at)], event_id="made-up")
    return [*ROWS[:at], copy, *ROWS[at:]], copy.name


def inserted_and_renumbered(rng: random.Random) -> Tampered:
    at = rng.randrange(1, LENGTH)
    copy = alter(ROWS[at], event_id="made-up")
    later = [alter(row, sequence=row.sequence + 1) for row in ROWS[at:]]
    return [*ROWS[:at], copy, *later], copy.name


def reordered(rng: random.Random) -> Tampered:
    first, second = sorted(rng.sample(range(LENGTH), 2))
    rows = list(ROWS)
    rows[first], rows[second] = rows[second], rows[first]
    return rows, ROWS[second].name


def reordered_and_renumbered(rng: random.Random) -> Tampered:
    first, second = sorted(rng.sample(range(LENGTH), 2))
    rows = list(ROWS)
    rows[first] = alter(ROWS[second], sequence=first + 1)
    rows[second] = alter(ROWS[first], sequence=second + 1)
    return rows, rows[first].name


def cut(rng: random.Random) -> Tampered:
    left = rng.randrange(LENGTH)
    return list(ROWS[:left]), f"{PARTITION}/{left + 1}"


def added(rng: random.Random) -> Tampered:
    number = LENGTH + rng.randrange(1, 9)
    _, more = append(HEAD, [event(number)], PARTITION)
    return [*ROWS, *more], more[0].name


def made_anew(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH)
    rows = list(ROWS)
    rows[at] = alter(rows[at], body=rows[at].body.replace("policy", "orders", 1))
    rows = rehashed(rows)
    return rows, rows[0].name


CLASSES: list[Callable[[random.Random], Tampered]] = [
    edited,
    replaced,
    column_edited,
    deleted,
    inserted,
    inserted_and_renumbered,
    reordered,
    reordered_and_renumbered,
    cut,
    added,
    made_anew,
]


TEXTS = ("event_id", "kind", "recorded_at", "body", "body_hash", "previous_hash", "hash")


class TestVerify:
    def test_an_untouched_chain_is_whole(self) -> None:
        found = verify(ROWS, HEAD)
        assert (found.ok, found.events, found.first_bad) == (True, LENGTH, "")

    @pytest.mark.parametrize("tamper", CLASSES)
    def test_each_of_fifty_touches_is_found_and_named(
        self, tamper: Callable[[random.Random], Tampered]
    ) -> None:
        for seed in SEEDS:
            rows, bad = tamper(random.Random(seed))  # noqa: S311 - repeatable, not secret
            found = verify(rows, HEAD)
            assert not found.ok
            assert found.first_bad == bad
            assert found.problem

    def test_what_is_wrong_is_said(self) -> None:
        assert verify(ROWS[1:], HEAD).problem == "the record is missing"
        assert "cut off: 3 records" in verify(ROWS[:-3], HEAD).problem
        assert "beyond the head" in verify(ROWS, append(None, EVENTS[:5], PARTITION)[0]).problem

    def test_nothing_recorded_is_whole(self) -> None:
        assert verify([], None).ok

    def test_records_without_a_head_are_not(self) -> None:
        assert not verify(ROWS, None).ok

    def test_a_head_without_records_is_not(self) -> None:
        assert verify([], HEAD).first_bad == f"{PARTITION}/1"

    def test_rows_of_another_partition_are_not(self) -> None:
        other = [alter(row, partition="08-202611") for row in ROWS]
        assert verify(other, HEAD).first_bad == other[0].name

    @given(st.integers(0, LENGTH - 1), st.data())
    @settings(max_examples=200, deadline=None)
    def test_any_single_changed_character_is_found(self, at: int, data: st.DataObject) -> None:
        column = data.draw(st.sampled_from([*TEXTS]))
        was = getattr(ROWS[at], column)
        place = data.draw(st.integers(0, len(was) - 1))
        other = "0" if was[place] != "0" else "1"
        row = alter(ROWS[at], **{column: was[:place] + other + was[place + 1 :]})
        found = verify([*ROWS[:at], row, *ROWS[at + 1 :]], HEAD)
        assert (found.ok, found.first_bad) == (False, row.name)


def check(rows: Sequence[LedgerRow], sealed: dict[int, str]) -> Verification:
    begun = PartitionCheck(PARTITION, HEAD, sealed)
    for row in rows:
        begun.take(row)
    return begun.end()


class TestUnderSeals:
    """Seals vouch for the hashes of some records."""

    def test_an_untouched_chain_is_whole(self) -> None:
        assert check(ROWS, SEALED) == Verification(ok=True, events=LENGTH)

    def test_of_a_chain_made_anew_the_first_that_no_seal_vouches_for_is_named(self) -> None:
        rows = list(ROWS)
        rows[19] = restamped(alter(rows[19], body=rows[19].body.replace("policy", "orders")))
        found = check(rehashed(rows), SEALED)
        assert (found.first_bad, found.events) == (ROWS[10].name, 10)
        assert "made anew" in found.problem

    def test_a_record_that_was_replaced_under_a_seal_is_named(self) -> None:
        rows = list(ROWS)
        rows[29] = restamped(alter(rows[29], body=rows[29].body.replace("policy", "orders")))
        found = check(rows, SEALED)
        assert (found.first_bad, found.problem) == (ROWS[29].name, "the record was replaced")

    def test_what_a_seal_knows_and_is_not_there_is_missing_whatever_the_head_says(self) -> None:
        head, rows = append(None, EVENTS[:20], PARTITION)
        begun = PartitionCheck(PARTITION, head, SEALED)
        for row in rows:
            begun.take(row)
        assert begun.end().first_bad == f"{PARTITION}/21"

    def test_a_head_that_was_edited_is_found_though_seals_vouch_for_the_records(self) -> None:
        begun = PartitionCheck(PARTITION, alter(HEAD, hash="0" * 64), {LENGTH: ROWS[-1].hash})
        for row in ROWS:
            begun.take(row)
        assert not begun.end().ok


class TestBodies:
    def test_a_body_that_is_gone_without_a_purge_is_found(self) -> None:
        rows = [*ROWS[:4], alter(ROWS[4], body=""), *ROWS[5:]]
        found = verify(rows, HEAD)
        assert (found.first_bad, found.problem) == (
            ROWS[4].name,
            "the body is gone, and no purge is named",
        )

    def test_a_body_that_was_purged_leaves_the_chain_whole(self) -> None:
        rows = [*ROWS[:4], alter(ROWS[4], body="", purged="09-202712/1"), *ROWS[5:]]
        assert verify(rows, HEAD) == Verification(ok=True, events=LENGTH)

    def test_a_purge_is_not_named_where_the_body_is_still_there(self) -> None:
        rows = [*ROWS[:4], alter(ROWS[4], purged="09-202712/1"), *ROWS[5:]]
        assert verify(rows, HEAD).first_bad == ROWS[4].name
