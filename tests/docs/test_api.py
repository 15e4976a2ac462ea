"""docs/api.md: every route has an example, and every example answers what the document says."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.local.issuer.wallet import Wallet
from infra.local.world import running_world
from tests.docs.documents import ROOT, Block, read, routes
from tests.docs.test_runbooks import requests_of_runbooks

API = read("docs/api.md")
ENOUGH = 120  # requests: some seconds of them, so that the logs know of the first


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One curl command, the status that it is said to answer, and the members of the answer."""

    command: str
    status: int
    body: Any


def _example(command: Block, answer: Block) -> Example:
    status_line, _, body = answer.text.partition("\n\n")
    return Example(
        command=command.text,
        status=int(status_line.split()[1]),
        body=msgspec.json.decode(body) if body else "",
    )


def examples() -> list[Example]:
    return [
        _example(block, following)
        for block, following in pairwise(API.blocks)
        if block.text.startswith("curl ") and following.language == "http"
    ]


def curl(command: str, settings: dict[str, str]) -> tuple[int, Any]:
    """Run a documented command as a reader would, and answer its status and body."""
    ran = subprocess.run(
        ["sh", "-c", command.replace("curl -i", "curl -sS -i", 1)],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        timeout=30,
        check=True,
    )
    head, _, body = ran.stdout.decode(errors="replace").replace("\r\n", "\n").partition("\n\n")
    is_json = re.search(r"^content-type: application/(\w+\+)?json", head, re.MULTILINE)
    return int(head.split()[1]), msgspec.json.decode(body) if is_json and body else body


async def headers(issuer: str) -> dict[str, str]:
    """The headers that the document exports, for each of the callers in its examples."""
    wallet = Wallet(issuer)
    callers = {
        "ME": "commander",
        "PIPELINE": "pipeline",
        "MONITOR": "monitor",
        "AUDITOR": "auditor",
        "SIGNAL": "signal",
    }
    return {name: f"Authorization: {await wallet.bearer(who)}" for name, who in callers.items()}


def get(path: str, settings: dict[str, str]) -> Any:
    status, body = curl(f'curl -i -H "$ME" "$BACKSTOP{path}"', settings)
    assert status == 200, body
    return body


