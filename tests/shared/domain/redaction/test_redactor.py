"""The redactor: what goes, what stays, and what holds for any text whatever."""

import json
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.redaction.detector import Detector
from shared.domain.redaction.redactor import BARE, DETECTORS, SECRET_MEMBERS, Redactor
from tests.batteries.seeds import ALL, SEEDS, found_in, nested

REDACTOR = Redactor(key=b"a key of the tests")
LONGER = 5  # a token is at most so many times as long as what it stands for

# Pieces of what detectors look for, so that chance builds what nearly matches.
PIECES = st.sampled_from(
    [
        *(seed.text for seed in SEEDS.values()),
        *(seed.text[: len(seed.text) // 2] for seed in SEEDS.values()),
        *('"', "'", "\\", "\\n", "\\u0040", "[", "]", "{", "}", ":", "=", "&", " ", "\n", "\0"),
        *("[email:0a1b2c3d]", "[secret]", "password=", "sig=", "eyJ", "-----BEGIN ", "+", "00"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(TEXTS)
def test_what_is_redacted_stays_as_it_is(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@given(TEXTS)
def test_no_text_grows_without_bound(text: str) -> None:
    assert len(REDACTOR.text(text)) <= LONGER * len(text) + 20
    assert len(REDACTOR.flat(text)) <= LONGER * len(text) + 20


@given(st.sampled_from(DETECTORS), st.text(st.characters(categories=["L"]), max_size=19))
def test_few_letters_alone_are_nothing(detector: Detector, letters: str) -> None:
    assert detector.replace(letters, REDACTOR.token) == letters


@given(JSON_VALUES)
def test_json_stays_json_of_the_same_form(value: object) -> None:
    text = msgspec.json.encode(value).decode()
    clean = REDACTOR.json(text)
    assert shape(json.loads(clean)) == shape(json.loads(text))
    assert REDACTOR.json(clean) == clean


def shape(value: object) -> object:
    """The form of a value: members may have one name after they had two."""
    if isinstance(value, dict):
        return "members"
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3))
def test_json_in_a_text_of_json_stays_json(value: dict[str, Any]) -> None:
    inner = msgspec.json.encode({"claims": value}).decode()
    clean = REDACTOR.json(msgspec.json.encode({"properties": inner}).decode())
    assert isinstance(json.loads(json.loads(clean)["properties"]), dict)


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_taken(text: str) -> None:
    REDACTOR.text(text)
    REDACTOR.flat(text)


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "1", "a@", "@", "a.", "1.", ":", "a:", "+1", "00 ", "0046 ", "4 ", "1-", "DE89 "),
        *(
            "DE89",
            "a'",
            "a.a@a.",
            "=",
            "sig=",
            "password=",
            "password:",
            "pwd= '",
            "://a:",
            "A" * 43,
        ),
        *("eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-", "ssn ", "\\", "\\n", '{"', "[", '"'),
        *(
            "u+",
            "y_",
            "sk-",
            "Bearer ",
            "hooks.slack.com/",
            "abc8Q~",
            "::",
            "f:",
            "2001:",
            "1.1.1.",
        ),
    ],
)
def test_no_text_takes_more_than_its_length(piece: str) -> None:
    """Were a pattern quadratic, one of these would take hours."""
    text = piece * (200_000 // len(piece))
    assert len(REDACTOR.text(text)) <= LONGER * len(text)
    assert len(REDACTOR.text(f"@{text}@a")) <= LONGER * len(text) + 20


@pytest.mark.parametrize("depth", [10, 500, 5_000])
def test_json_of_any_depth_is_taken(depth: int) -> None:
    text = "[" * depth + '"kim@claimant.example"' + "]" * depth
    assert "kim" not in REDACTOR.text(text)
    assert "kim" not in REDACTOR.flat(text)


@pytest.mark.parametrize("name", SEEDS)
def test_each_is_found_in_text_in_json_and_deep_in_it(name: str) -> None:
    text = SEEDS[name].text
    for seen in (text, f"before {text}, after", nested(text), f"log: {nested(text)}", f"{text}\n"):
        assert found_in(REDACTOR.text(seen)) == [], seen
        assert found_in(REDACTOR.flat(seen)) == [], seen


@pytest.mark.parametrize("behind", ["\n", "\r\n", "\t", "\\n", "\u2028"])
@pytest.mark.parametrize("name", SEEDS)
def test_each_is_found_at_the_beginning_of_a_line(name: str, behind: str) -> None:
    line = f"opened by{behind}{SEEDS[name].text}"
    assert found_in(REDACTOR.text(line)) == []
    for ascii_only in (False, True):
        whole = json.dumps({"description": line}, ensure_ascii=ascii_only)
        for seen in (whole, json.dumps({"log": whole}, ensure_ascii=ascii_only)):
            assert found_in(REDACTOR.json(seen)) == [], seen
            assert found_in(REDACTOR.text(f"read: {seen}")) == [], seen
            assert found_in(REDACTOR.flat(seen[:-1])) == [], seen


@pytest.mark.parametrize("name", SEEDS)
def test_each_is_found_where_slashes_are_escaped(name: str) -> None:
    written = json.dumps({"description": f"see {SEEDS[name].text}"}).replace("/", "\\/")
    assert found_in(REDACTOR.json(written)) == []
    assert found_in(REDACTOR.flat(written[:-1])) == []


def test_an_escape_hides_nothing() -> None:
    hidden = '{"mail": "kim.holder\\u0040claimant.example", "card": "4111\\u00201111 1111 1111"}'
    assert found_in(REDACTOR.json(hidden)) == []
    assert json.loads(REDACTOR.json(hidden))["mail"].startswith("[email:")


def test_a_member_may_be_secret_by_its_name() -> None:
    clean = REDACTOR.value(
        {"Authorization": "x", "api-key": "short", "client_secret": "y", "n": "z"}
    )
    tokens = [text.startswith("[secret:") for text in clean.values()]
    assert tokens == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("aws_secret_access_key=wJalrXUtnFEMIK7MDENGbPxRfiCY", "wJalrXUtnFEMI"),
        ("hf_seedSEEDseedSEEDseedSEEDseedSEED", "seedSEED"),
        ("rk_live_seedSEEDseedSEED01 and sk_test_seedSEEDseedSEED02", "seedSEED"),
        ("4111.1111.1111.1111", "1111"),
        ("4111\u00a01111\u00a01111\u00a01111", "1111"),
        ("415-555-2671, 415.555.2671, 415 555-2671 or (415)555-2671", "2671"),
    ],
)
def test_further_spellings_are_found(text: str, hidden: str) -> None:
    assert hidden not in REDACTOR.text(text)
    assert hidden not in REDACTOR.json(msgspec.json.encode({"said": text}).decode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kim@example.org", "KIM@Example.org"),
        ("kim@example.org", "kim%40example.org"),
        ("4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("+46 70 123 45 67", "+46701234567"),
        ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
    ],
)
def test_the_same_written_otherwise_has_the_same_token(one: str, other: str) -> None:
    assert REDACTOR.text(one) == REDACTOR.text(other) != one


