"""The checks that tell what somebody owns from what only looks like it."""

import pytest

from shared.domain.redaction.checksums import is_address, is_card, is_iban, is_phone, is_ssn


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1111",
        "4222222222222",
        "5555-5555-5555-4444",
        "2223003122003222",
        "378282246310005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "6200000000000005",
    ],
)
def test_the_cards_of_all_brands_are_known(number: str) -> None:
    assert is_card(number)


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111112",
        "1763900000006",
        "0000000000000000",
        "9999999999999995",
        "411111111111111",
        "4444444444444444",
    ],
)
def test_a_sum_that_is_wrong_or_no_brand_is_no_card(number: str) -> None:
    assert not is_card(number)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("DE89 3704 0044 0532 0130 00", True),
        ("GB82WEST12345698765432", True),
        ("no9386011117947", True),
        ("MT84MALT011000012345MTLCAST001S", True),
        ("DE89 3704 0044 0532 0130 01", False),
        ("DE89 3704 0044 0532 0130", False),
        ("XX89370400440532013000", False),
    ],
)
def test_an_account_has_its_countrys_length_and_sum(text: str, known: bool) -> None:
    assert is_iban(text) is known


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("078-05-1120", True),
        ("000-05-1120", False),
        ("666-05-1120", False),
        ("900-05-1120", False),
        ("078-00-1120", False),
        ("078-05-0000", False),
    ],
)
def test_numbers_that_are_never_given_out_are_nobodys(text: str, known: bool) -> None:
    assert is_ssn(text) is known


@pytest.mark.parametrize(
    ("text", "known"), [("+46701234567", True), ("+1 234", False), ("+1234567890123456", False)]
)
def test_a_telephone_number_has_eight_to_fifteen_digits(text: str, known: bool) -> None:
    assert is_phone(text) is known


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("203.0.113.7", True),
        ("10.0.0.4", True),
        ("2001:db8::1", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("0.0.0.0", False),
        ("300.0.0.1", False),
        ("12:30:45", False),
    ],
)
def test_an_address_of_every_machine_names_nobody(text: str, known: bool) -> None:
    assert is_address(text) is known
