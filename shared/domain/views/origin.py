"""Origin: whether a request was sent by a page of our own or by somebody else's page.

A button's POST must come from our own page. A program says neither header and may use the API; a
foreign page cannot leave them out, because browsers write them.
"""

from urllib.parse import urlsplit

from shared.domain.views.http import Request
from shared.errors import RejectedInput


def refuse_foreign(request: Request, public_url: str, *, browser_only: bool) -> None:
    """Raise RejectedInput for a request that another site's page caused.

    `browser_only`: a request that says nothing of its origin is refused, too.
    """
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    if site:
        own = site == "same-origin"
    elif origin:
        own = _is_own(origin, request.headers.get("host", ""), public_url)
    else:
        own = not browser_only
    if not own:
        detail = "this must be sent by a page of the console; open the page again and repeat it"
        raise RejectedInput("foreign-origin", detail)


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
