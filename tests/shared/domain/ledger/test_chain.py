"""The chain: batches make one chain, and each partition takes its own events only."""

from datetime import UTC, datetime

import pytest

from shared.domain.ledger.chain import GENESIS, Head, append, follow, head_at, start_of
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


class TestFollow:
    """What a sealer may sign: only what goes on from the last seal as it should."""

    def test_records_that_go_on_from_a_head_are_taken(self) -> None:
        assert follow(start_of(PARTITION), ROWS) == ROWS
        assert follow(head_at(ROWS[9]), ROWS[10:]) == ROWS[10:]

    def test_of_another_history_none_is_taken(self) -> None:
        assert follow(alter(head_at(ROWS[9]), hash="0" * 64), ROWS[10:]) == ()
        assert follow(head_at(ROWS[9]), ROWS[11:]) == ()

    @pytest.mark.parametrize(
        "changes", [{"event_id": "x"}, {"body": "{}"}, {"body": ""}, {"hash": "0" * 64}]
    )
    def test_those_before_a_touched_one_are_taken(self, changes: dict[str, object]) -> None:
        rows = [*ROWS[:4], alter(ROWS[4], **changes), *ROWS[5:]]
        assert follow(start_of(PARTITION), rows) == ROWS[:4]
