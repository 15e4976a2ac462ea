"""The ledger: every way to touch it is found, and the first bad record is named."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.event import ChangeEvent, EventKind
from shared.domain.keys import shard_of
from shared.domain.ledger import (
    GENESIS,
    Head,
    LedgerRow,
    _hash,
    append,
    canonical,
    complete,
    partition_of,
    verify,
)
from shared.errors import RejectedInput
from tests.shared.domain.decisions.worked_case import NOW, alter

PARTITION = "07-202611"
SEEDS = range(50)
LENGTH = 40


def event(number: int) -> ChangeEvent:
    return ChangeEvent(
        id=f"INC-07-261123-0A1B2C3D-{number:04d}",
        kind=EventKind.DECIDED,
        service="fnol-summary",
        incident="INC-07-261123-0A1B2C3D",
        sequence=number,
        actor="backstop",
        what=f"decided {number}",
        why="policy",
        happened_at=NOW,
        recorded_at=NOW + timedelta(seconds=number),
        before={"v1": 0, "v2": 100},
        after={"v2": 0, "v1": 100},
    )


EVENTS = tuple(event(number) for number in range(1, LENGTH + 1))
HEAD, ROWS = append(None, EVENTS, PARTITION)


def rehash(rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """Chain rows anew, as a forger would who knows the code."""
    bodies = [json.loads(row.body) for row in rows]
    events = [
        alter(EVENTS[0], id=body["id"], what=body["what"], sequence=body["sequence"])
        for body in bodies
    ]
    return list(append(None, events, PARTITION)[1])


def name(row: LedgerRow) -> str:
    return f"{row.partition}/{row.sequence} {row.event_id}"


type Tampered = tuple[list[LedgerRow], str]


def edited(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH)
    rows = list(ROWS)
    rows[at] = alter(rows[at], body=rows[at].body.replace("policy", "orders", 1))
    return rows, name(rows[at])


def replaced(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH - 1)
    rows = list(ROWS)
    forged = alter(rows[at], body=rows[at].body.replace("decided", "did nothing", 1))
    rows[at] = alter(forged, hash=_hash(forged))
    return rows, name(rows[at])


def column_edited(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH)
    rows = list(ROWS)
    rows[at] = alter(rows[at], event_id="somebody-else")
    return rows, name(rows[at])


def deleted(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH - 1)
    rows = [row for row in ROWS if row is not ROWS[at]]
    return rows, f"{PARTITION}/{at + 1}"


def inserted(rng: random.Random) -> Tampered:
    at = rng.randrange(1, LENGTH)
    copy = alter(ROWS[rng.randrange(at)], event_id="made-up")
    return [*ROWS[:at], copy, *ROWS[at:]], name(copy)


def inserted_and_renumbered(rng: random.Random) -> Tampered:
    at = rng.randrange(1, LENGTH)
    copy = alter(ROWS[at], event_id="made-up")
    later = [alter(row, sequence=row.sequence + 1) for row in ROWS[at:]]
    return [*ROWS[:at], copy, *later], name(copy)


def reordered(rng: random.Random) -> Tampered:
    first, second = sorted(rng.sample(range(LENGTH), 2))
    rows = list(ROWS)
    rows[first], rows[second] = rows[second], rows[first]
    return rows, name(ROWS[second])


def reordered_and_renumbered(rng: random.Random) -> Tampered:
    first, second = sorted(rng.sample(range(LENGTH), 2))
    rows = list(ROWS)
    rows[first] = alter(ROWS[second], sequence=first + 1)
    rows[second] = alter(ROWS[first], sequence=second + 1)
    return rows, name(rows[first])


def cut(rng: random.Random) -> Tampered:
    left = rng.randrange(LENGTH)
    return list(ROWS[:left]), f"{PARTITION}/{left + 1}"


def added(rng: random.Random) -> Tampered:
    number = LENGTH + rng.randrange(1, 9)
    _, more = append(HEAD, [event(number)], PARTITION)
    return [*ROWS, *more], name(more[0])


def made_anew(rng: random.Random) -> Tampered:
    at = rng.randrange(LENGTH)
    rows = list(ROWS)
    rows[at] = alter(rows[at], body=rows[at].body.replace("decided", "did nothing", 1))
    rows = rehash(rows)
    return rows, name(rows[-1])


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
        assert verify(other, HEAD).first_bad == name(other[0])

    @given(st.integers(0, LENGTH - 1), st.data())
    @settings(max_examples=200, deadline=None)
    def test_any_single_changed_character_is_found(self, at: int, data: st.DataObject) -> None:
        column = data.draw(st.sampled_from(["event_id", "body", "previous_hash", "hash"]))
        was = getattr(ROWS[at], column)
        place = data.draw(st.integers(0, len(was) - 1))
        other = "0" if was[place] != "0" else "1"
        row = alter(ROWS[at], **{column: was[:place] + other + was[place + 1 :]})
        found = verify([*ROWS[:at], row, *ROWS[at + 1 :]], HEAD)
        assert (found.ok, found.first_bad) == (False, name(row))


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


class TestComplete:
    def test_who_what_why_and_when_are_all_there(self) -> None:
        assert complete(event(1)) == ()

    @pytest.mark.parametrize(
        ("changes", "missing"),
        [
            ({"actor": ""}, ("who",)),
            ({"what": "  "}, ("what",)),
            ({"why": ""}, ("why",)),
            ({"happened_at": datetime(2026, 11, 23)}, ("when",)),  # noqa: DTZ001 - on purpose
            ({"recorded_at": datetime(2026, 11, 23)}, ("when",)),  # noqa: DTZ001 - on purpose
            ({"actor": "", "why": ""}, ("who", "why")),
        ],
    )
    def test_what_is_missing_is_named(
        self, changes: dict[str, object], missing: tuple[str, ...]
    ) -> None:
        assert complete(alter(event(1), **changes)) == missing
