"""The served API keeps its description's word, whatever is sent: bodies, ids and queries at random.

schemathesis reads the description from the app and plays both what it allows and what it does not.
No answer may be an error of ours, or have a status or a body that is not told of. Who is let in is
tried in `tests.shared.protocol.door.test_admit`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as told

from infra.local.issuer.wallet import Wallet
from shared.domain.incidents.incident import State
from tests.browser.console import console
from tests.fakes.scene import new_services, store_case

EXAMPLES = 12  # of each operation, and of each kind
CHECKS = [
    not_a_server_error,
    told.status_code_conformance,
    told.content_type_conformance,
    told.response_schema_conformance,
    told.negative_data_rejection,
]
KINDS = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, dict[str, str]]]:
    services = new_services()
    await store_case(services, state=State.DIAGNOSED)
    async with console(services) as url:
        wallet = Wallet(services.settings.authority)
        yield url, {"Authorization": await wallet.bearer("commander")}


async def test_whatever_is_sent_the_answer_is_as_described(
    served: tuple[str, dict[str, str]],
) -> None:
    url, headers = served
    schema = await asyncio.to_thread(
        schemathesis.openapi.from_url, f"{url}/api/openapi.json", headers=headers
    )
    broken = await asyncio.to_thread(_play, schema, headers)
    assert not broken, "\n\n".join(broken)


def _play(schema: Any, headers: dict[str, str]) -> list[str]:
    """Every operation with what it allows and what it does not; what broke, in a line each."""
    broken = []
    for found in schema.get_all_operations():
        operation = found.ok()
        # A query may have more names than are read, so only bodies can break the description.
        for kind in KINDS if operation.body else KINDS[:1]:
            try:
                _fuzz(operation, kind, headers)
            except (Failure, FailureGroup) as error:
                broken.append(f"{operation.label}, {kind.value}: {error}")
    return broken


def _fuzz(operation: Any, kind: GenerationMode, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=kind))
    def send(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
