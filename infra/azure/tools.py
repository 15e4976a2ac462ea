"""The command-line tools of Azure, as the commands beside this file call them: az and azd.

Whoever is signed in to them acts. What they answer is JSON; what they refuse is told as it is.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

GRAPH = "https://graph.microsoft.com/v1.0"
ARM = "https://management.azure.com"


class ToolFailed(Exception):
    """A tool is not there, or it refused; in its own words."""


def az(*words: str) -> Any:  # noqa: ANN401 - whatever it answers
    """What `az` answers, read from JSON; None where it answers nothing. Raises ToolFailed."""
    said = run("az", *words, "--output", "json")
    return json.loads(said) if said.strip() else None


def graph(method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401
    """What Microsoft Graph answers to one request. Raises ToolFailed."""
    sent: list[str] = []
    if body is not None:
        sent = ["--headers", "Content-Type=application/json", "--body", json.dumps(body)]
    return az("rest", "--method", method, "--url", f"{GRAPH}/{path}", *sent)


def every(path: str) -> list[Any]:
    """All that Microsoft Graph lists, page by page. Raises ToolFailed."""
    found: list[Any] = []
    while path:
        page = graph("GET", path)
        found += page["value"]
        path = page.get("@odata.nextLink", "").removeprefix(f"{GRAPH}/")
    return found


def arm(method: str, path: str, version: str, more: str = "") -> Any:  # noqa: ANN401
    """What Azure Resource Manager answers to one request. Raises ToolFailed."""
    query = f"api-version={version}{f'&{more}' if more else ''}"
    return az("rest", "--method", method, "--url", f"{ARM}{path}?{query}")


def listed(path: str, version: str, more: str = "") -> list[Any]:
    """All that Azure Resource Manager lists, page by page. Raises ToolFailed."""
    page = arm("GET", path, version, more)
    found: list[Any] = page["value"]
    while page.get("nextLink"):
        page = az("rest", "--method", "GET", "--url", page["nextLink"])
        found += page["value"]
    return found


def remember(name: str, value: str) -> None:
    """Set a variable of the azd environment. Raises ToolFailed."""
    run("azd", "env", "set", name, value)


def known(name: str) -> str:
    """A variable of the azd environment, which azd hands to its hooks; empty where not set."""
    return os.environ.get(name, "")  # noqa: TID251 - azd's, not the app's


def put_secret(vault: str, name: str, value: str) -> None:
    """Set a secret, by way of a file: words of a command are seen by everybody on the machine.

    Raises ToolFailed.
    """
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(value)
        file.flush()
        place = ["--vault-name", vault, "--name", name]
        az("keyvault", "secret", "set", *place, "--file", file.name, "--encoding", "utf-8")


def run(*command: str) -> str:
    """What a tool says on its standard output. Raises ToolFailed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolFailed(f"{command[0]} is not installed") from None
    if done.returncode:
        raise ToolFailed(f"{' '.join(command[:3])}: {_why(done.stderr)}")
    return done.stdout


def _why(said: str) -> str:
    """The line that says what is wrong, else the last one: some errors end with a bracket."""
    lines = said.strip().splitlines() or ["no reason given"]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1])
