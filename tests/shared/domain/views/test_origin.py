"""Whose page sent it: a button's POST is taken from our own pages only."""

import pytest

from shared.domain.views.http import Request
from shared.domain.views.origin import is_foreign, refuse_foreign
from shared.errors import NotAllowed

PUBLIC = "https://backstop.example"


def refused(public_url: str = PUBLIC, *, browser_only: bool = True, **headers: str) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return is_foreign(Request(headers=named), public_url, browser_only=browser_only)


def test_a_page_of_ours_may_send() -> None:
    assert not refused(sec_fetch_site="same-origin", origin=PUBLIC)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_any_other_site_may_not_whatever_it_calls_itself(site: str) -> None:
    assert refused(sec_fetch_site=site, origin=PUBLIC, browser_only=False)


def test_a_browser_without_fetch_metadata_is_judged_by_its_origin() -> None:
    assert not refused(origin=PUBLIC)
    assert refused(origin="https://evil.example")


@pytest.mark.parametrize(
    "origin",
    ["null", "http://backstop.example", "https://backstop.example.evil.example", "http://[", "//"],
)
def test_an_origin_that_only_looks_like_ours_is_foreign(origin: str) -> None:
    assert refused(origin=origin)


def test_without_a_public_address_the_host_counts() -> None:
    assert not refused("", origin="http://127.0.0.1:7071", host="127.0.0.1:7071")
    assert refused("", origin="http://evil.example", host="127.0.0.1:7071")
    assert refused("", origin="http://[", host="[")
    assert refused("", origin="null", host="")


def test_a_form_is_taken_from_a_page_of_ours_and_from_nobody_else() -> None:
    refuse_foreign(Request(headers={"sec-fetch-site": "same-origin"}), PUBLIC)
    with pytest.raises(NotAllowed, match="a page of the console"):
        refuse_foreign(Request(), PUBLIC)


def test_a_program_says_nothing_of_its_origin_and_may_use_the_api_but_no_form() -> None:
    assert not refused(browser_only=False)
    assert refused(browser_only=True)
