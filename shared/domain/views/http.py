"""Requests and answers, free of any framework: what HTTP responders take and give."""

from typing import Any

import msgspec

from shared.domain.authority.caller import Caller
from shared.errors import RejectedInput

JSON = "application/json"
HTML = "text/html"  # azure.functions adds the charset
PROBLEM = "application/problem+json"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request. `path` holds the route's parameters, header names are lower case.

    `caller` is who sent it by a valid token; None until the door has looked. `target` is the path
    and query as they were asked for.
    """

    method: str = "GET"
    path: dict[str, str] = {}
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: bytes = b""
    caller: Caller | None = None
    target: str = ""

    @property
    def actor(self) -> Caller:
        """Who acts. Raises RejectedInput where the door has not looked, which lets nobody act."""
        if self.caller is None:
            raise RejectedInput("nobody", "who acts must be known")
        return self.caller

    def read[T: msgspec.Struct](self, kind: type[T]) -> T:
        """The JSON body as `kind`. Raises RejectedInput that names the field."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.ValidationError as error:
            raise RejectedInput("wrong-field", str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RejectedInput("not-json", f"the body is not JSON: {error}") from None

    def limit(self, default: int = 50, most: int = 200) -> int:
        """How many rows a page may have. Raises RejectedInput."""
        text = self.query.get("limit", str(default))
        if not text.isdecimal() or not 1 <= int(text[:6]) <= most:
            raise RejectedInput("wrong-limit", f"limit must be a number from 1 to {most}")
        return int(text)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = {}


def json_answer(value: Any, status: int = 200) -> Answer:  # noqa: ANN401 - whatever msgspec encodes
    """An answer with a JSON body."""
    return Answer(status=status, body=msgspec.json.encode(value))
