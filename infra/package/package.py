"""One app's package: its code, pruned by .funcignore, its packages, all compiled, in one zip.

The same inputs make the same bytes: names in order, one time for all, bytecode that is checked
against nothing because the zip never changes. What an app does not need is not in it: the responder
has no azure-ai-ml to call.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from infra.package.ignored import Ignored

ROOT = Path(__file__).resolve().parents[2]
APPS = ("responder", "executor")
PACKAGES = ".python_packages/lib/site-packages"  # where the Functions host looks for them
IN_AZURE = "/home/site/wwwroot"  # what stack traces say
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can tell
READABLE = 0o100644

Install = Callable[[Path, Path], None]


def build(app: str, folder: Path, install: Install) -> Path:
    """Make `folder/app.zip`, and `folder/app` as it is unpacked; answers the zip.

    `install` puts the packages of a requirements file into a folder. Raises Refused as it does.
    """
    stage = folder / app
    shutil.rmtree(stage, ignore_errors=True)
    copy_code(app, stage)
    install(ROOT / f"requirements-{app}.txt", stage / PACKAGES)
    compile_all(stage)
    return pack(stage, folder / f"{app}.zip")


def copy_code(app: str, stage: Path) -> None:
    """Copy what .funcignore leaves, with the app's own requirements as requirements.txt."""
    ignored = Ignored((ROOT / ".funcignore").read_text())
    for path in ignored.files(ROOT):
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, stage / path)
    shutil.copyfile(ROOT / f"requirements-{app}.txt", stage / "requirements.txt")


def compile_all(stage: Path) -> None:
    """Compile every module; files that are no Python of this version stay as they are.

    In a process of its own, because the order of a set in bytecode follows the hash seed.
    """
    options = [
        "-q",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        str(stage),
        "-p",
        IN_AZURE,
    ]
    command = [sys.executable, "-W", "ignore", "-m", "compileall", *options, str(stage)]
    env = {**os.environ, "PYTHONHASHSEED": "0"}  # noqa: TID251 - a child's environment
    subprocess.run(command, env=env, check=False)  # noqa: S603 - our own words


def pack(stage: Path, package: Path) -> Path:
    """Zip a folder, so that equal folders make equal zips."""
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(stage).as_posix(), LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = READABLE << 16
            archive.writestr(entry, file.read_bytes())
    return package
