"""The services of the stories that share a world: one each, so that none makes noise for another.

Each is the demo service under another name, with spare targets that nothing stands behind: no
telemetry is there to judge by, so an incident is escalated at once and needs a person.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from infra.local.played import CATALOG, FIRST
from tests.world.alerts import SCOPE
from tests.world.stage import QUICK

SPARES = 9
POLICIES: dict[str, dict[str, str]] = {
    "outages": {},
    "people": {"acknowledge_within": "10s"},
    "rain": {},
    "storms": {},
}


def spare(service: str, number: int) -> str:
    """The ARM id of one of a service's targets."""
    account = f"{SCOPE}/microsoft.cognitiveservices/accounts/ai-claims/projects/claims"
    return f"{account}/agents/{service}-{number}"


def write_services(folder: Path) -> Path:
    """The shipped catalog, and the services beside it."""
    shutil.copytree(CATALOG, folder)
    text = (folder / f"{FIRST}.yaml").read_text()
    for name, policy in POLICIES.items():
        first, *slos = yaml.safe_load_all(text.replace(FIRST, name))
        _adapt(first["spec"], name, policy)
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all([first, *slos]))
    return folder


def _adapt(spec: dict[str, Any], name: str, policy: dict[str, str]) -> None:
    spec["policy"] = {**spec["policy"], **QUICK.policy, **policy}
    spec["targets"] = [{"kind": "agent", "id": spare(name, number)} for number in range(SPARES)]
    del spec["dependencies"]  # of which an incident would keep theirs quiet
