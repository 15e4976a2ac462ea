"""Records: where an event lies, its canonical form, and what its hash covers."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.keys import shard_of
from shared.domain.ledger.record import body_fits, canonical, hash_of, moment, partition_of
from shared.errors import RejectedInput
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.ledger.worked_chain import PARTITION, ROWS, event

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


class TestPartition:
    def test_it_is_the_incidents_shard_and_the_month_that_it_was_recorded(self) -> None:
        assert partition_of(event(1)) == PARTITION

    def test_the_month_is_that_of_utc(self) -> None:
        amsterdam = timezone(timedelta(hours=1))
        at = datetime(2026, 12, 1, 0, 30, tzinfo=amsterdam)
        assert partition_of(alter(event(1), recorded_at=at)) == PARTITION

    def test_without_an_incident_it_is_the_services_shard(self) -> None:
        released = alter(event(1), incident="")
        assert partition_of(released) == f"{shard_of('fnol-summary')}-202611"


class TestCanonical:
    def test_the_order_of_members_does_not_matter(self) -> None:
        same = alter(event(1), before={"v2": 100, "v1": 0})
        assert canonical(same) == canonical(event(1))

    def test_members_are_sorted_and_nothing_is_blank_between_them(self) -> None:
        body = canonical(event(1)).decode()
        assert body.startswith('{"actor":"backstop","after":{"v1":100,"v2":0},')
        assert json.loads(body)["recorded_at"] == "2026-11-23T14:05:01Z"

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60, "\ud800"])
    def test_what_json_cannot_say_alike_everywhere_is_refused(self, value: object) -> None:
        with pytest.raises(RejectedInput, match="not-canonical"):
            canonical(alter(event(1), evidence={"value": value}))

    @given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
    def test_it_is_what_the_standard_says_of_any_value(self, value: object) -> None:
        said = alter(event(1), evidence={"value": value})
        expected = rfc8785.dumps(msgspec.to_builtins(said, str_keys=True))
        assert canonical(said) == expected

    def test_members_are_in_the_order_of_utf_16(self) -> None:
        body = canonical(alter(event(1), evidence={"\ufb33": 1, "\U0001f600": 2, "\r": 3}))
        assert '"evidence":{"\\r":3,"\U0001f600":2,"\ufb33":1}' in body.decode()


class TestRecord:
    def test_it_says_what_when_and_the_hash_of_its_body(self) -> None:
        row = ROWS[0]
        assert (row.event_id, row.kind) == (event(1).id, "incident.decided")
        assert row.recorded_at == "2026-11-23T14:05:01.000000Z"
        assert row.body_hash == hashlib.sha256(canonical(event(1))).hexdigest()

    def test_its_hash_covers_the_hash_of_the_body_and_not_the_body(self) -> None:
        assert hash_of(alter(ROWS[0], body="")) == ROWS[0].hash
        assert hash_of(alter(ROWS[0], purged="07-202611/3")) == ROWS[0].hash

    @pytest.mark.parametrize(
        "column", ["partition", "event_id", "kind", "recorded_at", "body_hash", "previous_hash"]
    )
    def test_its_hash_covers_every_other_column(self, column: str) -> None:
        assert hash_of(alter(ROWS[0], **{column: getattr(ROWS[0], column) + "0"})) != ROWS[0].hash

    def test_its_hash_covers_place_and_version(self) -> None:
        assert hash_of(alter(ROWS[0], sequence=2)) != ROWS[0].hash
        assert hash_of(alter(ROWS[0], version=2)) != ROWS[0].hash

    def test_a_body_fits_where_it_is_the_one_that_was_recorded(self) -> None:
        assert body_fits(ROWS[0])
        assert not body_fits(alter(ROWS[0], body=ROWS[0].body + " "))

    @pytest.mark.parametrize("column", ["event_id", "kind"])
    def test_a_body_that_says_something_else_than_the_columns_does_not_fit(
        self, column: str
    ) -> None:
        assert not body_fits(alter(ROWS[0], **{column: "another"}))

    @pytest.mark.parametrize("body", ["{}", "nonsense", "[]"])
    def test_a_body_that_is_no_event_does_not_fit(self, body: str) -> None:
        body_hash = hashlib.sha256(body.encode()).hexdigest()
        assert not body_fits(alter(ROWS[0], body=body, body_hash=body_hash))

    def test_times_sort_as_text(self) -> None:
        early = datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=1)))
        late = datetime(2026, 11, 23, 8, 0, 0, 1, tzinfo=UTC)
        assert moment(early) == "2026-11-23T08:00:00.000000Z" < moment(late)
