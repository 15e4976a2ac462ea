"""The door: real keys over real HTTP, every attack, and every route for every role.

Each attack is a valid token with one thing changed; what is changed is all that is wrong with it.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote

import azure.functions as func
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization

import function_app
from function_app import ROUTES
from shared.domain.authority.caller import AppRole, Caller
from shared.domain.authority.permissions import AZURE_MONITOR, PERMISSIONS
from shared.domain.views.http import Answer, Request
from shared.errors import BackstopError, NotAllowed
from shared.protocol.door.turn_away import tell_refusals
from shared.services import Services
from tests.fakes import FakeServices
from tests.fakes.callers import ALICE, PIPELINE, TENANT
from tests.fakes.issuer import (
    AUDIENCE,
    COMMAND_LINE,
    KID,
    FakeIssuer,
    issuing,
    key_of,
)
from tests.fakes.scene import NOW, new_services, told
from tests.fakes.services import make_settings

OTHER = "0dd00000-0000-4000-8000-000000000009"
METHODS = {name: (method, route) for name, method, route, _ in ROUTES}
PAGES = sorted(
    name for name, method, route, _ in ROUTES if method == "GET" and not route.startswith("api/")
)


type Functions = dict[str, Callable[[func.HttpRequest], Awaitable[Any]]]


class Door:
    """The app's real routes, behind which nobody answers but the word "in", or `trouble`."""

    def __init__(self, services: FakeServices) -> None:
        self.services = services
        self.entered: list[Request] = []
        self.trouble: BackstopError | None = None
        self.functions: Functions = {}

    async def knock(self, route: str, action: str = "", **headers: str) -> func.HttpResponse:
        """Send a request to a route; underscores in names of headers are hyphens."""
        method, path = METHODS[route]
        request = func.HttpRequest(
            method,
            f"https://backstop.example/{quote(path)}?of=this",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            route_params={"id": "one", "action": action} if action else {"id": "one"},
            body=b"{}",
        )
        answer = await self.functions[route](request)
        assert isinstance(answer, func.HttpResponse)
        return answer

    async def bearer(self, token: str, route: str = "set_kill_switch", **more: Any) -> int:
        """The status that a bearer of the token gets."""
        answer = await self.knock(route, authorization=f"Bearer {token}", **more)
        return int(answer.status_code)

    async def answer(self, _: Services, request: Request) -> Answer:
        self.entered.append(request)
        if self.trouble is not None:
            raise self.trouble
        return Answer(body=b"in")

    @property
    def caller(self) -> Caller:
        """Who was let in last."""
        return self.entered[-1].actor


@pytest.fixture
async def issuer() -> AsyncIterator[FakeIssuer]:
    async with issuing(NOW) as made:
        yield made


def settled(issuer: FakeIssuer, **changes: Any) -> FakeServices:
    """Services that take this issuer's tokens."""
    known = {"tenant": TENANT, "audience": AUDIENCE, "authority": issuer.authority}
    services = FakeServices(new_services().outside, make_settings(**known | changes))
    services.outside.now = NOW
    return services


class Behind:
    """Who is behind the routes at the moment: the door of the test that runs."""

    door: Door
    functions: Functions

    async def answer(self, services: Services, request: Request) -> Answer:
        return await self.door.answer(services, request)


@pytest.fixture(scope="module")
def behind() -> Behind:
    """The routes are made once, since that takes longer than most tests."""
    made = Behind()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function_app, "app", func.FunctionApp())
        for name, method, route, _ in ROUTES:
            function_app._serve(name, method, route, made.answer)
        found = function_app.app.get_functions()
    made.functions = {str(one.get_function_name()): one.get_user_function() for one in found}
    return made


@pytest.fixture
async def door(
    issuer: FakeIssuer, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Door]:
    made = behind.door = Door(settled(issuer))
    made.functions = behind.functions
    monkeypatch.setattr(function_app, "services", made.services)
    yield made
    await made.services.errands.close()


