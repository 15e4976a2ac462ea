"""`python -m infra.azure.vaults fill|renew`: the secrets of both apps, each in its own vault.

azd runs `fill` after it provisioned: the redaction key is made once, the same for both apps, and
what only people can know is asked for by name. `renew` makes another redaction key, which is how
everybody is erased from what is kept: docs/security.md.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

from infra.azure.tools import ToolFailed, az, known, put_secret
from shared.settings import SHORTEST_KEY

REDACTION_KEY = "redaction-key"
TEAMS = "teams-url"
ATTEMPTS, PAUSE_S = 10, 15.0  # a right that was given a moment ago is not everywhere at once
REFRESH = "/config/configreferences/appsettings/refresh?api-version=2022-03-01"


def fill(pause_s: float = PAUSE_S) -> list[str]:
    """Make what can be made; answers the names that somebody must set."""
    responder, executor = _vaults()
    held = _names(responder, pause_s)
    if REDACTION_KEY in held:
        key = _read(responder, REDACTION_KEY)
    else:
        key = secrets.token_hex(SHORTEST_KEY)
        put_secret(responder, REDACTION_KEY, key)
    if REDACTION_KEY not in _names(executor, pause_s) or _read(executor, REDACTION_KEY) != key:
        put_secret(executor, REDACTION_KEY, key)
    _read_anew()
    missing = sorted({TEAMS, *_pager_keys(), *_fallback()} - held)
    for name in missing:
        print(f"vaults: {responder} lacks {name}")
    return missing


def renew() -> None:
    """Another redaction key for both apps; the old one leads to people until it is purged."""
    responder, executor = _vaults()
    key = secrets.token_hex(SHORTEST_KEY)
    for vault in (responder, executor):
        put_secret(vault, REDACTION_KEY, key)
    _read_anew()
    print("vaults: both apps have a new redaction key; disable its old versions in both vaults")


def _pager_keys() -> list[str]:
    """A routing key for each pager that the catalog names."""
    catalog = json.loads((Path(__file__).parent / "generated" / "services.json").read_text())
    return [f"pager-key-{name}" for name in catalog["pagers"]]


def _fallback() -> list[str]:
    """Where a page goes that the pager does not take, if it goes anywhere."""
    return ["pager-fallback-url"] if known("BACKSTOP_PAGER_FALLBACK").lower() == "true" else []


def _vaults() -> tuple[str, str]:
    names = ("BACKSTOP_RESPONDER_VAULT", "BACKSTOP_EXECUTOR_VAULT")
    for name in names:
        if not known(name):
            raise ToolFailed(f"{name} is not set: provision first")
    return known(names[0]), known(names[1])


def _names(vault: str, pause_s: float) -> set[str]:
    """The secrets that a vault holds. Raises ToolFailed once the right has had time to arrive."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return {one["name"] for one in az("keyvault", "secret", "list", "--vault-name", vault)}
        except ToolFailed as failure:
            if attempt == ATTEMPTS or "Forbidden" not in str(failure):
                raise
            print(f"vaults: {failure}; again in {pause_s:g} s")
            time.sleep(pause_s)
    raise AssertionError("the last attempt answers or raises")


def _read(vault: str, name: str) -> str:
    found = az("keyvault", "secret", "show", "--vault-name", vault, "--name", name)
    return str(found["value"])


def _read_anew() -> None:
    """Let both apps read their references again: by themselves they do so once a day."""
    group = known("BACKSTOP_RESOURCE_GROUP")
    for app in (known("BACKSTOP_RESPONDER_NAME"), known("BACKSTOP_EXECUTOR_NAME")):
        site = az("functionapp", "show", "--resource-group", group, "--name", app)["id"]
        az("rest", "--method", "POST", "--url", f"https://management.azure.com{site}{REFRESH}")


def main(words: list[str] | None = None) -> int:
    """Do what the command line says; 1 where a tool refused."""
    parser = argparse.ArgumentParser(prog="python -m infra.azure.vaults", description=__doc__)
    parser.add_argument("step", choices=["fill", "renew"])
    steps: dict[str, Callable[[], object]] = {"fill": fill, "renew": renew}
    try:
        steps[parser.parse_args(words).step]()
    except ToolFailed as failure:
        print(f"vaults: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
