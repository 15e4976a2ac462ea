"""docs/operations.md names every setting that the code reads, with its default, and no other."""

import re

import pytest

from shared.errors import Misconfigured
from shared.settings import Role, read_settings
from tests.docs.documents import ROOT, read

OPERATIONS = read("docs/operations.md")
_ROW = re.compile(r"^\| `(BACKSTOP_[^`]+)` \|([^|]*)\|([^|]*)\|", re.MULTILINE)
_READ = re.compile(r"\"(BACKSTOP_[A-Z_]+)\"")

MINIMUM = {
    "BACKSTOP_ROLE": "responder",
    "BACKSTOP_TABLES": "https://account.table.core.windows.net",
    "BACKSTOP_BUS__fullyQualifiedNamespace": "namespace.servicebus.windows.net",
    "BACKSTOP_LOGS_WORKSPACE": "workspace",
}


def rows() -> dict[str, tuple[str, str]]:
    """Name to whether it is needed and its default."""
    return {
        name: (needed.strip(), usual.strip())
        for name, needed, usual in _ROW.findall(OPERATIONS.text)
    }


def read_names() -> set[str]:
    names = set(_READ.findall((ROOT / "shared/settings.py").read_text()))
    return {f"{name}<NAME>" if name.endswith("_") else name for name in names}


def test_every_setting_is_documented_and_no_other() -> None:
    documented = {name for name in rows() if "__" not in name}
    assert documented == read_names()


def test_numbers_have_the_documented_defaults() -> None:
    settings = read_settings(MINIMUM)
    numbers = {name: float(usual) for name, (_, usual) in rows().items() if usual.isdecimal()}
    assert numbers
    fields = {name: name.removeprefix("BACKSTOP_").lower() for name in numbers}
    assert {name: getattr(settings, field) for name, field in fields.items()} == numbers


@pytest.mark.parametrize("name", sorted(set(MINIMUM) - {"BACKSTOP_ROLE"}))
def test_what_is_said_to_be_needed_is_refused_when_it_is_missing(name: str) -> None:
    assert rows()[name][0] == "yes"
    with pytest.raises(Misconfigured, match=name):
        read_settings({key: value for key, value in MINIMUM.items() if key != name})


def test_a_role_that_is_missing_is_none() -> None:
    assert read_settings(MINIMUM).role is Role.RESPONDER
    assert read_settings(MINIMUM | {"BACKSTOP_ROLE": "both"}).role is Role.NONE
