"""Pages: escaped, under a strict policy, and their files by name only."""

import re
from pathlib import Path

import jinja2
import pytest

from shared.adapters.pages import FOLDER, Pages
from shared.domain.views.http import Answer
from shared.domain.views.problem import problem_from
from shared.errors import NotFound, Unavailable

PAGES = Pages()


def html(answer: Answer) -> str:
    return answer.body.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "said.html").write_text("<p>{{ said }}</p>")
    return tmp_path


def test_what_an_alert_says_stays_text(folder: Path) -> None:
    answer = Pages(folder).answer("said.html", said='<script src="//evil.example">')
    assert html(answer) == "<p>&lt;script src=&#34;//evil.example&#34;&gt;</p>"


def test_half_a_character_breaks_no_page(folder: Path) -> None:
    assert html(Pages(folder).answer("said.html", said="\ud800")) == "<p>?</p>"


def test_a_name_that_a_template_misses_is_an_error_and_not_a_blank(folder: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        Pages(folder).answer("said.html")


def test_the_browser_may_run_and_load_nothing_but_our_files() -> None:
    policy = PAGES.problem(problem_from(NotFound("no incident"))).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for rule in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy


@pytest.mark.parametrize("name", [path.name for path in FOLDER.glob("*.html")])
def test_no_template_has_a_script_or_a_style_of_its_own(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_a_problem_says_what_happened_and_how_to_go_back() -> None:
    answer = PAGES.problem(problem_from(Unavailable("tables", "no answer", 30.0)), "/incidents/X")
    assert answer.status == 503
    assert "tables is unavailable: no answer" in html(answer)
    assert "Try again in 30 seconds." in html(answer)
    assert 'href="/incidents/X"' in html(answer)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("console.css", "text/css"),
        ("console.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_files_have_their_type_and_may_be_kept(name: str, kind: str) -> None:
    answer = PAGES.asset(name)
    assert answer.content_type == kind
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_page_names_its_files_by_their_content() -> None:
    said = html(PAGES.problem(problem_from(NotFound("no incident"))))
    assert re.search(r'href="/assets/console\.css\?[0-9a-f]{12}"', said)


@pytest.mark.parametrize("name", ["../home.html", "home.html", "/etc/passwd", "", "console.css/"])
def test_only_the_files_of_the_folder_can_be_had(name: str) -> None:
    with pytest.raises(NotFound):
        PAGES.asset(name)
