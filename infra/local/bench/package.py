"""What a deployment uploads, and how long a cold start imports it: the package, and nothing else.

An interpreter without any other package imports function_app from the unpacked zip, with the
bytecode that ships, and without it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median
from infra.package.package import APPS, PACKAGES, build
from infra.package.wheels import Refused, download

LARGEST_MB = 100.0  # Flex unpacks at every cold start
PROGRAM = """
import sys, time
sys.path = [path for path in sys.path if "site-packages" not in path]
sys.path += [{packages!r}, {stage!r}]
began = time.perf_counter()
import function_app
print((time.perf_counter() - began) * 1000)
"""


def measure(run: Run) -> Result:
    """Build both packages, weigh them, and import each. Raises NotMeasured."""
    figures: list[Figure] = []
    for app in APPS:
        run.say(f"building the package of the {app}")
        try:
            package = build(app, run.folder, download)
        except Refused as refusal:
            raise NotMeasured(str(refusal)) from None
        figures += weigh(app, package, run.folder / app, run.count(10, 2))
    return Result(title="Deployment packages", figures=tuple(figures))


def weigh(app: str, package: Path, stage: Path, rounds: int) -> list[Figure]:
    """Size and cold import of one package. Raises NotMeasured."""
    bare = stage.with_name(f"{stage.name}-bare")
    shutil.rmtree(bare, ignore_errors=True)
    shutil.copytree(stage, bare, ignore=shutil.ignore_patterns("__pycache__"))
    with_bytecode, without = (_time(app, place, rounds) for place in (stage, bare))
    return [
        Figure(
            name=f"package of the {app}",
            value=package.stat().st_size / 1e6,
            unit="MB",
            at_most=LARGEST_MB,
        ),
        Figure(name=f"import of the {app} from its package", value=with_bytecode, unit="ms"),
        Figure(name=f"the same of the {app} without bytecode", value=without, unit="ms"),
    ]


def _time(app: str, stage: Path, rounds: int) -> float:
    """The median of so many imports, each by an interpreter of its own, ms."""
    program = PROGRAM.format(packages=str(stage / PACKAGES), stage=str(stage))
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    return median([_once(command, app, stage) for _ in range(rounds)])


def _once(command: list[str], app: str, stage: Path) -> float:
    env = {"BACKSTOP_ROLE": app}
    done = subprocess.run(command, capture_output=True, text=True, cwd=stage, env=env, check=False)
    if done.returncode:
        raise NotMeasured(f"the package of the {app} cannot be imported: {done.stderr[-300:]}")
    return float(done.stdout)
