import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from infra.local.inbox.app import create_inbox
from infra.local.inbox.store import Fault, InboxStore, Part
from shared.adapters.pager import Pager
from shared.adapters.webhook import Delivered
from shared.domain.views.page import PageAction, render_page
from shared.errors import Misconfigured, RejectedInput, Unavailable
from tests.infra.local.inbox.serving import serving
from tests.shared.domain.views.test_page import VIEW


@pytest.fixture
def store() -> InboxStore:
    return InboxStore()


@pytest.fixture
async def base(store: InboxStore) -> AsyncIterator[str]:
    async with serving(create_inbox(store)) as url:
        yield url


@pytest.fixture
async def pager(base: str) -> AsyncIterator[Pager]:
    sender = Pager(f"{base}/pagerduty/v2/enqueue", f"{base}/webhook")
    yield sender
    await sender.close()


def page(action: PageAction = PageAction.TRIGGER) -> dict[str, Any]:
    body = render_page(action, VIEW)
    assert body is not None
    return body


async def test_a_page_goes_its_way_from_trigger_to_resolve(pager: Pager, store: InboxStore) -> None:
    states = []
    for action in PageAction:
        assert await pager.send(page(action)) == Delivered(by="pager", status=202)
        states.append([alert.state for alert in store.alerts()])
    assert states == [["triggered"], ["acknowledged"], ["resolved"]]


@pytest.mark.parametrize("fault", [Fault.OUTAGE, Fault.THROTTLE])
async def test_the_webhook_takes_over_while_the_pager_is_out(
    pager: Pager, store: InboxStore, fault: Fault
) -> None:
    store.set_fault(Part.PAGER, fault)
    assert await pager.send(page()) == Delivered(by="webhook", status=200)
    assert store.alerts() == []
    [taken] = store.webhooks()
    assert taken.body["incident"] == VIEW.incident.id
    assert VIEW.routing_key not in json.dumps(taken.body)


async def test_when_nobody_answers_the_page_is_tried_later(pager: Pager, store: InboxStore) -> None:
    store.set_fault(Part.PAGER, Fault.OUTAGE)
    store.set_fault(Part.WEBHOOK, Fault.THROTTLE)
    with pytest.raises(Unavailable) as out:
        await pager.send(page())
    assert (out.value.part, out.value.retry_after_s) == ("pager", 7)


async def test_a_page_that_is_refused_reaches_the_webhook(pager: Pager, store: InboxStore) -> None:
    wrong = render_page(PageAction.TRIGGER, replace(VIEW, routing_key="s3cr3t"))
    assert wrong is not None
    assert await pager.send(wrong) == Delivered(by="webhook", status=200)
    assert store.alerts() == []
    assert "s3cr3t" not in json.dumps([one.body for one in store.webhooks()])


async def test_without_a_webhook_a_refusal_is_told(base: str, store: InboxStore) -> None:
    pager = Pager(f"{base}/pagerduty/v2/enqueue")
    wrong = render_page(PageAction.TRIGGER, replace(VIEW, routing_key="s3cr3t"))
    assert wrong is not None
    with pytest.raises(RejectedInput, match="Length of 'routing_key' is incorrect") as refused:
        await pager.send(wrong)
    assert "s3cr3t" not in str(refused.value)
    assert store.webhooks() == []
    await pager.close()


async def test_without_a_webhook_an_outage_is_told(base: str, store: InboxStore) -> None:
    store.set_fault(Part.PAGER, Fault.OUTAGE)
    pager = Pager(f"{base}/pagerduty/v2/enqueue")
    with pytest.raises(Unavailable, match="pager answered 503"):
        await pager.send(page())
    await pager.close()


async def test_a_webhook_alone_is_a_pager_too(base: str) -> None:
    pager = Pager("", f"{base}/webhook")
    assert (await pager.send(page())).by == "webhook"
    await pager.close()


async def test_a_webhook_that_refuses_says_nothing_about_the_page(
    base: str, store: InboxStore
) -> None:
    store.set_fault(Part.PAGER, Fault.OUTAGE)
    pager = Pager(f"{base}/pagerduty/v2/enqueue", f"{base}/no-such-hook")
    with pytest.raises(Unavailable, match="404"):
        await pager.send(page())
    await pager.close()


def test_a_pager_without_any_url_is_refused_at_start() -> None:
    with pytest.raises(Misconfigured):
        Pager("", "")
