"""Signal: only a service's own apps tell of it; 202 means durable, and triage goes on at once."""

import msgspec
import pytest

from responders.alert.signal import take_signal
from responders.repair.quarantine import resubmit
from shared.domain.authority.caller import AppRole
from shared.domain.signals.allowance import SIGNALS_WITHIN
from shared.domain.views.http import Answer, Request
from shared.errors import NotAllowed, RejectedInput, Unavailable
from shared.protocol.intake import read_delivery
from shared.protocol.kept import list_kept
from tests.fakes import FakeServices, catalog_of
from tests.fakes.callers import app, person
from tests.fakes.scene import new_services
from tests.shared.domain.signals.told import APP, SIGNAL, TELLING, body


@pytest.fixture
def services() -> FakeServices:
    made = new_services()
    made.outside.catalog = catalog_of(TELLING)
    return made


async def send(services: FakeServices, sent: bytes, app_id: str = APP) -> Answer:
    caller = app(AppRole.SIGNAL, app_id=app_id)
    return await take_signal(services, Request(method="POST", body=sent, caller=caller))


async def post(services: FakeServices, **changes: object) -> dict[str, str]:
    answer = await send(services, body(**changes))
    assert answer.status == 202
    return msgspec.json.decode(answer.body, type=dict[str, str])


async def test_a_signal_is_accepted_and_durable(services: FakeServices) -> None:
    said = await post(services)

    delivery = (await read_delivery(services, said["delivery"])).value
    assert (said["status"], said["judged"]) == ("accepted", "breach")
    assert delivery.pending
    assert delivery.alert.reading is not None
    assert (delivery.source, delivery.alert.reading.total) == ("signal", SIGNAL.total)
    assert services.bus.subjects("work") == ["triage"]


async def test_the_same_again_is_said_to_be_the_same(services: FakeServices) -> None:
    first = await post(services)
    again = await post(services.another("two"))

    assert again == {**first, "status": "duplicate"}
    assert services.bus.subjects("work") == ["triage"]


async def test_a_signal_without_a_breach_is_taken_as_well(services: FakeServices) -> None:
    assert (await post(services, good=80))["judged"] == "kept"
    assert (await post(services, good=0, total=3, id="another"))["judged"] == "too-few"


async def test_another_services_app_is_refused_and_nothing_is_kept(services: FakeServices) -> None:
    with pytest.raises(NotAllowed):
        await send(services, body(), app_id="0a1b2c3d-0000-4000-8000-00000000bbbb")

    assert services.bus.subjects("work") == []
    assert await list_kept(services) == ([], "")


@pytest.mark.parametrize("sent", [b"{", body(good=81), body(service="other"), body(slo="other")])
async def test_what_can_never_be_taken_is_kept_and_wakes_nobody(
    services: FakeServices, sent: bytes
) -> None:
    with pytest.raises(RejectedInput) as refused:
        await send(services, sent)

    (kept,), _ = await list_kept(services)
    assert (kept.source, kept.reason) == ("api/signals", refused.value.reason)
    assert kept.incident == ""


async def test_what_a_mended_catalog_can_take_is_taken_from_quarantine(
    services: FakeServices,
) -> None:
    services.outside.catalog = catalog_of()
    with pytest.raises(RejectedInput):
        await send(services, body())
    services.outside.catalog = catalog_of(TELLING)
    (kept,), _ = await list_kept(services)

    request = Request(path={"id": kept.id}, body=b"{}", caller=person(AppRole.COMMANDER))
    answer = await resubmit(services, request)

    said = msgspec.json.decode(answer.body)
    assert (await read_delivery(services, said["delivery"])).value.source == "signal"


async def test_what_cannot_be_made_durable_is_not_promised(services: FakeServices) -> None:
    services.outside.tables_out(out=True)

    with pytest.raises(Unavailable, match="tables"):
        await send(services, body())


async def test_beyond_its_allowance_a_service_is_told_to_wait(services: FakeServices) -> None:
    for number in range(SIGNALS_WITHIN):
        await post(services, id=str(number))

    answer = await send(services, body(id="one more"))

    assert (answer.status, answer.headers["Retry-After"]) == (429, "20")
    services.outside.wait(20)
    assert (await post(services, id="one more"))["status"] == "accepted"
