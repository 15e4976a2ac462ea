"""Seals are numbered, linked and signed over all heads; each thing changed in one is found."""

import base64
import json
from datetime import timedelta

import pytest

from shared.domain.ledger.chain import GENESIS, Head
from shared.domain.ledger.seal import Seal, check_seal, moved, root, state
from tests.fakes.signer import sign_as
from tests.shared.domain.decisions.worked_case import NOW, alter
from tests.shared.domain.ledger.sealed_ledger import KEY, LEDGER, next_seal

FIRST, SECOND, *_, LAST = LEDGER.seals
HEAD = Head(partition="60-202612", sequence=1, hash="ab" * 32)


class TestMaking:
    def test_the_first_follows_nothing(self) -> None:
        assert (FIRST.statement.number, FIRST.statement.previous) == (1, GENESIS)

    def test_each_names_the_one_before(self) -> None:
        assert SECOND.statement.previous == FIRST.statement.hash()
        assert SECOND.statement.number == 2

    def test_heads_that_did_not_move_stay_and_all_are_in_order(self) -> None:
        heads = moved(LAST, [HEAD, alter(LAST.heads[0], sequence=99)])
        assert [head.partition for head in heads] == sorted(head.partition for head in heads)
        assert {head.partition: head.sequence for head in heads} == {
            "07-202611": 99,
            "22-202611": 24,
            "51-202611": 24,
            "60-202612": 1,
        }

    def test_its_time_never_goes_back(self) -> None:
        statement = state(LAST, LAST.heads, KEY, NOW - timedelta(days=1))
        assert statement.at == LAST.statement.at

    def test_what_is_signed_is_canonical_json(self) -> None:
        signed = LAST.statement.signed_bytes()
        again = json.dumps(json.loads(signed), sort_keys=True, separators=(",", ":"))
        assert again.encode() == signed


class TestChecking:
    def test_a_seal_that_follows_is_right(self) -> None:
        assert check_seal(FIRST, None, {KEY}) == ""
        assert check_seal(SECOND, FIRST, {KEY}) == ""

    @pytest.mark.parametrize("name", ["at", "format", "number", "previous", "root", "size"])
    def test_a_changed_statement_is_not_what_was_signed(self, name: str) -> None:
        was = getattr(SECOND.statement, name)
        changed = alter(SECOND.statement, **{name: was + (1 if isinstance(was, int) else "0")})
        assert check_seal(alter(SECOND, statement=changed), FIRST, {KEY})

    def test_changed_heads_are_not_those_of_the_root(self) -> None:
        heads = (alter(SECOND.heads[0], sequence=7), *SECOND.heads[1:])
        assert check_seal(alter(SECOND, heads=heads), FIRST, {KEY}) == "its heads were edited"
        assert check_seal(alter(SECOND, heads=SECOND.heads[1:]), FIRST, {KEY})

    def test_another_key_is_named(self) -> None:
        forged = next_seal(FIRST, SECOND.heads, "forger")
        assert forged.statement.key in check_seal(forged, FIRST, {KEY})

    def test_a_key_of_the_right_name_with_another_signature_is_refused(self) -> None:
        signature = sign_as("forger", SECOND.statement.signed_bytes())
        forged = alter(SECOND, signature=base64.b64encode(signature).decode())
        assert check_seal(forged, FIRST, {KEY}) == "the signature is not that of its key"

    @pytest.mark.parametrize("field", ["signature", "public_key"])
    @pytest.mark.parametrize("value", ["", "!", "AAAA"])
    def test_what_is_no_base64_of_the_right_thing_is_refused(self, field: str, value: str) -> None:
        assert check_seal(alter(SECOND, **{field: value}), FIRST, {KEY})

    def test_one_that_is_left_out_or_comes_twice_is_missed(self) -> None:
        assert check_seal(LAST, FIRST, {KEY}) == "it is out of order"
        assert check_seal(SECOND, SECOND, {KEY}) == "it is out of order"

    def test_one_of_another_history_does_not_follow(self) -> None:
        other = next_seal(None, [HEAD])
        assert check_seal(next_seal(other, [HEAD]), FIRST, {KEY}) == "it follows another seal"

    def test_a_chain_never_becomes_shorter(self) -> None:
        shorter = [alter(head, sequence=1) for head in FIRST.heads]
        found = check_seal(next_seal(FIRST, shorter), FIRST, {KEY})
        assert found == "a chain is shorter than it was"

    def test_a_chain_never_disappears(self) -> None:
        statement = state(FIRST, FIRST.heads[1:], KEY, NOW)
        signature = base64.b64encode(sign_as("backstop", statement.signed_bytes())).decode()
        less = Seal(
            statement=statement,
            signature=signature,
            public_key=FIRST.public_key,
            heads=FIRST.heads[1:],
        )
        assert root(FIRST.heads[1:]) == statement.root
        assert check_seal(less, FIRST, {KEY}) == "a chain is shorter than it was"
