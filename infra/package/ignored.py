"""What a deployment leaves behind: .funcignore, read as the Functions tools read it.

The file has .gitignore's form, of which we use the plain part: a name or a pattern, at any depth
unless it holds a slash, and with a slash at its end for folders only. A line that asks for more is
refused, so that nothing ships, or is left behind, by a misunderstanding.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath


class Ignored:
    """The patterns of one .funcignore."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for a line that is more than a plain pattern."""
        lines = (line.strip() for line in text.splitlines())
        self._patterns = [line for line in lines if line and not line.startswith("#")]
        for pattern in self._patterns:
            if pattern.startswith("!") or "**" in pattern or re.search(r"\s", pattern):
                raise ValueError(f".funcignore: {pattern!r} is more than a plain pattern")

    def covers(self, path: PurePosixPath, *, is_folder: bool) -> bool:
        """Whether a path, relative to the root, is left behind by a pattern of its own."""
        return any(_matches(pattern, path, is_folder=is_folder) for pattern in self._patterns)

    def files(self, root: Path) -> Iterator[PurePosixPath]:
        """The files below `root` that ship, in order; what is in an ignored folder does not."""
        yield from self._below(root, PurePosixPath())

    def _below(self, root: Path, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        for found in sorted((root / folder).iterdir()):
            path = folder / found.name
            if self.covers(path, is_folder=found.is_dir()):
                continue
            if found.is_dir():
                yield from self._below(root, path)
            else:
                yield path


def _matches(pattern: str, path: PurePosixPath, *, is_folder: bool) -> bool:
    if pattern.endswith("/") and not is_folder:
        return False
    plain = pattern.strip("/")
    is_anchored = "/" in pattern.rstrip("/")
    return fnmatchcase(str(path) if is_anchored else path.name, plain)
