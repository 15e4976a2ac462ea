"""What ships and what stays behind, by the patterns of .funcignore."""

from pathlib import Path, PurePosixPath

import pytest

from infra.package.ignored import Ignored
from infra.package.package import ROOT


@pytest.mark.parametrize(
    ("pattern", "path", "is_folder", "covered"),
    [
        ("docs/", "docs", True, True),
        ("docs/", "docs", False, False),
        ("docs/", "responders/docs", True, True),
        ("*.md", "README.md", False, True),
        ("*.md", "shared/catalog/README.md", False, True),
        ("*.md", "README.mdx", False, False),
        (".*_cache/", ".mypy_cache", True, True),
        ("package*.json", "package-lock.json", False, True),
        ("infra/local/", "infra/local", True, True),
        ("infra/local/", "other/infra/local", True, False),
        ("/tests", "tests", True, True),
        ("/tests", "shared/tests", True, False),
    ],
)
def test_a_pattern_covers_what_the_tools_say_it_covers(
    pattern: str, path: str, is_folder: bool, covered: bool
) -> None:
    assert Ignored(pattern).covers(PurePosixPath(path), is_folder=is_folder) is covered


@pytest.mark.parametrize("pattern", ["!keep.py", "**/deep", "two words"])
def test_a_line_that_is_more_than_a_plain_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="more than a plain pattern"):
        Ignored(pattern)


def test_what_is_in_an_ignored_folder_stays_behind_and_comments_ignore_nothing(
    tmp_path: Path,
) -> None:
    for name in ("app.py", "tests/test_app.py", "lib/deep/part.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = Ignored("# app.py\ntests/\n").files(tmp_path)
    assert [str(path) for path in found] == ["app.py", "lib/deep/part.py"]


def test_of_the_repository_only_the_app_ships() -> None:
    found = Ignored((ROOT / ".funcignore").read_text()).files(ROOT)
    assert {path.parts[0] for path in found} == {
        "LICENSE",
        "function_app.py",
        "host.json",
        "responders",
        "shared",
    }
