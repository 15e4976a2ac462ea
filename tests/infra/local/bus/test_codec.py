"""AMQP values survive encoding and decoding, and damaged bytes end in DecodeError only."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.bus.decode import decode, skip
from infra.local.bus.encode import encode, encode_section
from infra.local.bus.values import (
    AmqpArray,
    Byte,
    Char,
    DecodeError,
    Described,
    Float,
    Int,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

# A busy machine is slow, not wrong.
patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def integers(kind: type, bits: int, *, signed: bool) -> st.SearchStrategy[Any]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(low, high).map(kind)


NUMBERS = [
    integers(UByte, 8, signed=False),
    integers(UShort, 16, signed=False),
    integers(UInt, 32, signed=False),
    integers(ULong, 64, signed=False),
    integers(Byte, 8, signed=True),
    integers(Short, 16, signed=True),
    integers(Int, 32, signed=True),
    integers(Long, 64, signed=True),
    integers(Timestamp, 64, signed=True),
    st.integers(0, 0x10FFFF).map(Char),
    st.floats(allow_nan=False),
    st.floats(allow_nan=False, width=32).map(Float),
]
TEXTS = [
    st.text(max_size=300),
    st.binary(max_size=300),
    st.text("abcdef-:.", max_size=300).map(Symbol),
]
SCALARS = st.one_of(st.none(), st.booleans(), st.uuids(), *NUMBERS, *TEXTS)
ARRAYS = st.one_of(
    *(st.lists(kind, max_size=9).map(AmqpArray) for kind in (*NUMBERS, *TEXTS, st.uuids()))
)
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=300),
        st.dictionaries(st.text(max_size=9), inner, max_size=9),
        st.builds(Described, integers(ULong, 64, signed=False), inner),
    ),
    max_leaves=20,
)


def kinds(value: Any) -> Any:
    """Return the types in `value`, in its shape: 1 == True == UInt(1), but not on the wire."""
    match value:
        case AmqpArray():
            return AmqpArray, [kinds(item) for item in value]
        case list():
            return [kinds(item) for item in value]
        case dict():
            return {key: kinds(item) for key, item in value.items()}
        case Described():
            return kinds(value.value)
        case _:
            return type(value)


@patient
@given(VALUES)
def test_what_was_encoded_is_decoded(value: Any) -> None:
    raw = encode(value)

    decoded, end = decode(raw)

    assert decoded == value
    assert kinds(decoded) == kinds(value)
    assert end == len(raw)


@patient
@given(VALUES, st.binary(max_size=9))
def test_skipping_ends_where_decoding_ends(value: Any, rest: bytes) -> None:
    raw = encode(value)

    assert skip(raw + rest, 0) == len(raw)


@patient
@given(VALUES, st.data())
def test_bytes_that_are_cut_off_are_no_value(value: Any, data: st.DataObject) -> None:
    raw = encode(value)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]

    with pytest.raises(DecodeError):
        decode(cut)


@patient
@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_an_error_of_ours(raw: bytes) -> None:
    try:
        _, end = decode(raw)
    except DecodeError:
        return
    assert end <= len(raw)


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (None, "40"),
        (True, "41"),
        (UInt(0), "43"),
        (UInt(7), "5207"),
        (UInt(256), "7000000100"),
        (ULong(0x70), "5370"),
        (5, "810000000000000005"),
        (Symbol("ab"), "a3026162"),
        ("é", "a102c3a9"),
        ([], "45"),
        ([UInt(0)], "c0020143"),
        (Described(ULong(0x24), []), "00532445"),
        (AmqpArray([Symbol("a")]), "f00000000a00000001b30000000161"),
        (UUID(int=1), "98" + "00" * 15 + "01"),
    ],
)
def test_the_bytes_are_those_of_the_standard(value: Any, raw: str) -> None:
    assert encode(value).hex() == raw


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("56 01", True),
        ("54 ff", Int(-1)),
        ("55 80", Long(-128)),
        ("d0 00000005 00000001 40", [None]),
    ],
)
def test_forms_that_we_never_write_are_read(raw: str, value: Any) -> None:
    assert decode(bytes.fromhex(raw))[0] == value


def test_an_array_may_hold_described_values() -> None:
    raw = bytes.fromhex("e0 06 02 00 53 24 52 01 02")

    with pytest.raises(DecodeError):
        decode(raw[:-1])
    assert decode(raw[:1] + b"\x07" + raw[2:])[0] == AmqpArray(
        [Described(ULong(0x24), UInt(1)), Described(ULong(0x24), UInt(2))]
    )


def test_a_list_cannot_promise_more_elements_than_it_has_bytes() -> None:
    with pytest.raises(DecodeError, match="do not fit"):
        decode(bytes.fromhex("d0 00000005 ffffffff 40"))


def test_trailing_nulls_of_a_section_are_left_out() -> None:
    assert encode_section(0x10, "a", None, None) == encode(Described(ULong(0x10), ["a"]))


def test_a_type_without_a_place_in_amqp_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        encode(1j)
