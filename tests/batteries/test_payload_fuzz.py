"""Payload fuzz: whatever is posted is durable or kept and refused; nobody hangs, nothing is 5xx."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.alert.ingest import ingest
from shared.domain.alerts.payload import MAX_BODY
from shared.domain.views.http import Answer, Request
from shared.domain.views.problem import answer_of, problem_from
from shared.errors import RejectedInput
from tests.batteries.deliveries import BODIES, NOW
from tests.batteries.door import Door, is_kept
from tests.batteries.mutations import EVERY, MARK, Posted, posted
from tests.batteries.soak import SOAK, shown
from tests.batteries.steps import Steps
from tests.fakes import FakeServices, Outside
from tests.shared.domain.decisions import worked_case as case

INPUTS = 50_000 * SOAK
BLOCK = 5_000
RENEWED_EVERY = 80  # a long quarantine would make the fake slow, not the product
COUNTED = 600  # inputs whose steps are counted
STEPS_AT_ALL = 12_000  # for an input of no size: a refusal is kept, redacted and told
STEPS_PER_BYTE = 12.0


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty thousand warnings are no help."""
    monkeypatch.setattr(logging.getLogger("backstop.quarantine"), "disabled", True)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(monkeypatch)


def said(broken: str, one: Posted, seed: str) -> str:
    """One line that says what broke, on what, and how to make it again."""
    return f"{broken}: posted({seed!r}) is {one.made}: {shown(one.body)}, headers {one.headers}"


@pytest.mark.parametrize("block", range(INPUTS // BLOCK))
async def test_whatever_is_posted_is_durable_or_kept_and_refused(door: Door, block: int) -> None:
    for number in range(BLOCK):
        if number % RENEWED_EVERY == 0:
            door.renew()
        seed = f"{block}/{number}"
        one = posted(seed)
        broken = await door.post(one)
        assert not broken, said(broken, one, seed)


async def test_the_work_is_bounded_by_the_size_of_what_is_posted(door: Door) -> None:
    for number in range(COUNTED):
        seed = f"steps/{number}"
        one = posted(seed)
        door.renew()
        with Steps() as steps:
            await door.post(one)
        most = STEPS_AT_ALL + STEPS_PER_BYTE * min(len(one.body), MAX_BODY)
        assert steps.taken <= most, said(f"{steps.taken} steps", one, seed)


def around(essentials: str = "", context: str = "") -> bytes:
    """An alert with some JSON of ours in its essentials and its context."""
    named = '"alertRule": "r", "firedDateTime": "2026-11-20T09:14:07Z"'
    inner = f'"essentials": {{{named}{essentials}}}, "alertContext": {{{context}}}'
    return f'{{"schemaId": "azureMonitorCommonAlertSchema", "data": {{{inner}}}}}'.encode()


def listed(item: str, size: int) -> str:
    return "[" + ", ".join([item] * (size // len(item))) + "]"


FAMILIES: dict[str, Callable[[int], bytes]] = {
    "brackets": lambda n: b"[" * n,
    "closing brackets": lambda n: b"{}]" * (n // 3),
    "quotes": lambda n: b'"' * n,
    "backslashes": lambda n: b'{"a": "' + b"\\" * n + b'"}',
    "open texts": lambda n: b'{"a' * (n // 3),
    "digits": lambda n: around(f', "severity": {"7" * n}'),
    "fractions": lambda n: around(f', "severity": 0.{"7" * n}'),
    "members": lambda n: around(context=", ".join(f'"k{i}": {i}' for i in range(n // 12))),
    "the same member": lambda n: around(context=", ".join(['"k": 1'] * (n // 8))),
    "targets": lambda n: around(f', "alertTargetIDs": {listed(chr(34) + "/x" + chr(34), n)}'),
    "criteria": lambda n: around(context=f'"condition": {{"allOf": {listed("{}", n)}}}'),
    "dimensions": lambda n: around(
        context=f'"dimensions": {listed(json.dumps({"name": "n", "value": "v"}), n)}'
    ),
    "labels": lambda n: around(
        context='"labels": {' + ", ".join(f'"k{i}": "v"' for i in range(n // 12)) + "}"
    ),
    "tags": lambda n: around(f', "description": "{"<" * n}"'),
    "addresses": lambda n: around(f', "description": "{"a" * n}@"'),
    "slashes": lambda n: around(f', "alertId": "{"/" * n}"'),
    "surrogates": lambda n: around(f', "description": "{"\\ud83d\\ude00" * (n // 12)}"'),
    "blanks": lambda n: b" " * n + around(),
}


@pytest.mark.parametrize("size", [2_000, 20_000, 200_000])
@pytest.mark.parametrize("family", sorted(FAMILIES))
async def test_no_shape_makes_more_work_than_its_size(door: Door, family: str, size: int) -> None:
    body = FAMILIES[family](size)
    with Steps() as steps:
        broken = await door.post(Posted(made=family, body=body))

    assert broken == ""
    assert steps.taken <= STEPS_AT_ALL + STEPS_PER_BYTE * len(body)


@pytest.mark.parametrize("over", [1, 100_000])
async def test_what_is_too_large_is_not_even_read(door: Door, over: int) -> None:
    body = b'{"a": "' + b"x" * (MAX_BODY + over) + b'"}'
    with Steps() as steps:
        broken = await door.post(Posted(made="too large", body=body))

    assert broken == ""
    assert steps.taken <= STEPS_AT_ALL


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["Fired", "Resolved", "Sev1", "2026-11-20T09:14:07Z", MARK]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


def answered(body: bytes) -> tuple[Answer, FakeServices]:
    """What the webhook answers, as the door turns errors into answers."""
    services = FakeServices(Outside(now=NOW, snapshot=case.SNAPSHOT, services=[case.SERVICE]))

    async def ask() -> Answer:
        try:
            return await ingest(services, Request(method="POST", body=body))
        except RejectedInput as error:
            return answer_of(problem_from(error))

    return asyncio.run(ask()), services


@settings(max_examples=250 * SOAK, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(BODIES)), st.sampled_from(["essentials", "alertContext"]), st.data())
def test_any_member_may_be_anything(name: str, part: str, data: st.DataObject) -> None:
    document: dict[str, Any] = json.loads(BODIES[name])
    holder = document["data"][part]
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(ANYTHING)
    body = json.dumps(document).encode()

    answer, services = answered(body)

    durable = len(services.outside.deliveries.partitions()) == 1
    assert (answer.status, durable, is_kept(services, body)) in (
        (202, True, False),
        (400, False, True),
    ), shown(body)


def test_every_event_of_the_folder_is_posted() -> None:
    made = {posted(f"0/{number}").made.split()[0] for number in range(2_000)}

    assert made == {*EVERY, "noise"}
    assert Path(shown(b"kept").split()[-1].rstrip(")")).read_bytes() == b"kept"
