"""The packages that an app needs, as they run in Azure: wheels for Linux and Python 3.13.

Each pinned version of requirements-APP.txt, nothing built from source and nothing resolved anew:
the lock files are the list. `download` asks the package index for wheels that a Linux with glibc
2.28 takes, whatever machine this is; `copy_installed` takes what the environment here has, which
needs no network and is for trying a package out.
"""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
LEFT_OUT = ("bin", "__pycache__")  # programs, and what another interpreter compiled


class Refused(Exception):
    """A package cannot be had as it is needed; one line that says which."""


def download(requirements: Path, target: Path) -> None:
    """Install the pinned wheels into `target`. Raises Refused."""
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    tags = ["--python-version", "3.13", "--implementation", "cp"]
    abis = [word for name in ("cp313", "abi3", "none") for word in ("--abi", name)]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--upgrade"]
    command = [sys.executable, "-m", "pip", "install", *options, "--only-binary", ":all:"]
    command += [*platforms, *tags, *abis, "--target", str(target), "--requirement"]
    done = subprocess.run([*command, str(requirements)], check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise Refused(f"pip could not install {requirements.name} for Linux: see above")
    for name in LEFT_OUT:
        shutil.rmtree(target / name, ignore_errors=True)


def copy_installed(requirements: Path, target: Path) -> None:
    """Copy the pinned packages from this environment. Raises Refused where one is not here."""
    for name, version in pins(requirements).items():
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise Refused(f"{name} is not installed here") from None
        if found.version != version:
            raise Refused(f"{name} {found.version} is installed here, not {version}")
        for file in found.files or ():
            if not {"..", *LEFT_OUT} & set(file.parts):
                there = target / file
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(found.locate_file(file)), there)


def pins(requirements: Path) -> dict[str, str]:
    """Package and version of every line of a compiled requirements file."""
    lines = requirements.read_text().splitlines()
    return dict(line.split("==") for line in lines if re.match(r"\w", line))
