"""The chain: batches make one chain, and each partition takes its own events only."""

from datetime import UTC, datetime

import pytest

from shared.domain.ledger.chain import GENESIS, Head, append
from shared.errors import RejectedInput
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.ledger.worked_chain import EVENTS, HEAD, LENGTH, PARTITION, ROWS, event


class TestAppend:
    def test_the_first_record_follows_the_genesis(self) -> None:
        assert (ROWS[0].sequence, ROWS[0].previous_hash) == (1, GENESIS)

    @pytest.mark.parametrize("split", [0, 1, 20, LENGTH])
    def test_batches_make_the_same_chain(self, split: int) -> None:
        head, first = append(None, EVENTS[:split], PARTITION)
        head, second = append(head, EVENTS[split:], PARTITION)
        assert (head, (*first, *second)) == (HEAD, ROWS)

    def test_nothing_to_append_moves_no_head(self) -> None:
        assert append(HEAD, [], PARTITION) == (HEAD, ())
        assert append(None, [], PARTITION)[0] == Head(partition=PARTITION, sequence=0, hash=GENESIS)

    def test_an_event_of_another_partition_is_refused(self) -> None:
        december = alter(event(1), recorded_at=datetime(2026, 12, 1, tzinfo=UTC))
        with pytest.raises(RejectedInput, match="belongs to 07-202612"):
            append(HEAD, [december], PARTITION)
