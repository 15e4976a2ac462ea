"""Origin: whether a request was sent by a page of our own or by somebody else's page.

A button's POST must come from our own page. A program says neither header and may use the API; a
foreign page cannot leave them out, because browsers write them.
"""

from urllib.parse import urlsplit

from shared.domain.views.http import Request
from shared.errors import NotAllowed

ONLY_OURS = "this must be sent by a page of the console; open the page again and repeat it"


def refuse_foreign(request: Request, public_url: str) -> None:
    """Raise NotAllowed for a form that no page of ours has sent."""
    if is_foreign(request, public_url, browser_only=True):
        raise NotAllowed(ONLY_OURS)


def is_foreign(request: Request, public_url: str, *, browser_only: bool) -> bool:
    """Whether another site's page caused a request.

    `browser_only`: a request that says nothing of its origin is foreign, too.
    """
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    if site:
        return site != "same-origin"
    if origin:
        return not _is_own(origin, request.headers.get("host", ""), public_url)
    return browser_only


def _is_own(origin: str, host: str, public_url: str) -> bool:
    if public_url:
        return _site(origin) == _site(public_url)
    return bool(host) and _site(origin)[1] == host


def _site(url: str) -> tuple[str, str]:
    """Scheme and host; "" for both where it is no URL at all, which is nobody's site."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc
