"""The whole ledger: each of seven ways to tamper is found fifty times, and the bad record named."""

import random
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import batched

import pytest

from shared.domain.ledger.chain import Head, append, head_at
from shared.domain.ledger.purge import tell_purged, without_body
from shared.domain.ledger.record import LedgerRow, partition_of
from shared.domain.ledger.verification import Verification
from shared.domain.ledger.whole import LedgerCheck
from tests.shared.domain.decisions.worked_case import NOW, alter
from tests.shared.domain.ledger.sealed_ledger import (
    CLASSES,
    KEY,
    LEDGER,
    LENGTH,
    Ledger,
    Tampered,
    next_seal,
)
from tests.shared.domain.ledger.worked_chain import PARTITION, event

SEEDS = range(50)
MB = 1 << 20


class TestTampering:
    def test_an_untouched_ledger_is_whole(self) -> None:
        assert LEDGER.verified() == Verification(ok=True, events=3 * LENGTH)

    @pytest.mark.parametrize("tamper", CLASSES, ids=lambda tamper: tamper.__name__)
    def test_each_of_fifty_is_found_and_the_first_bad_record_named(
        self, tamper: Callable[[random.Random], Tampered]
    ) -> None:
        for seed in SEEDS:
            tampered, bad = tamper(random.Random(seed))  # noqa: S311 - repeatable, not secret
            found = tampered.verified()
            assert (found.ok, found.first_bad) == (False, bad)
            assert found.problem

    def test_sealed_anew_it_would_be_whole_for_who_trusts_the_other_key(self) -> None:
        """So the fingerprint must come from elsewhere."""
        tampered, _ = CLASSES[-1](random.Random(1))  # noqa: S311 - repeatable, not secret
        assert tampered.verified(tampered.seals[0].statement.key).ok

    def test_two_keys_are_trusted_where_the_key_was_changed(self) -> None:
        last = LEDGER.seals[-1]
        other = next_seal(last, last.heads, "after the change")
        changed = alter(LEDGER, seals=(*LEDGER.seals, other))
        assert not changed.verified(KEY).ok
        assert changed.verified(KEY, other.statement.key).ok

    @pytest.mark.parametrize("gone", [0, 1, 2])
    def test_a_seal_that_is_gone_is_missed(self, gone: int) -> None:
        seals = [*LEDGER.seals[:gone], *LEDGER.seals[gone + 1 :]]
        found = alter(LEDGER, seals=tuple(seals)).verified()
        assert found.first_bad == f"seal {gone + 2}"

    def test_a_chain_that_is_gone_altogether_is_missed(self) -> None:
        rows = {name: rows for name, rows in LEDGER.rows.items() if name != "22-202611"}
        assert alter(LEDGER, rows=rows).verified().first_bad == "22-202611/1"

    def test_a_ledger_without_seals_is_checked_by_its_heads(self) -> None:
        assert alter(LEDGER, seals=()).verified().ok
        assert not alter(LEDGER, seals=(), heads={}).verified().ok


def purged(*numbers: int, told: tuple[int, ...] = ()) -> Ledger:
    """A ledger in which a purge tells of some records, and their bodies are gone."""
    rows = LEDGER.rows["22-202611"]
    telling = tell_purged([rows[n - 1] for n in told or numbers], "their time is over", NOW)
    partition = partition_of(telling)
    head, tellers = append(None, [telling], partition)
    kept = tuple(
        without_body(row, f"{partition}/1") if row.sequence in numbers else row for row in rows
    )
    every = {**LEDGER.rows, "22-202611": kept, partition: tellers}
    return alter(LEDGER, rows=every, heads={**LEDGER.heads, partition: head})


class TestPurges:
    def test_what_a_purge_tells_of_may_be_gone(self) -> None:
        assert purged(3, 4, 20).verified() == Verification(ok=True, events=3 * LENGTH + 1)

    def test_what_no_purge_tells_of_is_found(self) -> None:
        found = purged(3, 4, told=(3,)).verified()
        assert (found.ok, found.first_bad) == (False, "22-202611/4")
        assert "does not tell of it" in found.problem

    def test_a_purge_that_is_gone_itself_is_found(self) -> None:
        tampered = purged(3)
        assert (
            not alter(tampered, rows={**LEDGER.rows, **_only(tampered, "22-202611")}).verified().ok
        )


def _only(ledger: Ledger, name: str) -> dict[str, tuple[LedgerRow, ...]]:
    return {name: ledger.rows[name]}


class TestMemory:
    def test_it_takes_one_record_after_the_other(self) -> None:
        """As many records as would be eight megabytes together."""
        check = LedgerCheck([KEY])
        begun = check.begin(PARTITION, _head_of(4_000))
        tracemalloc.start()
        for row in _streamed(4_000):
            begun.take(row)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        check.conclude(PARTITION, begun)
        assert check.end() == Verification(ok=True, events=4_000)
        assert peak < 2 * MB


def _head_of(count: int) -> Head:
    *_, last = _streamed(count)
    return head_at(last)


def _streamed(count: int) -> Iterator[LedgerRow]:
    head = None
    for batch in batched(range(count), 200, strict=True):
        head, rows = append(head, [event(n + 1) for n in batch], PARTITION)
        yield from rows