@pytest.fixture
def easy(door: Door, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The same door where the platform says that Easy Auth is on."""
    door.services = settled(issuer, easy_auth=True)
    monkeypatch.setattr(function_app, "services", door.services)
    return door


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": KID})


def by_the_public_key(claims: dict[str, Any]) -> str:
    """HS256, with what everybody can read as the secret: PyJWT would not even make it."""
    pem = (
        key_of("ours")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    plain = jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": KID})
    head = plain.rpartition(".")[0]
    return f"{head}.{encoded(hmac.digest(pem, head.encode(), hashlib.sha256))}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def tampered(token: str, **changes: Any) -> str:
    """The payload changed behind the signature's back."""
    head, payload, signature = token.split(".")
    claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=="))
    return f"{head}.{encoded(msgspec.json.encode(claims | changes))}.{signature}"


type Forge = Callable[[FakeIssuer], str]

SOUND: dict[str, Forge] = {
    "v2": lambda i: i.sign(i.claims()),
    "v2, idtyp user": lambda i: i.sign(i.claims(idtyp="user")),
    "v1": lambda i: i.sign(i.as_v1(i.claims())),
    "v1 for the bare client id": lambda i: i.sign(i.as_v1(i.claims(), aud=AUDIENCE)),
    "almost expired, by our clock": lambda i: i.sign(i.claims(exp=NOW - timedelta(seconds=59))),
    "almost valid": lambda i: i.sign(i.claims(nbf=NOW + timedelta(seconds=60))),
    "roles that we do not know": lambda i: i.sign(i.claims(roles=["Commander", "Emperor"])),
}

ATTACKS: dict[str, Forge] = {
    "nothing": lambda _: "",
    "no token at all": lambda _: "let me in",
    "three parts of nothing": lambda _: "..",
    "alg none": lambda i: unsigned(i.claims()),
    "alg none, by our kid and with a signature": lambda i: unsigned(i.claims()) + "AAAA",
    "HS256 with the public key": lambda i: by_the_public_key(i.claims()),
    "a kid that nobody knows": lambda i: i.sign(i.claims(), kid="another"),
    "no kid": lambda i: i.sign(i.claims(), kid=None),
    "our kid with another key": lambda i: i.sign(i.claims(), key="theirs"),
    "a key of its own in the header": lambda i: i.sign(
        i.claims(), key="theirs", jwk={"kty": "RSA", "n": "AQAB", "e": "AQAB"}
    ),
    "jku to their keys": lambda i: i.sign(
        i.claims(), key="theirs", kid="theirs", jku=f"{i.authority}/theirs"
    ),
    "x5u to their keys": lambda i: i.sign(
        i.claims(), key="theirs", kid="theirs", x5u=f"{i.authority}/theirs"
    ),
    "critical extensions": lambda i: i.sign(i.claims(), crit=["b64"]),
    "a tampered payload": lambda i: tampered(i.sign(i.claims(roles=[])), roles=["Commander"]),
    "another tenant": lambda i: i.sign(i.claims(tid=OTHER)),
    "another tenant's issuer": lambda i: i.sign(i.claims(iss=f"{i.authority}/{OTHER}/v2.0")),
    "another issuer": lambda i: i.sign(i.claims(iss=f"https://evil.example/{TENANT}/v2.0")),
    "another audience": lambda i: i.sign(i.claims(aud=OTHER)),
    "many audiences": lambda i: i.sign(i.claims(aud=[AUDIENCE, OTHER])),
    "v2 for the audience of v1": lambda i: i.sign(i.claims(aud=f"api://{AUDIENCE}")),
    "v2 with the client of v1": lambda i: i.sign(i.claims(azp=None, appid=COMMAND_LINE)),
    "v2 that says it is v1": lambda i: i.sign(i.claims(ver="1.0")),
    "v1 with the client of v2": lambda i: i.sign(i.as_v1(i.claims(), azp=COMMAND_LINE)),
    "v1 that says it is v2": lambda i: i.sign(i.as_v1(i.claims(), ver="2.0")),
    "roles in one text": lambda i: i.sign(i.claims(roles="NotCommander Commander")),
    "roles as an object": lambda i: i.sign(i.claims(roles={"Commander": True})),
    "roles of anything": lambda i: i.sign(i.claims(roles=["Commander", 1])),
    "expired": lambda i: i.sign(i.claims(exp=NOW - timedelta(seconds=61))),
    "no expiry": lambda i: i.sign(i.claims(exp=None)),
    "an expiry in words": lambda i: i.sign(i.claims(exp="never")),
    "not yet valid": lambda i: i.sign(i.claims(nbf=NOW + timedelta(seconds=61))),
    "issued tomorrow": lambda i: i.sign(i.claims(iat=NOW + timedelta(days=1))),
    "without an object": lambda i: i.sign(i.claims(oid=None)),
    "an object that is a path": lambda i: i.sign(i.claims(oid=f"../{OTHER}")),
    "an id token as an access token": lambda i: i.sign(i.id_claims()),
    "a person without a scope": lambda i: i.sign(i.claims(scp=None)),
    "an app with a scope": lambda i: i.sign(i.claims(idtyp="app")),
    "neither": lambda i: i.sign(i.claims(idtyp="device")),
    "too long": lambda i: i.sign(i.claims(groups=["x" * 20_000])),
}


@pytest.mark.parametrize("forge", SOUND.values(), ids=SOUND)
async def test_a_sound_token_opens_and_says_who_it_is(
    door: Door, issuer: FakeIssuer, forge: Forge
) -> None:
    assert await door.bearer(forge(issuer)) == 200
    assert (door.caller.id, door.caller.name) == (ALICE, "Alice Adams")
    assert (door.caller.role, set(door.caller.roles)) == ("Commander", {AppRole.COMMANDER})


@pytest.mark.parametrize("forge", ATTACKS.values(), ids=ATTACKS)
async def test_an_attack_gets_401_and_learns_nothing(
    door: Door, issuer: FakeIssuer, forge: Forge
) -> None:
    answer = await door.knock("set_kill_switch", authorization=f"Bearer {forge(issuer)}")

    assert (answer.status_code, door.entered) == (401, [])
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert msgspec.json.decode(answer.get_body()) == {
        "type": "urn:backstop:problem:not-signed-in",
        "title": "Who calls is not known",
        "status": 401,
        "detail": "This needs a valid token for Backstop.",
    }


async def test_a_role_in_one_text_opens_nothing_even_where_it_is_the_only_one(
    door: Door, issuer: FakeIssuer
) -> None:
    assert await door.bearer(issuer.sign(issuer.claims(roles="Commander"))) == 401


async def test_a_token_without_roles_is_known_and_may_nothing(
    door: Door, issuer: FakeIssuer
) -> None:
    assert await door.bearer(issuer.sign(issuer.claims(roles=None))) == 403


OURS = {"sec_fetch_site": "same-origin"}
FORGED = encoded(msgspec.json.encode({"claims": [{"typ": "roles", "val": "Commander"}]}))


async def test_what_easy_auth_would_say_is_never_believed(door: Door, easy: Door) -> None:
    for one in (door, easy):
        answer = await one.knock(
            "set_kill_switch",
            x_ms_client_principal=FORGED,
            x_ms_client_principal_id=ALICE,
            x_ms_client_principal_name="alice@backstop.example",
        )
        assert (answer.status_code, one.entered) == (401, [])


async def test_an_id_token_counts_only_where_easy_auth_is_on(
    door: Door, issuer: FakeIssuer
) -> None:
    token = issuer.sign(issuer.id_claims())
    answer = await door.knock("set_kill_switch", x_ms_token_aad_id_token=token)
    assert (answer.status_code, door.entered) == (401, [])


async def test_where_easy_auth_is_on_the_id_token_is_checked_as_any_other(
    easy: Door, issuer: FakeIssuer
) -> None:
    sound, forged = issuer.id_claims(), issuer.sign(issuer.id_claims(), key="theirs")
    for token, status in (
        (issuer.sign(sound), 200),
        (forged, 401),
        (issuer.sign(issuer.id_claims(aud=OTHER)), 401),
        (issuer.sign(issuer.id_claims(exp=NOW - timedelta(hours=1))), 401),
        (issuer.sign(issuer.claims()), 401),  # an access token is none
        (issuer.sign(issuer.webhook_claims()), 401),
    ):
        answer = await easy.knock("set_kill_switch", x_ms_token_aad_id_token=token, **OURS)
        assert answer.status_code == status
    assert [one.actor.id for one in easy.entered] == [ALICE]


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
async def test_a_session_acts_only_from_our_own_pages(
    easy: Door, issuer: FakeIssuer, headers: dict[str, str]
) -> None:
    token = issuer.sign(issuer.id_claims())
    answer = await easy.knock("set_kill_switch", x_ms_token_aad_id_token=token, **headers)
    assert (answer.status_code, easy.entered) == (403, [])
    await tell_refusals(easy.services)
    (event,) = told(easy.services)
    assert (event.actor, event.why) == (ALICE, "foreign-page")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_another_site_s_page_changes_nothing_though_it_has_a_token(
    door: Door, issuer: FakeIssuer, site: str
) -> None:
    token = issuer.sign(issuer.claims())
    assert await door.bearer(token, sec_fetch_site=site) == 403
    assert await door.bearer(token, "show_kill_switch", sec_fetch_site=site) == 200
    assert await door.bearer(token, sec_fetch_site="same-origin") == 200


async def test_a_foreign_page_without_a_token_is_told_no_more_than_anybody(door: Door) -> None:
    answer = await door.knock("set_kill_switch", origin="https://evil.example")
    assert answer.status_code == 401


async def test_what_the_role_would_allow_and_the_rules_do_not_is_recorded(
    door: Door, issuer: FakeIssuer
) -> None:
    door.trouble = NotAllowed("Nobody approves what they asked for.")
    token = issuer.sign(issuer.claims())
    assert await door.bearer(token, "answer_approval", action="approve") == 403
    await tell_refusals(door.services)

    (event,) = told(door.services)
    assert (event.actor, event.why) == (ALICE, "not-theirs")
    assert event.evidence["route"] == "answer_approval"


@pytest.mark.parametrize("form", ["v1", "v2"])
async def test_azure_monitor_may_bring_alerts(door: Door, issuer: FakeIssuer, form: str) -> None:
    claims = issuer.webhook_claims()
    token = issuer.sign(issuer.as_v1(claims) if form == "v1" else claims)

    assert await door.bearer(token, "ingest") == 200
    assert (door.caller.id, door.caller.role) == (PIPELINE, "ActionGroupsSecureWebhook")


@pytest.mark.parametrize(
    "claims",
    [
        lambda i: i.claims(roles=["ActionGroupsSecureWebhook", "Commander"]),
        lambda i: i.app_claims("ActionGroupsSecureWebhook", client=OTHER),
        lambda i: i.app_claims("Deployer", client=AZURE_MONITOR),
        lambda i: i.claims(roles=["ActionGroupsSecureWebhook"], azp=AZURE_MONITOR),
    ],
    ids=["a person", "another app", "without the role", "a person by its app"],
)
async def test_nobody_else_brings_alerts(
    door: Door, issuer: FakeIssuer, claims: Callable[[FakeIssuer], dict[str, Any]]
) -> None:
    assert await door.bearer(issuer.sign(claims(issuer)), "ingest") == 403
    assert door.entered == []


ALL_ROLES = [role.value for role in AppRole]
FOR_APPS_TOO = ("ingest", "register", "order_evidence", "take_signal")
FOR_PEOPLE = sorted(
    (name, action)
    for name, _, action in (row.partition("/") for row in PERMISSIONS)
    if name in METHODS and METHODS[name][0] == "POST" and name not in FOR_APPS_TOO
)


@pytest.mark.parametrize(("route", "action"), FOR_PEOPLE)
async def test_an_app_decides_nothing_for_people_whatever_its_roles(
    door: Door, issuer: FakeIssuer, route: str, action: str
) -> None:
    token = issuer.sign(issuer.app_claims(*ALL_ROLES, client=AZURE_MONITOR))
    assert await door.bearer(token, route, action=action or "acknowledge") == 403


def test_every_route_is_in_the_table_and_the_table_has_no_other() -> None:
    assert {row.partition("/")[0] for row in PERMISSIONS} == set(METHODS)


def test_only_files_of_the_pages_are_public() -> None:
    assert [row for row, permission in PERMISSIONS.items() if permission.public] == ["show_asset"]


@pytest.mark.parametrize("kind", ["person", "app"])
@pytest.mark.parametrize("row", PERMISSIONS)
async def test_for_every_route_the_roles_of_the_table_pass_and_no_other(
    door: Door, issuer: FakeIssuer, row: str, kind: str
) -> None:
    route, _, action = row.partition("/")
    permission = PERMISSIONS[row]
    for role in AppRole:
        person = issuer.claims(roles=[role])
        app = issuer.app_claims(role, client=AZURE_MONITOR)
        token = issuer.sign(person if kind == "person" else app)
        named = permission.people if kind == "person" else permission.apps
        status = await door.bearer(token, route, action=action, x_forwarded_for=role)
        assert (status == 200) is (role in named or permission.public), (row, kind, role)
        assert status in (200, 403)


async def test_a_route_that_is_not_in_the_table_is_closed(
    door: Door, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(PERMISSIONS, "show_incidents")
    token = issuer.sign(issuer.claims(roles=ALL_ROLES))
    assert await door.bearer(token, "show_incidents") == 403


async def test_who_may_not_is_told_which_role_would_do(door: Door, issuer: FakeIssuer) -> None:
    token = issuer.sign(issuer.claims(roles=["Auditor"]))
    answer = await door.knock("set_kill_switch", authorization=f"Bearer {token}")
    problem = msgspec.json.decode(answer.get_body())
    assert (problem["status"], problem["detail"]) == (
        403,
        "This is open to people with the role Commander.",
    )


@pytest.mark.parametrize("route", [name for name in PAGES if name != "show_asset"])
async def test_a_page_says_it_to_people(door: Door, issuer: FakeIssuer, route: str) -> None:
    token = issuer.sign(issuer.app_claims("Signal", client=OTHER))
    unknown = await door.knock(route)
    forbidden = await door.knock(route, authorization=f"Bearer {token}")

    assert [one.status_code for one in (unknown, forbidden)] == [401, 403]
    assert {one.mimetype for one in (unknown, forbidden)} == {"text/html"}
    assert b"Who calls is not known" in unknown.get_body()


async def test_a_browser_without_a_session_is_led_to_the_sign_in_and_back(easy: Door) -> None:
    answer = await easy.knock("show_home")
    back = answer.headers["Location"].partition("?post_login_redirect_uri=")
    assert answer.status_code == 302
    assert back[0] == "/.auth/login/aad"
    assert unquote(unquote(back[2])) == f"/{METHODS['show_home'][1]}?of=this"


async def test_a_session_whose_token_ended_is_renewed_and_a_forged_one_is_not(
    easy: Door, issuer: FakeIssuer
) -> None:
    old = issuer.sign(issuer.id_claims(exp=NOW - timedelta(hours=1)))
    forged = issuer.sign(issuer.id_claims(), key="theirs")
    statuses = [
        (await easy.knock("show_home", x_ms_token_aad_id_token=token)).status_code
        for token in (old, forged)
    ]
    assert statuses == [302, 401]


async def test_only_pages_that_are_looked_at_lead_to_the_sign_in(easy: Door) -> None:
    for route in ("show_incidents", "press_kill_switch", "set_kill_switch"):
        assert (await easy.knock(route)).status_code == 401


async def test_without_settings_nobody_comes_in_and_the_log_names_what_is_missing(
    door: Door, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    for missing in ("tenant", "audience"):
        services = settled(issuer, **{missing: ""})
        monkeypatch.setattr(function_app, "services", services)
        for headers in ({}, {"authorization": f"Bearer {issuer.sign(issuer.claims())}"}):
            answer = await door.knock("show_incidents", **headers)
            assert (answer.status_code, door.entered) == (503, [])
            assert missing not in answer.get_body().decode()
        assert f"BACKSTOP_{missing.upper()} is not set" in caplog.text


async def test_without_the_issuer_s_keys_it_is_a_part_that_is_out(
    door: Door, issuer: FakeIssuer
) -> None:
    issuer.out = True
    answer = await door.knock(
        "ingest", authorization=f"Bearer {issuer.sign(issuer.webhook_claims())}"
    )
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


async def test_refusals_of_a_kind_are_told_once_a_minute_with_their_count(
    door: Door, issuer: FakeIssuer
) -> None:
    token = issuer.sign(issuer.claims(roles=["Auditor"]))
    for _ in range(5):
        await door.bearer(token)
    await tell_refusals(door.services)
    await door.bearer(token)
    await tell_refusals(door.services)
    assert [event.evidence["count"] for event in told(door.services)] == [5]
    door.services.outside.wait(60)
    await tell_refusals(door.services)

    first, second = told(door.services)
    assert (first.kind, first.actor, first.why) == ("access.refused", ALICE, "not-allowed")
    assert (first.evidence["route"], first.service) == ("set_kill_switch", "backstop")
    assert second.evidence["count"] == 1
    assert token not in msgspec.json.encode([first, second]).decode()


async def test_what_is_refused_is_told_though_nobody_waits_for_it(door: Door) -> None:
    await door.knock("show_incidents")
    assert told(door.services) == [], "the answer comes first"
    await asyncio.gather(*door.services.errands.running("refusals"))
    assert [event.kind for event in told(door.services)] == ["access.refused"]


async def test_what_cannot_be_told_now_is_told_later(door: Door) -> None:
    await door.knock("show_incidents")
    door.services.outside.tables_out(out=True)
    await tell_refusals(door.services)
    await door.knock("show_incidents")
    door.services.outside.tables_out(out=False)
    door.services.outside.wait(60)
    await tell_refusals(door.services)

    (event,) = told(door.services)
    assert (event.actor, event.why, event.evidence["count"]) == ("anonymous", "no-token", 2)


async def test_a_source_that_is_refused_very_often_is_told_to_wait_and_nobody_else_is(
    door: Door, issuer: FakeIssuer
) -> None:
    good, bad = issuer.sign(issuer.claims()), issuer.sign(issuer.claims(), key="theirs")
    here = "9.9.9.9, 203.0.113.7:4711"  # the first is what the caller says itself
    seen = [await door.bearer(bad, x_forwarded_for=here) for _ in range(40)]
    answer = await door.knock("show_incidents", x_forwarded_for="203.0.113.7")

    assert (set(seen[:30]), set(seen[30:])) == ({401}, {429})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert await door.bearer(good, x_forwarded_for=here) == 200
    assert await door.bearer(bad, x_forwarded_for="203.0.113.8") == 401
    door.services.outside.wait(60)
    assert await door.bearer(bad, x_forwarded_for=here) == 401
