"""The file of a bundle: parts are written line by line, then packed, byte for byte the same.

The parts lie in a temporary folder, so a hundred thousand events need disk and no memory. Packing
names no time and no owner: the same parts give the same file, whoever packs them and when.
"""

import hashlib
import zipfile
from collections.abc import Callable
from io import BufferedWriter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that the format knows
MODE = 0o100644 << 16
BLOCK = 1 << 20
PACKED = "bundle.zip"


class BundleFile:
    """A bundle while it is made. Used as a context manager: its folder is gone at the end."""

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory(prefix="evidence-")
        self._open: dict[str, BufferedWriter] = {}
        self.folder = Path(self._temporary.name) / "parts"
        self.folder.mkdir()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the folder."""
        self.flush()
        self._temporary.cleanup()

    def add(self, name: str, data: bytes) -> None:
        """Write more of a part; one that is not there yet begins."""
        if name not in self._open:
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            self._open[name] = path.open("ab")
        self._open[name].write(data)

    def flush(self) -> None:
        """End all parts that are being written; they may be read now."""
        for part in self._open.values():
            part.close()
        self._open.clear()

    def keep_lines(self, name: str, wanted: Callable[[bytes], bool]) -> None:
        """Leave only those lines of a part that are wanted."""
        self.flush()
        path = self.folder / name
        kept = path.with_suffix(".kept")
        with path.open("rb") as lines, kept.open("wb") as out:
            out.writelines(line for line in lines if wanted(line))
        kept.replace(path)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every part, in hex, by name."""
        self.flush()
        return {name: _digest(self.folder / name) for name in self._names()}

    def pack(self) -> bytes:
        """All parts as one zip file."""
        self.flush()
        packed = Path(self._temporary.name) / PACKED
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in self._names():
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = MODE
                entry.create_system = 3  # Unix, wherever it is packed
                with (self.folder / name).open("rb") as part, archive.open(entry, "w") as out:
                    while block := part.read(BLOCK):
                        out.write(block)
        return packed.read_bytes()

    def _names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)


def _digest(path: Path) -> str:
    with path.open("rb") as part:
        return hashlib.file_digest(part, "sha256").hexdigest()
