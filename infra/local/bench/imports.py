"""How long importing the app takes beside azure.functions alone, and what idle processes weigh.

A cold start imports the app before it can serve anything, so it must not carry what it may never
need. Fresh interpreters in turn, with compiled modules.
"""

import subprocess
import sys

import msgspec

from infra.local.bench.figure import Figure, NotMeasured, Result, Run, median
from infra.local.bench.memory import peak_mb
from infra.local.world import ROOT

ROLES = ("responder", "executor")
BASELINE = "azure.functions"
LARGEST_RATIO = 1.3
HEAVY = ("pydantic", "jinja2", "yaml", "aiohttp", "rfc8785", "requests", "opentelemetry")
PROGRAM = """
import json, sys, time
began = time.perf_counter()
import {module}
took = time.perf_counter() - began
print(json.dumps({{"ms": took * 1000, "modules": sorted(sys.modules)}}))
"""


class Import(msgspec.Struct, frozen=True):
    """One import in a fresh interpreter, and all modules that are loaded then."""

    ms: float
    modules: list[str]

    @property
    def heavy(self) -> list[str]:
        """The modules that no cold start should carry."""
        return [name for name in self.modules if _is_heavy(name)]


def import_freshly(module: str, role: str = "responder") -> Import:
    """Import a module in an interpreter of its own. Raises NotMeasured."""
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    env = {"BACKSTOP_ROLE": role, "PATH": ""}
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=env, check=False)
    if done.returncode:
        raise NotMeasured(f"{module} cannot be imported: {done.stderr.decode()[-300:]}")
    return msgspec.json.decode(done.stdout, type=Import)


def measure(run: Run) -> Result:
    """Compare the imports, list what is heavy, and weigh idle processes. Raises NotMeasured."""
    times = _alternate(run)
    baseline = median(times[BASELINE])
    loaded = {role: import_freshly("function_app", role).heavy for role in ROLES}
    return Result(
        title="Cold start and idle memory",
        figures=(
            *(_ratio(role, times) for role in ROLES),
            Figure(
                name="heavy modules loaded by the import",
                value=sum(len(names) for names in loaded.values()),
                at_most=0,
                note="no azure.* but azure.functions, nor " + ", ".join(HEAVY),
            ),
            Figure(name=f"import of {BASELINE}", value=baseline, unit="ms"),
            *_weights(run),
        ),
        details={"ms": times, "heavy": loaded},
    )


def _alternate(run: Run) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in (BASELINE, *ROLES)}
    rounds = run.count(15, 2)
    for number in range(rounds + 1):
        run.say(f"imports, round {number} of {rounds}")
        taken = {BASELINE: import_freshly(BASELINE).ms}
        taken |= {role: import_freshly("function_app", role).ms for role in ROLES}
        if number:  # the first round only compiles
            for name, ms in taken.items():
                times[name].append(ms)
    return times


def _ratio(role: str, times: dict[str, list[float]]) -> Figure:
    pairs = zip(times[role], times[BASELINE], strict=True)
    return Figure(
        name=f"import of function_app as {role} / {BASELINE}",
        value=median([app / alone for app, alone in pairs]),
        at_most=LARGEST_RATIO,
        note=f"median {median(times[role]):.0f} ms",
    )


def _weights(run: Run) -> list[Figure]:
    run.say("starting an idle world")
    with run.open_world(run.folder, services=1) as world:
        children = (("responder", world.responder), ("executor", world.executor))
        return [
            Figure(name=f"peak memory of an idle {role}", value=peak_mb(child.pid), unit="MB")
            for role, child in children
        ]


def _is_heavy(module: str) -> bool:
    top, _, rest = module.partition(".")
    foreign = top == "azure" and rest.split(".")[0] not in ("", "functions")
    return foreign or top in HEAVY
