"""Export: lines that are the same every time, of what is in scope and under a seal."""

import hashlib
import json

import pytest

from shared.domain.ledger.export import Scope, manifest, record_lines, seal_line
from shared.domain.ledger.purge import without_body
from shared.domain.ledger.record import LedgerRow
from tests.shared.domain.decisions.worked_case import alter
from tests.shared.domain.ledger.sealed_ledger import LEDGER
from tests.shared.domain.ledger.worked_chain import HEAD, ROWS

MINUTE = "2026-11-23T14:05"
INCIDENT = "INC-07-261123-0A1B2C3D"


def bodies(scope: Scope) -> list[int]:
    lines = list(record_lines(ROWS, HEAD, scope))
    assert len(lines) == len(ROWS)
    return [number for number, line in enumerate(lines, 1) if line.event]


class TestRecords:
    def test_an_event_is_written_byte_for_byte_as_it_was_recorded(self) -> None:
        first = next(iter(record_lines(ROWS, HEAD, Scope())))
        assert hashlib.sha256(first.event[:-1]).hexdigest() == ROWS[0].body_hash
        assert json.loads(first.ledger)["hash"] == ROWS[0].hash
        assert json.loads(first.ledger)["body"] == ""

    def test_what_lies_behind_the_head_is_left_out(self) -> None:
        assert len(list(record_lines(ROWS, alter(HEAD, sequence=7), Scope()))) == 7

    def test_a_purged_record_says_which_partition_tells_of_it(self) -> None:
        gone = without_body(ROWS[0], "22-202712/5")
        (line,) = record_lines([gone], HEAD, Scope())
        assert (line.event, line.told_in) == (b"", "22-202712")


class TestScope:
    def test_everything(self) -> None:
        assert bodies(Scope()) == list(range(1, 41))

    def test_a_time_without_its_end(self) -> None:
        scope = Scope(since=f"{MINUTE}:03.000000Z", until=f"{MINUTE}:06.000000Z")
        assert bodies(scope) == [3, 4, 5]

    def test_an_incident(self) -> None:
        assert bodies(Scope(incident=INCIDENT)) == list(range(1, 41))
        assert bodies(Scope(incident="INC-07-261123-0A1B2C3")) == []

    @pytest.mark.parametrize(
        ("scope", "partitions"),
        [
            (Scope(), ["07-202610", "07-202611", "22-202611", "07-202612"]),
            (Scope(incident=INCIDENT), ["07-202610", "07-202611", "07-202612"]),
            (
                Scope(since="2026-11-01T00:00:00.000000Z", until="2026-11-30T00:00:00.000000Z"),
                ["07-202611", "22-202611"],
            ),
        ],
    )
    def test_its_partitions_follow_from_their_names(
        self, scope: Scope, partitions: list[str]
    ) -> None:
        every = ["07-202610", "07-202611", "22-202611", "07-202612"]
        assert [name for name in every if scope.takes_partition(name)] == partitions

    def test_purges_are_in_every_scope(self) -> None:
        purge: LedgerRow = alter(ROWS[0], kind="ledger.purged")
        assert Scope(incident="INC-22-261123-00000000").takes(purge)


def test_seals_and_manifests_are_the_same_every_time() -> None:
    seal = LEDGER.seals[-1]
    assert seal_line(seal) == seal_line(alter(seal))
    one = manifest(Scope(), seal=seal, events=3, files={"b": "2", "a": "1"}, key=b"k")
    two = manifest(Scope(), seal=seal, events=3, files={"a": "1", "b": "2"}, key=b"k")
    assert one == two
    assert json.loads(one)["scope"] == {}
