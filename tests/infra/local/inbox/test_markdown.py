import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.inbox.markdown import to_html

APART = 'target="_blank" rel="noopener noreferrer"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("**SEV1** tier 1", "<strong>SEV1</strong> tier 1"),
        ("an _aside_ here", "an <em>aside</em> here"),
        ("fnol_summary_v2", "fnol_summary_v2"),
        (r"\*\*not bold\*\*", "**not bold**"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("a < b & c", "a &lt; b &amp; c"),
        (r"\<b\>", "&lt;b&gt;"),
        (
            "[Open](https://example.com/?b=1&c=2)",
            f'<a href="https://example.com/?b=1&amp;c=2" {APART}>Open</a>',
        ),
        ("[Open](javascript:alert(1))", "[Open](javascript:alert(1))"),
    ],
)
def test_text_is_drawn_as_teams_draws_it(text: str, html: str) -> None:
    assert to_html(text) == html


@given(st.text(alphabet='<>"&*_[]()\\ahttps:/ '))
def test_no_text_makes_a_tag_of_its_own(text: str) -> None:
    tags = set(re.findall(r"<(/?\w+)", to_html(text)))
    assert tags <= {"strong", "/strong", "em", "/em", "a", "/a"}
