from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from infra.local.inbox.store import Fault, InboxStore, Part
from shared.domain.views.card import CardKind, render_card
from tests.infra.local.inbox.test_card_rules import message, text
from tests.infra.local.inbox.test_pager_rules import RESOLVE, TRIGGER
from tests.shared.domain.incidents.situations import INCIDENT, VIEW


class Page(HTMLParser):
    """The elements of a page and its text, as far as the tests ask for them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


async def read_page(http: aiohttp.ClientSession, path: str = "/") -> Page:
    async with http.get(path) as answer:
        assert answer.status == 200
        return Page(await answer.text())


async def send(http: aiohttp.ClientSession, path: str, body: object) -> tuple[int, str]:
    async with http.post(path, json=body) as answer:
        return answer.status, await answer.text()


async def test_a_card_is_accepted_without_a_word_and_kept(
    http: aiohttp.ClientSession, store: InboxStore
) -> None:
    assert await send(http, "/teams?sig=secret", message(text())) == (202, "")
    assert store.cards()[0].body["body"] == [text()]
    async with http.get("/api/cards") as answer:
        cards = (await answer.json())["cards"]
    assert [card["body"]["type"] for card in cards] == ["AdaptiveCard"]


async def test_a_wrong_card_is_refused_with_the_reason(
    http: aiohttp.ClientSession, store: InboxStore
) -> None:
    status, said = await send(http, "/teams", message({"type": "Image"}))
    assert status == 400
    assert "card.body[0]" in said
    assert store.cards() == []


@pytest.mark.parametrize("path", ["/teams", "/pagerduty/v2/enqueue", "/webhook"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 5000, b'"' + b"x" * 600_000 + b'"'])
async def test_a_body_that_is_no_json_object_is_refused(
    http: aiohttp.ClientSession, path: str, body: bytes
) -> None:
    async with http.post(path, data=body) as answer:
        assert answer.status == 400


async def test_a_page_is_accepted_and_grouped_by_its_key(http: aiohttp.ClientSession) -> None:
    status, said = await send(http, "/pagerduty/v2/enqueue", TRIGGER)
    assert (status, '"dedup_key":"INC-1"' in said) == (202, True)
    await send(http, "/pagerduty/v2/enqueue", RESOLVE)
    async with http.get("/api/pages") as answer:
        alerts = (await answer.json())["alerts"]
    assert [(alert["dedup_key"], alert["state"]) for alert in alerts] == [("INC-1", "resolved")]
    assert TRIGGER["routing_key"] not in str(alerts)


async def test_a_wrong_page_is_refused_with_every_mistake(http: aiohttp.ClientSession) -> None:
    status, said = await send(http, "/pagerduty/v2/enqueue", {"routing_key": "short"})
    assert status == 400
    assert "routing_key" in said
    assert "event_action" in said


async def test_a_trigger_without_a_key_gets_one(http: aiohttp.ClientSession) -> None:
    body = {name: TRIGGER[name] for name in TRIGGER if name != "dedup_key"}
    status, said = await send(http, "/pagerduty/v2/enqueue", body)
    assert (status, "generated-" in said) == (202, True)


@pytest.mark.parametrize(("fault", "status"), [("outage", 503), ("throttle", 429)])
@pytest.mark.parametrize(
    ("part", "path"),
    [("teams", "/teams"), ("pager", "/pagerduty/v2/enqueue"), ("webhook", "/webhook")],
)
async def test_each_part_can_be_made_to_fail_and_to_work_again(
    http: aiohttp.ClientSession, part: str, path: str, fault: str, status: int
) -> None:
    fitting: dict[str, Any] = {"teams": message(text()), "pager": TRIGGER, "webhook": {}}
    async with http.put("/api/faults", json={part: fault}) as answer:
        assert (await answer.json())[part] == fault
    assert (await send(http, path, fitting[part]))[0] == status
    async with http.put("/api/faults", json={part: "none"}):
        assert (await send(http, path, fitting[part]))[0] in (200, 202)


async def test_an_unknown_fault_changes_nothing(
    http: aiohttp.ClientSession, store: InboxStore
) -> None:
    async with http.put("/api/faults", json={"teams": "gremlins"}) as answer:
        assert answer.status == 400
    assert set(store.faults.values()) == {Fault.NONE}


async def test_the_page_shows_a_card_as_teams_does(http: aiohttp.ClientSession) -> None:
    await send(http, "/teams", render_card(CardKind.OPENED, VIEW))
    page = await read_page(http)
    assert "Customers get no good answer to 46 %" in page.text
    assert "SEV1 tier 1 service" in page.text.replace("\n", " ")
    links = {link["href"]: link for link in page.all("a")}
    assert links[VIEW.incident_url]["rel"] == "noopener noreferrer"
    assert any("style-attention" in str(box.get("class")) for box in page.all("div"))


async def test_the_page_shows_the_pagers_alert_with_its_state(http: aiohttp.ClientSession) -> None:
    await send(http, "/pagerduty/v2/enqueue", TRIGGER)
    await send(http, "/pagerduty/v2/enqueue", RESOLVE)
    page = await read_page(http)
    assert "it burns" in page.text
    assert any("resolved" in str(item.get("class")) for item in page.all("article"))


async def test_what_others_wrote_stays_text(http: aiohttp.ClientSession) -> None:
    hostile = "<script>alert(1)</script>"
    view = replace(VIEW, incident=replace(INCIDENT, sentence=hostile))
    await send(http, "/teams", render_card(CardKind.OPENED, view))
    await send(http, "/webhook", {"summary": hostile})
    page = await read_page(http)
    assert page.text.count(hostile) == 2
    assert [script.get("src") for script in page.all("script")] == ["/static/inbox.js"]


async def test_nothing_in_the_page_needs_a_looser_policy(http: aiohttp.ClientSession) -> None:
    await send(http, "/teams", render_card(CardKind.ESCALATED, VIEW))
    async with http.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = Page(await answer.text())
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    attributes = {name for _, given in page.elements for name in given}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


async def test_every_id_of_the_page_is_unique(http: aiohttp.ClientSession) -> None:
    for body in (TRIGGER, TRIGGER | {"dedup_key": "INC-2"}):
        await send(http, "/pagerduty/v2/enqueue", body)
    for kind in CardKind:
        await send(http, "/teams", render_card(kind, VIEW))
    page = await read_page(http)
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids)) > 10


async def test_the_board_is_sent_again_only_after_a_change(
    http: aiohttp.ClientSession, store: InboxStore
) -> None:
    async with http.get("/board") as first:
        tag = first.headers["ETag"]
    async with http.get("/board", headers={"If-None-Match": tag}) as same:
        assert same.status == 304
    store.set_fault(Part.TEAMS, Fault.OUTAGE)
    async with http.get("/board", headers={"If-None-Match": tag}) as changed:
        assert changed.status == 200
        assert "is out of order on purpose" in await changed.text()


async def test_only_this_machine_is_answered(http: aiohttp.ClientSession) -> None:
    async with http.get("/", headers={"Host": "evil.example"}) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("name", ["inbox.css", "inbox.js", "icon.svg"])
async def test_the_pages_own_files_are_served(http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(f"/static/{name}") as answer:
        assert answer.status == 200
        assert await answer.read()  # to the end, so that the server closes its file
