"""Verification of one partition: its records, in stored order, against its head and the seals.

Records are taken one by one and forgotten, so a chain of any length needs no memory. Every touch is
found; the first bad record is named. Where a chain was made anew, hash and all, nobody can tell
which of the records behind the last good seal was changed: the first of them is named.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.domain.ledger.chain import Head, head_at, start_of
from shared.domain.ledger.purge import Told, told_in
from shared.domain.ledger.record import LedgerRow, body_fits, hash_of

_OUT_OF_ORDER = "the record is out of order"
_NO_LINK = "the record does not follow the one before it"
ANEW = "the chain was made anew from this record on, or later"


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a chain is whole, and how many records before the first bad one are.

    `first_bad` is "partition/sequence event-id", without the id where the record is missing.
    """

    ok: bool
    events: int
    first_bad: str = ""
    problem: str = ""


class PartitionCheck:
    """Takes the records of one partition; `end` says what was found.

    `sealed` are the hashes that seals vouch for, by sequence. `purged` are records without a body
    that name the record that tells of it, `told` what records of this partition tell of.
    """

    def __init__(
        self, partition: str, head: Head | None, sealed: Mapping[int, str] | None = None
    ) -> None:
        self.purged: dict[int, str] = {}
        self.told: dict[int, Told] = {}
        self._kept = head or start_of(partition)
        self._sealed = sealed or {}
        self._end = start_of(partition)
        self._before: str = ""  # the name of the last good record
        self._open: str = ""  # the first good record that no seal has vouched for yet
        self._trouble: _Trouble | None = None

    def take(self, row: LedgerRow) -> None:
        """Look at the next record."""
        if self._trouble is not None:
            self._trouble.see(row)
            return
        self._open = self._open or row.name
        problem = self._problem(row)
        if problem:
            vouched = self._vouched(row)
            good = self._end.sequence
            self._trouble = _Trouble(row, good, problem, opened=self._open, vouched=vouched)
            return
        self._end, self._before = head_at(row), row.name
        if row.sequence in self._sealed:
            self._open = ""
        if row.purged:
            self.purged[row.sequence] = row.purged
        told = told_in(row)
        if told is not None:
            self.told[row.sequence] = told

    def end(self) -> Verification:
        """What was found."""
        good = self._end.sequence
        if self._trouble is not None:
            name, problem, before = self._trouble.blame(self._kept, self._before)
            return bad(before, name, problem)
        whole = max(self._kept.sequence, *self._sealed, 0)
        if whole > good:
            cut = f"cut off: {whole - good} records are missing"
            return bad(good, f"{self._kept.partition}/{good + 1}", cut)
        return Verification(ok=True, events=good)

    def _problem(self, row: LedgerRow) -> str:
        """What is wrong with the row that follows; "" where nothing is. First match wins."""
        kept = self._kept
        checks = (
            (row.sequence > kept.sequence, "the record lies beyond the head"),
            (row.partition != kept.partition, "the record is of another partition"),
            (row.sequence != self._end.sequence + 1, _OUT_OF_ORDER),
            (row.previous_hash != self._end.hash, _NO_LINK),
            (row.hash != hash_of(row), "the record was edited"),
            (bool(row.body) and not body_fits(row), "the record was edited"),
            (not row.body and not row.purged, "the body is gone, and no purge is named"),
            (bool(row.body and row.purged), "the body is there, and a purge is named"),
            (row.hash != self._vouched(row), ANEW),
        )
        return next((problem for wrong, problem in checks if wrong), "")

    def _vouched(self, row: LedgerRow) -> str:
        """The hash that a record must have by seal and head, where it has another; else its own."""
        of_head = self._kept.hash if row.sequence == self._kept.sequence else row.hash
        vouched = (self._sealed.get(row.sequence, row.hash), of_head)
        return next((one for one in vouched if one != row.hash), row.hash)


class _Trouble:
    """The first record that does not fit. What follows tells which record is to blame."""

    def __init__(
        self, row: LedgerRow, good: int, problem: str, *, opened: str, vouched: str
    ) -> None:
        self._first = row
        self._vouched = vouched  # the hash that a seal or the head has for it
        self._next: LedgerRow | None = None
        self._good = good
        self._problem = problem
        self._opened = opened
        self._last = row
        self._gone = row.sequence != good + 1
        self._leads_on = row.hash == hash_of(row)

    def see(self, row: LedgerRow) -> None:
        """Look at a record behind it."""
        self._gone = self._gone and row.sequence != self._good + 1
        linked = row.previous_hash == self._last.hash
        self._next = self._next or row
        self._leads_on = self._leads_on and linked and row.hash == hash_of(row)
        self._last = row

    def blame(self, kept: Head, before: str) -> tuple[str, str, int]:
        """The bad record's name, what is wrong, and how many good ones are before it."""
        if self._problem == _OUT_OF_ORDER and self._gone:
            return f"{kept.partition}/{self._good + 1}", "the record is missing", self._good
        # A link that leads on to the head is right: what it does not fit was replaced.
        leads_on = self._leads_on and self._last.hash == kept.hash
        if self._problem == _NO_LINK and before and leads_on:
            return before, "the record was replaced", self._good - 1
        if self._first.sequence == self._good and before and leads_on:
            return before, "the record was inserted", self._good - 1
        if self._problem == ANEW and self._next is not None:
            if self._next.previous_hash == self._vouched:
                return self._first.name, "the record was replaced", self._good
            if self._next.hash == self._vouched:
                return self._first.name, "the record was inserted", self._good
        if self._problem == ANEW:
            good = int(self._opened.partition(" ")[0].rpartition("/")[2]) - 1
            return self._opened, ANEW, good
        return self._first.name, self._problem, self._good


def verify(rows: Iterable[LedgerRow], head: Head | None) -> Verification:
    """Check the rows of one partition, in stored order, against its head alone, without seals."""
    check = PartitionCheck(head.partition if head else "", head)
    for row in rows:
        check.take(row)
    return check.end()


def bad(good_before: int, name: str, problem: str) -> Verification:
    """Say which record is the first that is not as it was recorded."""
    return Verification(ok=False, events=good_before, first_bad=name, problem=problem)
