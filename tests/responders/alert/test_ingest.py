"""Ingest: 202 means durable, 400 means kept for a person, 503 means try again."""

from pathlib import Path

import msgspec
import pytest

from responders.alert.ingest import ingest
from shared.domain.alerts.kept_body import redact_body
from shared.domain.views.http import Request
from shared.errors import RejectedInput, Unavailable
from shared.protocol.intake import read_delivery
from shared.protocol.kept import list_kept, read_body
from tests.fakes import FakeServices
from tests.fakes.scene import new_services

EVENTS = Path(__file__).parents[2] / "events"
KNOWN = {path.stem: path.read_bytes() for path in sorted(EVENTS.glob("*.json"))}
LEGACY = [name for name in KNOWN if name.startswith("legacy")]  # not the common schema
BODY = KNOWN["metric_static_fired"]


@pytest.fixture
def services() -> FakeServices:
    return new_services()


async def post(services: FakeServices, body: bytes = BODY) -> tuple[int, dict[str, str]]:
    answer = await ingest(services, Request(method="POST", body=body))
    return answer.status, msgspec.json.decode(answer.body, type=dict[str, str])


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in LEGACY])
async def test_whatever_azure_posts_is_accepted_and_durable(
    services: FakeServices, name: str
) -> None:
    status, said = await post(services, KNOWN[name])

    assert (status, said["status"]) == (202, "accepted")
    assert (await read_delivery(services, said["delivery"])).value.pending
    assert services.bus.subjects("work") == ["triage"]


async def test_the_same_again_is_said_to_be_the_same(services: FakeServices) -> None:
    first = await post(services)
    again = await post(services.another("two"))

    assert (again[0], again[1]["status"]) == (202, "duplicate")
    assert again[1]["delivery"] == first[1]["delivery"]
    assert services.bus.subjects("work") == ["triage"]


async def test_the_very_same_bytes_need_no_table(services: FakeServices) -> None:
    first = await post(services)
    services.outside.tables_out(out=True)

    again = await post(services)

    assert again == (202, {"delivery": first[1]["delivery"], "status": "duplicate"})


async def test_the_same_alert_in_other_bytes_is_the_same(services: FakeServices) -> None:
    first = await post(services)
    again = await post(services, BODY + b"\n")

    assert again == (202, {"delivery": first[1]["delivery"], "status": "duplicate"})


async def test_bytes_that_were_not_made_durable_are_not_known(services: FakeServices) -> None:
    services.outside.tables_out(out=True)
    with pytest.raises(Unavailable):
        await post(services)
    services.outside.tables_out(out=False)

    assert (await post(services))[1]["status"] == "accepted"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": 1}', b"\xff\xfe", KNOWN[LEGACY[0]]])
async def test_what_can_never_be_taken_is_kept_and_refused(
    services: FakeServices, body: bytes
) -> None:
    with pytest.raises(RejectedInput) as refused:
        await post(services, body)

    (kept,), _ = await list_kept(services)
    assert (kept.source, kept.reason) == ("api/alerts", refused.value.reason)
    assert await read_body(services, kept.id) == redact_body(body, services.redactor)
    assert services.bus.subjects("work") == []


@pytest.mark.parametrize("body", [BODY, b"{"])
async def test_what_cannot_be_made_durable_is_not_promised(
    services: FakeServices, body: bytes
) -> None:
    services.outside.tables_out(out=True)

    with pytest.raises(Unavailable, match="tables"):
        await post(services, body)


async def test_a_bus_that_is_out_keeps_nobody(services: FakeServices) -> None:
    services.bus.out = True

    assert (await post(services))[0] == 202
