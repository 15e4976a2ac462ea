"""The stand-in for protobuf keeps protobuf's manners, on which the worker library relies."""

import pytest

from infra.local.host import protos


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="RpcHttp has no field verb"):
        protos.RpcHttp(verb="GET")


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = protos.TypedData(string="x").TypedData


def test_a_value_knows_of_which_kind_it_is() -> None:
    assert protos.TypedData(json="{}").WhichOneof("data") == "json"


def test_an_empty_value_is_a_value() -> None:
    assert protos.TypedData(bytes=b"").WhichOneof("data") == "bytes"


def test_nothing_is_of_no_kind() -> None:
    assert protos.TypedData(string=None).WhichOneof("data") is None


def test_defaults_are_not_shared_between_messages() -> None:
    protos.RpcHttp().headers["a"] = "b"
    assert protos.RpcHttp().headers == {}


def test_numbers_whose_names_are_keywords_can_be_asked_for() -> None:
    assert getattr(protos.BindingInfo, "in") == 0
    assert getattr(protos.RpcHttpCookie.SameSite, "None") == 0