def until(look: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 90
    while not done(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def kept_input(settings: dict[str, str]) -> str:
    """The id of an alert in a schema that is not taken, posted as an action group would."""
    status, _ = curl(
        'curl -i -H "$MONITOR" "$BACKSTOP/api/alerts" --data @tests/events/legacy_log.json',
        settings,
    )
    assert status == 400
    (shown,) = get("/api/quarantine", settings)["inputs"]
    assert shown["state"] == "kept"
    key: str = shown["id"]
    return key


def decided(delivery: str, settings: dict[str, str]) -> str:
    """The incident of a delivery, once it is decided about and the ledger knows."""
    taken = until(
        lambda: get(f"/api/deliveries/{delivery}", settings), lambda found: bool(found["incident"])
    )
    incident: str = taken["incident"]
    until(
        lambda: get(f"/api/incidents/{incident}", settings), lambda found: bool(found["decision"])
    )
    until(
        lambda: get("/api/changes?service=fnol-summary", settings),
        lambda found: any(c["event"]["kind"] == "incident.decided" for c in found["changes"]),
    )
    return incident


def waiting(settings: dict[str, str]) -> dict[str, str]:
    """The plan that waits for people, once the request of the document has come so far."""
    found = until(lambda: get("/api/approvals", settings)["approvals"], bool)
    (one,) = found
    return {"APPROVAL": one["id"], "PLAN_HASH": one["plan_hash"], "NONCE": one["nonce"]}


def collected(settings: dict[str, str]) -> str:
    """The evidence that was ordered by the example before, once it is collected."""

    def orders() -> Any:
        return curl('curl -i -H "$AUDITOR" "$BACKSTOP/api/evidence"', settings)[1]["evidence"]

    found = until(orders, lambda all_: any(one["state"] == "done" for one in all_))
    name: str = next(one["id"] for one in found if one["state"] == "done")
    return name


def checked(settings: dict[str, str]) -> None:
    """Wait until the service's health was looked at, as it is soon after a start."""
    path = 'curl -i -H "$ME" "$BACKSTOP/api/health?service=fnol-summary"'
    until(lambda: curl(path, settings)[0], lambda status: status == 200)


def counted(control: str, settings: dict[str, str]) -> None:
    """Let customers come, who at night are few, until a burn rate can be told of every window."""

    def sent() -> int:
        found: int = curl(f"curl -i {control}/status", settings)[1]["sent"]
        return found

    def rates() -> list[float | None]:
        slos = get("/api/slos?service=fnol-summary", settings)["slos"]
        return [slos[0]["burn"][window]["rate"] for window in ("5m", "1h")]

    assert curl(f"curl -i -X POST {control}/load", settings)[0] == 200
    until(sent, lambda count: count >= ENOUGH)  # not before: an answer is kept for a minute
    until(rates, lambda found: None not in found)


def held(settings: dict[str, str]) -> str:
    """The legal hold that an example before placed last."""
    holds = curl('curl -i -H "$AUDITOR" "$BACKSTOP/api/holds"', settings)[1]["holds"]
    name: str = next(one["id"] for one in holds if one["on"])
    return name


def run_the_runbooks(settings: dict[str, str]) -> None:
    """Every request of the runbooks is taken, or refused because somebody was first."""
    opened = get("/api/incidents?state=open", settings)["incidents"]
    mine = {"INCIDENT": next(one["id"] for one in opened if one["service"] == "fnol-summary")}
    ran = {
        command: curl(command.replace("curl ", "curl -i ", 1), settings | mine)
        for command in requests_of_runbooks()
    }
    refused = {command: answer for command, answer in ran.items() if answer[0] not in {200, 202}}
    assert {status for status, _ in refused.values()} <= {409}, refused
    assert len(refused) < len(ran) / 3, refused


def missing(documented: Any, answered: Any, where: str = "") -> list[str]:
    """Name what a document shows and the answer has not. Values may differ, kinds may not."""
    match documented, answered:
        case dict(), dict():
            absent = [f"{where}.{name}" for name in documented if name not in answered]
            there = [name for name in documented if name in answered]
            inner = [missing(documented[n], answered[n], f"{where}.{n}") for n in there]
            return [*absent, *(name for names in inner for name in names)]
        case [first, *_], [*found]:
            return min((missing(first, one, f"{where}[]") for one in found), default=[where])
        case _:
            same = isinstance(answered, type(documented))
            return [] if same else [f"{where}: {answered!r} is no {type(documented).__name__}"]


def sections() -> list[str]:
    """The headings that are routes, each with its text."""
    return [text for text in API.text.split("\n## ") if text.split()[0] in {"GET", "POST"}]


def test_every_route_has_a_section_and_no_other() -> None:
    served = [f"{method} {path}" for method, path in routes()]
    assert sorted(text.splitlines()[0] for text in sections()) == sorted(served)


def test_every_section_has_an_example() -> None:
    silent = [text.splitlines()[0] for text in sections() if "```sh\ncurl " not in text]
    assert silent == []


def test_the_comparison_sees_what_is_missing() -> None:
    assert missing({"a": [{"b": 1}]}, {"a": [{"b": 2}, {}], "c": 3}) == []
    assert missing({"a": [{"b": 1}]}, {"a": [{"c": 1}]}) == [".a[].b"]
    assert missing({"a": [1]}, {"a": []}) == [".a"]
    assert missing({"a": 1}, {"a": "1"}) == [".a: '1' is no int"]


@pytest.mark.world
@pytest.mark.timeout(240)
@pytest.mark.skipif(not shutil.which("curl"), reason="the examples are for curl")
def test_every_example_answers_as_documented(tmp_path: Path) -> None:
    first, *others = examples()
    assert len(others) >= len(routes()) - 1
    with running_world(tmp_path) as world:
        settings = {"BACKSTOP": world.addresses.api, **asyncio.run(headers(world.addresses.issuer))}
        status, accepted = curl(first.command, settings)
        assert (status, missing(first.body, accepted)) == (first.status, [])
        delivery = accepted["delivery"]
        settings |= {"DELIVERY": delivery, "INCIDENT": decided(delivery, settings)}
        settings["INPUT"] = kept_input(settings)
        for example in others:
            if "/api/approvals" in example.command and "APPROVAL" not in settings:
                settings |= waiting(settings)
            for name in ("HOLD", "HELD"):
                if f"${name}/" in example.command:
                    settings[name] = held(settings)
            if "/api/health" in example.command:
                checked(settings)
            if "/api/slos" in example.command:
                counted(world.addresses.control, settings)
            if "$EVIDENCE" in example.command:
                settings["EVIDENCE"] = collected(settings)
            status, body = curl(example.command, settings)
            assert (status, missing(example.body, body)) == (example.status, []), example.command
        run_the_runbooks(settings)
