"""A person in a browser: signs in, opens the link of a card, reads its form and sends it.

Where nobody sits at the terminal the demo lets one decide this way. No API is called and no token
asked for: there is the session's cookie, the page, and what a browser would send with its form.
"""

from html.parser import HTMLParser

import aiohttp
import msgspec

from infra.local.demo.client import Stuck
from infra.local.host.easy_auth import BACK, LOGIN

RULING = "ruling"  # the id of the form by which a plan is decided


class Form(msgspec.Struct, kw_only=True):
    """A form as a browser would send it untouched: where to, and the fields by name."""

    action: str
    fields: dict[str, str] = {}


class _Reader(HTMLParser):
    """Finds one form by its id, with the values of its fields; what is ticked by hand is not."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.found: Form | None = None
        self._wanted = form
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter the form, or take a field of it."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("id") == self._wanted:
            self.found, self._inside = Form(action=said.get("action", "")), True
        elif self._inside and self.found is not None and "name" in said and _is_sent(tag, said):
            self.found.fields[said["name"]] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Leave it."""
        self._inside = self._inside and tag != "form"


def _is_sent(tag: str, said: dict[str, str]) -> bool:
    return tag == "textarea" or (tag == "input" and said.get("type") != "checkbox")


def read_form(page: str, form: str) -> Form | None:
    """The form of that id in an HTML page; None where the page has none."""
    reader = _Reader(form)
    reader.feed(page)
    return reader.found


async def approve(api: str, path: str, *, person: str, reason: str) -> None:
    """Sign in, open the page of a plan and approve it there. Raises Stuck where that is refused."""
    jar = aiohttp.CookieJar(unsafe=True)  # "unsafe": of an address instead of a name
    timeout = aiohttp.ClientTimeout(total=20)
    try:
        async with aiohttp.ClientSession(api, cookie_jar=jar, timeout=timeout) as browser:
            await _sign_in(browser, person, path)
            page = await _read(await browser.get(path))
            form = read_form(page, RULING)
            if form is None:
                raise Stuck(f"the page {path} has no form for {person}")
            form.fields["reason"] = reason
            await _read(await browser.post(form.action, data=form.fields, headers={"Origin": api}))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Stuck(f"{api}{path}: {error}") from error


async def _sign_in(browser: aiohttp.ClientSession, person: str, path: str) -> None:
    await _read(await browser.post(LOGIN, data={"username": person, BACK: path}))


async def _read(answer: aiohttp.ClientResponse) -> str:
    text = await answer.text()
    if answer.status >= 400:
        raise Stuck(f"{answer.method} {answer.url} answered {answer.status}: {text[:300]}")
    return text
