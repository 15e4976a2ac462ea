"""Names for ids: everywhere in what is said, escaped, and only for ids."""

import html

from shared.domain.views.names import ids_in, put_names, put_names_in
from tests.fakes.callers import ALICE, BEN

NAMES = {ALICE: "Alice <Adams>"}


def test_every_id_in_a_text_is_found() -> None:
    assert ids_in(f"taken over from {ALICE} by {BEN}, not by /subscriptions/{BEN[:36]}/x") == {
        ALICE,
        BEN,
    }


def test_a_name_takes_the_place_of_its_id_and_who_has_none_keeps_the_object_id() -> None:
    said = put_names(f"{ALICE} and {BEN}", NAMES, html.escape)
    assert said == f"Alice &lt;Adams&gt; and {BEN.partition('/')[2]}"


def test_a_card_is_named_at_every_depth_and_else_unchanged() -> None:
    card = {"body": [{"text": f"by {ALICE}", "size": 3}], "on": True}
    assert put_names_in(card, NAMES) == {
        "body": [{"text": "by Alice <Adams>", "size": 3}],
        "on": True,
    }
