"""The webhook's door as the worker calls it, and what must be true of whatever it answers."""

import re
from hashlib import sha256
from typing import Any

import azure.functions as func
import msgspec
import pytest

import function_app
from function_app import ROUTES
from shared.domain.authority.caller import AppRole
from shared.domain.authority.permissions import AZURE_MONITOR
from shared.domain.keys import digest
from shared.domain.views.http import PROBLEM
from shared.domain.views.problem import Problem
from shared.protocol.intake import Delivery
from shared.protocol.kept import KEPT, SHARD
from tests.batteries.deliveries import NOW
from tests.batteries.mutations import Posted
from tests.fakes import FakeServices, Outside
from tests.fakes.callers import app
from tests.fakes.tokens import FakeTokens
from tests.shared.domain.decisions import worked_case as case

REFUSED = {400, 403, 413}
FOREIGN = "urn:backstop:problem:foreign-origin"  # refused before anybody reads the body
LONGEST_PROBLEM = 1_000
MONITOR = app(AppRole.WEBHOOK, app_id=AZURE_MONITOR)
# Controls, and what turns a line around: nobody sees them, and everybody reads something else.
MISLEADING = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def is_kept(services: FakeServices, body: bytes) -> bool:
    """Whether a body lies in quarantine, listed for a person."""
    kept = digest("alert", "api/alerts", "", sha256(body).hexdigest())
    return any(place.endswith(kept) for place in services.outside.state.rows(SHARD, KEPT))


class Door:
    """The registered function, over an outside that is renewed now and then."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        made = func.FunctionApp()
        patch.setattr(function_app, "app", made)
        (route,) = [one for one in ROUTES if one[0] == "ingest"]
        function_app._serve(*route)
        (registered,) = made.get_functions()
        self._serve: Any = registered.get_user_function()
        self.services = self.renew()

    def renew(self) -> FakeServices:
        """Begin with empty tables and an empty memory."""
        outside = Outside(now=NOW, snapshot=case.SNAPSHOT, services=[case.SERVICE])
        self.services = FakeServices(outside)
        self.services.__dict__["tokens"] = FakeTokens(monitor=MONITOR)
        self._patch.setattr(function_app, "services", self.services)
        return self.services

    async def post(self, one: Posted) -> str:
        """Post it; what is wrong with the answer, or ""."""
        url = "http://127.0.0.1/api/alerts"
        request = func.HttpRequest(
            "POST", url, headers={**one.headers, "Authorization": "Bearer monitor"}, body=one.body
        )
        try:
            answer = await self._serve(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            return f"an exception reached the host, which answers 500: {error!r}"
        if answer.status_code == 202:
            return self._wrong_promise(answer)
        if answer.status_code in REFUSED:
            return self._wrong_refusal(one, answer)
        return f"answered {answer.status_code} while every part was well"

    def _wrong_promise(self, answer: func.HttpResponse) -> str:
        key = msgspec.json.decode(answer.get_body())["delivery"]
        table = self.services.outside.deliveries
        if key not in table.rows(key[:8]):
            return f"answered 202, but {key} is not stored"
        alert = table.peek(key[:8], key, Delivery).alert
        shown = f"{alert.rule}{alert.summary}{alert.description}"
        if not alert.rule or not alert.summary:
            return f"accepted {key}, of which nobody can tell what it is"
        if MISLEADING.search(shown):
            return f"people would be shown controls that mislead them: {shown[:100]!a}"
        return ""

    def _wrong_refusal(self, one: Posted, answer: func.HttpResponse) -> str:
        body = answer.get_body()
        problem = msgspec.json.decode(body, type=Problem)
        if (answer.mimetype, problem.status) != (PROBLEM, answer.status_code):
            return f"refused without a well-formed problem: {answer.mimetype} {body[:100]!r}"
        if not (problem.type and problem.title and problem.detail):
            return f"refused without a reason: {body[:100]!r}"
        if len(body) > LONGEST_PROBLEM or not body.decode().isascii():
            return f"the refusal repeats what it refuses: {body[:200]!a}"
        if problem.type != FOREIGN and not is_kept(self.services, one.body):
            return "refused, and not kept in quarantine"
        return ""
