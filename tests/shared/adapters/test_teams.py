from collections.abc import AsyncIterator

import pytest

from infra.local.inbox.app import create_inbox
from infra.local.inbox.store import Fault, InboxStore, Part
from shared.adapters.teams import Teams
from shared.adapters.webhook import Delivered
from shared.domain.views.card import CardKind, render_card
from shared.errors import Misconfigured, RejectedInput, Unavailable
from tests.infra.local.inbox.serving import serving
from tests.shared.domain.incidents.situations import VIEW


@pytest.fixture
def store() -> InboxStore:
    return InboxStore()


@pytest.fixture
async def teams(store: InboxStore) -> AsyncIterator[Teams]:
    async with serving(create_inbox(store)) as base:
        channel = Teams(f"{base}/teams?sig=s3cr3t")
        yield channel
        await channel.close()


@pytest.mark.parametrize("kind", list(CardKind))
async def test_teams_takes_every_kind_of_card(
    teams: Teams, store: InboxStore, kind: CardKind
) -> None:
    card = render_card(kind, VIEW)
    assert await teams.post(card) == Delivered(by="teams", status=202)
    assert store.cards()[0].body == card["attachments"][0]["content"]


async def test_a_card_that_teams_refuses_is_not_posted_again(
    teams: Teams, store: InboxStore
) -> None:
    with pytest.raises(RejectedInput, match="the body must be an object with type 'message'"):
        await teams.post({"type": "AdaptiveCard"})
    assert store.cards() == []


@pytest.mark.parametrize(("fault", "wait"), [(Fault.OUTAGE, 5), (Fault.THROTTLE, 7)])
async def test_a_card_waits_until_teams_is_back(
    teams: Teams, store: InboxStore, fault: Fault, wait: int
) -> None:
    store.set_fault(Part.TEAMS, fault)
    with pytest.raises(Unavailable) as out:
        await teams.post(render_card(CardKind.OPENED, VIEW))
    assert (out.value.part, out.value.retry_after_s) == ("teams", wait)
    store.set_fault(Part.TEAMS, Fault.NONE)
    assert (await teams.post(render_card(CardKind.OPENED, VIEW))).by == "teams"


@pytest.mark.parametrize(
    "url",
    [
        "https://claims.webhook.office.com/webhookb2/s3cr3t",
        "https://WEBHOOK.office.com/webhookb2/s3cr3t",
        "https://outlook.office.com/webhook/s3cr3t",
    ],
)
def test_a_retired_connector_is_refused_at_start(url: str) -> None:
    with pytest.raises(Misconfigured, match="retired Office 365 connector") as refused:
        Teams(url)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://prod-12.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke",
        "https://1.2.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/1",
        "https://notwebhook.office.com.example/",
    ],
)
def test_a_flow_is_taken(url: str) -> None:
    assert isinstance(Teams(url), Teams)  # and nothing was raised
