"""The issuer gives what Entra gives: the addresses, the forms of tokens and their claims."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest

from infra.local.issuer.app import create_issuer
from infra.local.issuer.identities import AUDIENCE, IDENTITIES, PEOPLE, TENANT, sender_of
from infra.local.issuer.issuer import Form, Issuer
from shared.domain.authority.caller import AppRole, CallerKind
from shared.domain.authority.claims import Channel, Expected, caller_from, read_claims
from tests.infra.local.inbox.serving import serving

AUTHORITY = "http://127.0.0.1:7"
EVERY = [
    (key, form)
    for key, known in IDENTITIES.items()
    for form in Form
    if known.is_person or form is not Form.ID  # a program has no id token
]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EXPECTED = Expected(authority=AUTHORITY, tenant=TENANT, audience=AUDIENCE)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(AUTHORITY)


@pytest.fixture(scope="module")
def of_noon() -> Issuer:
    """An issuer for which it is always NOW."""
    return Issuer(AUTHORITY, clock=lambda: NOW)


def claims(issuer: Issuer, token: str) -> dict[str, Any]:
    """What a token says, by the issuer's own keys."""
    (key,) = jwt.PyJWKSet.from_dict(issuer.keys()).keys
    assert jwt.get_unverified_header(token)["kid"] == key.key_id
    audiences = [AUDIENCE, f"api://{AUDIENCE}"]
    found: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audiences)
    return found


def given(issuer: Issuer, who: str, form: Form) -> dict[str, Any]:
    return claims(issuer, issuer.token(IDENTITIES[who], form))


def test_the_roles_are_those_that_the_product_knows() -> None:
    held = {role for known in IDENTITIES.values() for role in known.roles}
    assert held == set(AppRole)


def test_everybody_is_somebody_else() -> None:
    assert len({known.object_id for known in IDENTITIES.values()}) == len(IDENTITIES)


@pytest.mark.parametrize(
    ("who", "form", "client", "audience"),
    [
        ("monitor", Form.V1, "appid", f"api://{AUDIENCE}"),
        ("monitor", Form.V2, "azp", AUDIENCE),
        ("pipeline", Form.V2, "azp", AUDIENCE),
    ],
)
def test_a_program_is_named_by_its_client_in_the_form_of_its_token(
    issuer: Issuer, who: str, form: Form, client: str, audience: str
) -> None:
    told = given(issuer, who, form)
    assert (told["aud"], told[client], told["idtyp"]) == (
        audience,
        IDENTITIES[who].client_id,
        "app",
    )
    assert told["roles"] == list(IDENTITIES[who].roles)
    assert told["exp"] - told["iat"] == timedelta(hours=1).total_seconds()
    assert "scp" not in told


@pytest.mark.parametrize("form", [Form.V1, Form.V2])
def test_a_person_s_access_token_has_a_scope(issuer: Issuer, form: Form) -> None:
    told = given(issuer, "auditor", form)
    assert (told["name"], told["scp"]) == ("Local auditor", "user_impersonation")
    assert told["sub"] != told["oid"]  # as Entra has it


def test_an_id_token_names_no_client(issuer: Issuer) -> None:
    told = given(issuer, "approver", Form.ID)
    assert {"azp", "appid", "scp", "idtyp"} & told.keys() == set()


@pytest.mark.parametrize(("who", "form"), EVERY)
def test_the_product_takes_everybody_for_who_they_are(
    of_noon: Issuer, who: str, form: Form
) -> None:
    known = IDENTITIES[who]
    token = of_noon.token(known, form)
    claimed = read_claims(jwt.api_jws.decode(token, options={"verify_signature": False}))
    assert claimed is not None
    channel = Channel.EASY_AUTH if form is Form.ID else Channel.BEARER
    caller = caller_from(claimed, EXPECTED, channel, NOW)
    assert getattr(caller, "id", caller) == f"{TENANT}/{known.object_id}"
    kind = CallerKind.PERSON if known.is_person else CallerKind.APP
    assert (caller.kind, set(caller.roles)) == (kind, set(known.roles))  # type: ignore[union-attr]


def test_every_start_has_a_key_of_its_own(issuer: Issuer) -> None:
    assert Issuer(AUTHORITY).keys()["keys"][0]["n"] != issuer.keys()["keys"][0]["n"]
    assert "d" not in issuer.keys()["keys"][0]


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("POST", "/api/alerts", "monitor"),
        ("POST", "/api/releases", "pipeline"),
        ("GET", "/api/incidents", "commander"),
        ("POST", "/api/kill-switch", "commander"),
    ],
)
def test_each_request_has_its_usual_sender(method: str, path: str, who: str) -> None:
    assert sender_of(method, path) == who


async def ask(issuer: Issuer, method: str, path: str, **form: str) -> tuple[int, dict[str, Any]]:
    async with serving(create_issuer(issuer)) as url, aiohttp.ClientSession() as session:
        asked = session.request(method, f"{url}/{TENANT}/{path}", data=form or None)
        async with asked as answer:
            return answer.status, await answer.json(content_type=None)


async def test_the_configuration_leads_to_the_keys(issuer: Issuer) -> None:
    status, told = await ask(issuer, "GET", "v2.0/.well-known/openid-configuration")
    assert (status, told["issuer"]) == (200, f"{AUTHORITY}/{TENANT}/v2.0")
    assert told["jwks_uri"] == f"{AUTHORITY}/{TENANT}/discovery/v2.0/keys"
    status, keys = await ask(issuer, "GET", "discovery/v2.0/keys")
    assert (status, keys["keys"][0]["kty"], keys["keys"][0]["use"]) == (200, "RSA", "sig")


@pytest.mark.parametrize("known", PEOPLE, ids=lambda known: known.key)
async def test_a_person_gets_both_tokens(issuer: Issuer, known: Any) -> None:
    status, told = await ask(issuer, "POST", "oauth2/v2.0/token", username=known.key)
    assert (status, told["expires_in"]) == (200, 3600)
    assert {"access_token", "id_token"} <= told.keys()


@pytest.mark.parametrize(
    ("path", "version"), [("oauth2/token", "1.0"), ("oauth2/v2.0/token", "2.0")]
)
async def test_a_program_gets_an_access_token_of_the_form_it_asks_for(
    issuer: Issuer, path: str, version: str
) -> None:
    client = IDENTITIES["monitor"].client_id
    status, told = await ask(
        issuer, "POST", path, client_id=client, grant_type="client_credentials"
    )
    unverified = jwt.decode(told["access_token"], options={"verify_signature": False})
    assert (status, unverified["ver"], "id_token" in told) == (200, version, False)


async def test_nobody_else_gets_one(issuer: Issuer) -> None:
    status, told = await ask(issuer, "POST", "oauth2/v2.0/token", username="somebody")
    assert (status, told["error"]) == (401, "invalid_client")