def test_without_its_key_a_token_leads_to_nobody() -> None:
    kept = REDACTOR.text("opened by kim@example.org")
    after = Redactor(key=b"the key that came after it")

    assert after.text(kept) == kept  # what is stored stays what was signed
    assert after.text("kim@example.org") not in kept
    assert BARE.text("kim@example.org") == "[email]"


TARGET = "/subscriptions/00000000-1111-2222-3333-444444444444/resourcegroups/rg-claims-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        TARGET + "/providers/microsoft.machinelearningservices/workspaces/w/onlineendpoints/e",
        "INC-35-261123-3B53132E:3",
        "261123-f0123456789abcdef0123456789abcdef",
        "7b1f6c2e-0000-4000-8000-000000000001/a11ce000-0000-4000-8000-000000000001",
        "2026-11-23T12:00:00.1234567Z to 2026-11-23T14:00:00+02:00, 12:30:45",
        "1763900000000 ms, 1763900000000000 us, 31.4 above 14.4, 99.95 %, 1,234,567 requests",
        "v1.2.3.4, fnol-summary:v2, version 10.0.19041.1, sha256:" + "0123456789abcdef" * 4,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "http://127.0.0.1:7071/incidents/INC-1?did=note#top and https://portal.azure.com/#@t/x",
        "W/\"datetime'2026-11-23T12%3A00%3A00.1234567Z'\"",
        "AppRequests | where TimeGenerated > ago(1h) and Success == false | count",
        "status code=503, exit code=137, key=a, correlation key 4111",
        "4111111111111112 is no card, 000-12-3456 no number of anybody, 300.1.1.1 no address",
        "115-555-2671, 415-155-2671, 1415-555-2671, 415-555-26711 and x415-555-2671 are no numbers",
        "std::vector, a::b, 10:20, ab:cd:ef, aa:bb:cc:dd:ee:ff",
    ],
)
def test_what_backstop_needs_survives(text: str) -> None:
    assert REDACTOR.text(text) == text
    assert REDACTOR.json(msgspec.json.encode({"id": text}).decode()) == json.dumps(
        {"id": text}, ensure_ascii=False, separators=(",", ":")
    )


@given(st.uuids(), st.binary(max_size=9))
@settings(max_examples=300)
def test_ids_and_digests_survive(some_id: UUID, content: bytes) -> None:
    for text in (str(some_id), some_id.hex, sha256(content).hexdigest()):
        assert REDACTOR.text(f"{text} and /x/{text}/y") == f"{text} and /x/{text}/y"


def test_a_digest_that_looks_like_a_card_stays_a_digest() -> None:
    unlucky = {"fingerprint": "4111111111111111", "policy_hash": "4111111111111111"}
    assert REDACTOR.value(unlucky) == unlucky


def test_a_version_of_four_numbers_is_no_address_where_versions_stand() -> None:
    clean = REDACTOR.value({"version": "1.2.3.4", "text": "1.2.3.4"})
    assert clean["version"] == "1.2.3.4"
    assert clean["text"].startswith("[ip:")


def test_bytes_were_redacted_before_they_became_text() -> None:
    body = {"content": SEEDS["account key"].text}
    assert REDACTOR.value(body) == body


def test_every_detector_has_a_name_of_its_own() -> None:
    assert len({one.name for one in DETECTORS}) == len(DETECTORS)
    assert found_in(ALL) == list(SEEDS)


@pytest.mark.parametrize("member", sorted(SECRET_MEMBERS))
def test_a_member_that_is_secret_by_its_name_is_never_overlooked(member: str) -> None:
    clean = REDACTOR.json(msgspec.json.encode({member: "any text at all"}).decode())
    assert "any text" not in clean
