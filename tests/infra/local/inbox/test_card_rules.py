from typing import Any

import pytest

from infra.local.inbox.card_rules import CARD_CAP, MESSAGE_CAP, check_message, expanded
from shared.errors import RejectedInput

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"


def text(said: Any = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": said, **more}


def message(*body: Any, actions: Any = (), **card: Any) -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": "1.5", "body": list(body)}
    content |= {"actions": list(actions)} | card
    return {"type": "message", "attachments": [{"contentType": CONTENT_TYPE, "content": content}]}


def refusal(wrong: object) -> str:
    with pytest.raises(RejectedInput) as refused:
        check_message(wrong)
    return str(refused.value)


def test_a_card_of_known_elements_is_taken() -> None:
    column = {"type": "Column", "items": [text()], "width": "stretch"}
    card = check_message(
        message(
            {"type": "Container", "style": "attention", "items": [text(size="Medium")]},
            {"type": "ColumnSet", "columns": [column, {"items": []}]},
            {"type": "FactSet", "facts": [{"title": "RTO", "value": "9 min"}]},
            actions=[{"type": "Action.OpenUrl", "title": "Open", "url": "https://example.com"}],
        )
    )
    assert card["version"] == "1.5"


@pytest.mark.parametrize("wrong", [None, [], "card", {}, {"type": "AdaptiveCard"}])
def test_the_envelope_must_be_a_message(wrong: object) -> None:
    assert refusal(wrong).startswith("envelope")


@pytest.mark.parametrize("attachments", [None, [], [{}, {}]])
def test_there_is_exactly_one_attachment(attachments: object) -> None:
    assert "attachment" in refusal({"type": "message", "attachments": attachments})


def test_the_content_type_is_that_of_an_adaptive_card() -> None:
    wrong = message()
    wrong["attachments"][0]["contentType"] = "application/json"
    assert refusal(wrong).startswith("content-type")


@pytest.mark.parametrize("version", [None, "1.6", "2.0", 1.5])
def test_the_version_is_one_that_teams_draws(version: object) -> None:
    assert refusal(message(version=version)).startswith("version")


@pytest.mark.parametrize(
    "element",
    [
        {"type": "Image", "url": "https://example.com/a.png"},
        {"type": "Input.Text", "id": "name"},
        {"type": "Column", "items": []},
        {"type": ["TextBlock"], "text": "hello"},
        {"text": "no type"},
    ],
)
def test_an_element_that_is_not_drawn_is_refused_with_its_place(element: dict[str, Any]) -> None:
    nested = {"type": "Container", "items": [text(), element]}
    assert refusal(message(nested)).startswith("element: card.body[0].items[1]")


def test_a_submit_button_does_not_work_from_a_webhook() -> None:
    submit = {"type": "Action.Submit", "title": "Approve"}
    assert "Action.Submit" in refusal(message(text(), actions=[submit]))


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "http://example.com"])
def test_a_button_leads_to_https(url: object) -> None:
    button = {"type": "Action.OpenUrl", "title": "Open", "url": url}
    assert ".url must" in refusal(message(text(), actions=[button]))


@pytest.mark.parametrize("said", ["", "  ", None, 7])
def test_a_text_is_not_empty(said: object) -> None:
    assert refusal(message(text(said))).startswith("text: card.body[0].text")


@pytest.mark.parametrize("look", [{"size": "Huge"}, {"weight": "bolder"}, {"style": ["good"]}])
def test_a_look_is_one_of_the_schemas(look: dict[str, object]) -> None:
    assert refusal(message(text(**look))).startswith("value: card.body[0]")


def test_a_fact_has_a_title_and_a_value() -> None:
    assert "facts[0].value" in refusal(message({"type": "FactSet", "facts": [{"title": "RTO"}]}))
    assert ".facts must" in refusal(message({"type": "FactSet"}))


def test_a_card_of_endless_depth_is_refused() -> None:
    element: dict[str, Any] = text()
    for _ in range(20):
        element = {"type": "Container", "items": [element]}
    assert "levels deep" in refusal(message(element))


def test_a_card_is_weighed_expanded_and_not_as_it_was_posted() -> None:
    flame = "🔥"  # 4 bytes as posted, 14 expanded
    fits, too_large_a_card, too_large = (message(text(flame * n)) for n in (1000, 1500, 2500))
    check_message(fits)
    assert CARD_CAP < expanded(too_large_a_card) < MESSAGE_CAP < expanded(too_large)
    reasons = refusal(too_large_a_card), refusal(too_large)
    assert [reason[:22] for reason in reasons] == [
        "too-large: the card ex",
        "too-large: the message",
    ]
