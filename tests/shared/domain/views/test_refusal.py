"""What is told to whom the door does not let in: the way back leads to our own pages only."""

from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.authority.permissions import COMMAND, RELEASE, Permission
from shared.domain.views.refusal import lead_to_sign_in, refuse_role


@pytest.mark.parametrize(
    ("target", "back"),
    [
        ("/incidents/INC-1?did=a&b=c#x", "/incidents/INC-1?did=a&b=c#x"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("/\\\\evil.example/", "/"),
        ("https://evil.example/", "/"),
    ],
)
def test_the_way_back_from_the_sign_in_is_a_page_of_ours(target: str, back: str) -> None:
    answer = lead_to_sign_in(target)
    location = urlsplit(answer.headers["Location"])
    assert (answer.status, location.netloc, location.path) == (302, "", "/.auth/login/aad")
    assert parse_qs(location.query) == {"post_login_redirect_uri": [back]}


def test_which_roles_would_do_is_said_for_people_and_for_apps() -> None:
    said = [refuse_role(RELEASE, person=person).detail for person in (True, False)]
    assert said == [
        "This is open to people with the role Commander.",
        "This is open to apps with the role Deployer.",
    ]
    assert refuse_role(COMMAND, person=False).detail == "Not for apps."
    assert refuse_role(Permission(), person=True).detail == "Not for people."
